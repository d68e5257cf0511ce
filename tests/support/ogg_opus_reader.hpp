#pragma once
/// Reads an Ogg Opus file with libogg and libopus alone, checking what RFC 3533 and RFC 7845
/// demand of it, for tests of what we write.

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <ogg/ogg.h>
#include <opus/opus.h>

namespace qylon::test {

struct OggOpus {
  int channels = 0;
  int pre_skip = 0;
  int pages = 0;
  int end_pages = 0;                               ///< With the end-of-stream flag.
  std::int64_t granule = 0;                        ///< Of the last page.
  std::vector<std::vector<std::uint8_t>> packets;  ///< Without the two headers.
  std::vector<float> samples;                      ///< Mono at 48 kHz, pre-skip removed.
};

inline std::vector<char> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

namespace detail {

inline void read_head(const ogg_packet& packet, OggOpus& out) {
  ASSERT_GE(packet.bytes, 19);
  ASSERT_EQ(std::memcmp(packet.packet, "OpusHead\x01", 9), 0);
  out.channels = packet.packet[9];
  out.pre_skip = packet.packet[10] | packet.packet[11] << 8;
}

inline void read_tags(const ogg_packet& packet) {
  ASSERT_GE(packet.bytes, 16);
  EXPECT_EQ(std::memcmp(packet.packet, "OpusTags", 8), 0);
}

inline void read_packet(const ogg_packet& packet, std::int64_t& position, OggOpus& out) {
  out.packets.emplace_back(packet.packet, packet.packet + packet.bytes);
  position +=
      opus_packet_get_nb_samples(packet.packet, static_cast<opus_int32>(packet.bytes), 48000);
  // RFC 7845 section 4: the granule position is the end of the packet, pre-skip included.
  EXPECT_TRUE(packet.granulepos < 0 || packet.granulepos == position) << position;
}

inline void read_page(ogg_stream_state& stream, ogg_page& page, OggOpus& out) {
  if (out.pages++ == 0) {
    ogg_stream_init(&stream, ogg_page_serialno(&page));
    EXPECT_NE(ogg_page_bos(&page), 0);
  }
  out.end_pages += ogg_page_eos(&page) != 0 ? 1 : 0;
  if (ogg_page_granulepos(&page) >= 0) out.granule = ogg_page_granulepos(&page);
  EXPECT_EQ(ogg_stream_pagein(&stream, &page), 0);
}

inline void decode(OggOpus& out) {
  int error = OPUS_OK;
  OpusDecoder* const decoder = opus_decoder_create(48000, 1, &error);
  std::vector<float> room(5760);
  for (const auto& packet : out.packets) {
    const int count = opus_decode_float(
        decoder, packet.data(), static_cast<opus_int32>(packet.size()), room.data(), 5760, 0);
    EXPECT_GT(count, 0);
    out.samples.insert(out.samples.end(), room.begin(), room.begin() + count);
  }
  opus_decoder_destroy(decoder);
  EXPECT_GE(out.samples.size(), static_cast<std::size_t>(out.pre_skip));
  out.samples.erase(out.samples.begin(), out.samples.begin() + out.pre_skip);
}

}  // namespace detail

/// Fails the test when anything is not as it should be: a hole, a bad checksum, bytes that belong
/// to no page, a granule position that is not the sum of the packets before it.
inline OggOpus read_ogg_opus(const std::string& path) {
  OggOpus out;
  const std::vector<char> bytes = read_bytes(path);
  ogg_sync_state sync{};
  ogg_sync_init(&sync);
  std::memcpy(
      ogg_sync_buffer(&sync, static_cast<long>(bytes.size()) + 1), bytes.data(), bytes.size());
  ogg_sync_wrote(&sync, static_cast<long>(bytes.size()));
  ogg_stream_state stream{};
  ogg_page page{};
  std::size_t used = 0;
  std::int64_t position = 0;
  int packets = 0;
  while (ogg_sync_pageseek(&sync, &page) > 0) {
    used += static_cast<std::size_t>(page.header_len + page.body_len);
    detail::read_page(stream, page, out);
    ogg_packet packet{};
    for (int got = 0; (got = ogg_stream_packetout(&stream, &packet)) != 0;) {
      EXPECT_EQ(got, 1) << "hole after packet " << packets;
      if (packets == 0) detail::read_head(packet, out);
      if (packets == 1) detail::read_tags(packet);
      if (packets++ >= 2) detail::read_packet(packet, position, out);
    }
  }
  EXPECT_EQ(used, bytes.size()) << "bytes outside of pages";
  EXPECT_GE(packets, 2) << "no headers";
  ogg_stream_clear(&stream);
  ogg_sync_clear(&sync);
  detail::decode(out);
  return out;
}

}  // namespace qylon::test
