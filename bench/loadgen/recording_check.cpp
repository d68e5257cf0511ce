#include "bench/loadgen/recording_check.hpp"

#include <algorithm>
#include <cstring>

#include <ogg/ogg.h>

namespace qylon::loadgen {
namespace {

constexpr std::size_t kHeaders = 2;

/// libogg's two states, which want to be cleared.
struct OggReader {
  OggReader() { ogg_sync_init(&sync); }
  ~OggReader() {
    ogg_stream_clear(&stream);
    ogg_sync_clear(&sync);
  }
  OggReader(const OggReader&) = delete;
  OggReader& operator=(const OggReader&) = delete;
  OggReader(OggReader&&) = delete;
  OggReader& operator=(OggReader&&) = delete;

  ogg_sync_state sync{};
  ogg_stream_state stream{};
};

Error broken(const std::string& what) {
  return {ErrorCode::kInvalidArgument, "the recording has " + what};
}

bool is_packet(const std::string& recorded, std::span<const std::uint8_t> sent) {
  return std::ranges::equal(
      recorded, sent, [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

}  // namespace

Result<std::vector<std::string>> read_ogg_packets(std::string_view file) {
  OggReader reader;
  char* const room = ogg_sync_buffer(&reader.sync, static_cast<long>(file.size()) + 1);
  std::memcpy(room, file.data(), file.size());
  ogg_sync_wrote(&reader.sync, static_cast<long>(file.size()));
  std::vector<std::string> packets;
  std::size_t used = 0;
  ogg_page page{};
  for (bool first = true; ogg_sync_pageseek(&reader.sync, &page) > 0; first = false) {
    used += static_cast<std::size_t>(page.header_len + page.body_len);
    if (first) ogg_stream_init(&reader.stream, ogg_page_serialno(&page));
    if (ogg_stream_pagein(&reader.stream, &page) != 0) return broken("a page of another stream");
    ogg_packet packet{};
    for (int got = 0; (got = ogg_stream_packetout(&reader.stream, &packet)) != 0;) {
      if (got < 0) return broken("a hole after packet " + std::to_string(packets.size()));
      const auto* const bytes = reinterpret_cast<const char*>(packet.packet);  // NOLINT: characters
      packets.emplace_back(bytes, static_cast<std::size_t>(packet.bytes));
    }
  }
  if (used != file.size()) return broken("a broken page at byte " + std::to_string(used));
  if (packets.size() < kHeaders) return broken("no headers");
  packets.erase(packets.begin(), packets.begin() + kHeaders);
  return packets;
}

Findings compare_recording(const std::string& name,
                           std::string_view file,
                           const SpeechLoop& speech,
                           std::uint64_t packets) {
  Findings findings;
  const auto recorded = read_ogg_packets(file);
  if (!recorded) {
    findings.add(name + ": " + recorded.error().message);
    return findings;
  }
  if (recorded->size() != packets) {
    findings.add(name + ": " + std::to_string(packets) + " packets sent, " +
                 std::to_string(recorded->size()) + " recorded");
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(recorded->size(), packets); ++i) {
    if (is_packet((*recorded)[i], speech.packet(i))) continue;
    findings.add(name + ": packet " + std::to_string(i) + " of the recording is not what was sent");
    break;  // What follows is most likely shifted.
  }
  return findings;
}

}  // namespace qylon::loadgen
