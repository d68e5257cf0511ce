#include "media/containers/stream_messages.hpp"

#include "media/uplink_frame.hpp"

namespace qylon::media {
namespace {

constexpr std::size_t kTroubleBytesMax = 1000;

void write_format(PayloadWriter& writer, const AudioFormat& format) {
  writer.value(static_cast<std::uint8_t>(format.codec));
  writer.value(std::int32_t{format.sample_rate_hz});
  writer.value(std::int32_t{format.channels});
}

bool read_codec(PayloadReader& reader, Codec& codec) {
  std::uint8_t number = 0;
  if (!reader.value(number) || number > static_cast<std::uint8_t>(Codec::kG722)) return false;
  codec = static_cast<Codec>(number);
  return true;
}

bool read_format(PayloadReader& reader, AudioFormat& format) {
  return read_codec(reader, format.codec) && reader.value(format.sample_rate_hz) &&
         reader.value(format.channels);
}

void write_restart(PayloadWriter& writer, const Unpacker::Restart& restart) {
  writer.value(restart.header_bytes);
  writer.value(restart.offset);
  writer.value(restart.cluster_time);
  writer.value(restart.units);
  writer.value(restart.time_us);
}

bool read_restart(PayloadReader& reader, Unpacker::Restart& restart) {
  return reader.value(restart.header_bytes) && reader.value(restart.offset) &&
         reader.value(restart.cluster_time) && reader.value(restart.units) &&
         reader.value(restart.time_us) && restart.time_us >= 0;
}

}  // namespace

std::string encode_open(const OpenStream& open) {
  PayloadWriter writer;
  writer.value(open.stream);
  write_format(writer, open.start.stream);
  writer.value(open.start.offset);
  writer.value(open.start.cluster_time);
  writer.value(open.start.resume.time_us);
  writer.value(open.start.resume.skip_units);
  return writer.bytes() + std::string(open.start.header.begin(), open.start.header.end());
}

std::optional<OpenStream> parse_open(std::string_view payload) {
  PayloadReader reader(payload);
  OpenStream open;
  Unpacker::Start& start = open.start;
  if (!reader.value(open.stream) || !read_format(reader, start.stream) ||
      !reader.value(start.offset) || !reader.value(start.cluster_time) ||
      !reader.value(start.resume.time_us) || !reader.value(start.resume.skip_units))
    return std::nullopt;
  start.header.assign(reader.rest().begin(), reader.rest().end());
  return open;
}

std::string encode_piece(const StreamPiece& piece) {
  PayloadWriter writer;
  writer.value(piece.stream);
  writer.value(static_cast<std::uint8_t>(piece.last));
  return writer.bytes() + std::string(piece.bytes);
}

std::optional<StreamPiece> parse_piece(std::string_view payload) {
  PayloadReader reader(payload);
  StreamPiece piece;
  std::uint8_t last = 0;
  if (!reader.value(piece.stream) || !reader.value(last)) return std::nullopt;
  piece.last = last != 0;
  piece.bytes = reader.rest();
  return piece;
}

std::string encode_stream(StreamId stream) {
  PayloadWriter writer;
  writer.value(stream);
  return writer.bytes();
}

std::optional<StreamId> parse_stream(std::string_view payload) {
  PayloadReader reader(payload);
  StreamId stream = 0;
  if (!reader.value(stream) || !reader.at_end()) return std::nullopt;
  return stream;
}

std::string encode_format(const StreamFormat& format) {
  PayloadWriter writer;
  writer.value(format.stream);
  write_format(writer, format.packets);
  return writer.bytes();
}

std::optional<StreamFormat> parse_format(std::string_view payload) {
  PayloadReader reader(payload);
  StreamFormat format;
  if (!reader.value(format.stream) || !read_format(reader, format.packets) || !reader.at_end())
    return std::nullopt;
  const AudioFormat& packets = format.packets;
  if (is_stream(packets.codec)) return std::nullopt;
  const auto sane =
      make_audio_format(codec_name(packets.codec), packets.sample_rate_hz, packets.channels);
  if (!sane) return std::nullopt;
  return format;
}

std::optional<StreamPackets> parse_packets(std::string_view payload) {
  PayloadReader reader(payload);
  StreamPackets found;
  if (!reader.value(found.stream)) return std::nullopt;
  while (!reader.at_end()) {
    StreamPackets::Packet packet;
    std::uint32_t size = 0;
    if (!reader.value(packet.time_us) || !reader.value(size) || packet.time_us < 0 ||
        size > kUplinkPayloadBytesMax || size > reader.rest().size())
      return std::nullopt;
    packet.bytes = reader.take(size);
    found.packets.push_back(packet);
  }
  return found;
}

std::string encode_done(const PieceDone& done) {
  PayloadWriter writer;
  writer.value(done.stream);
  writer.value(static_cast<std::uint8_t>(done.codec));
  write_restart(writer, done.restart);
  writer.value(done.units);
  writer.text(std::string_view(done.trouble).substr(0, kTroubleBytesMax));
  return writer.bytes();
}

std::optional<PieceDone> parse_done(std::string_view payload) {
  PayloadReader reader(payload);
  PieceDone done;
  if (!reader.value(done.stream) || !read_codec(reader, done.codec) ||
      !read_restart(reader, done.restart) || !reader.value(done.units) ||
      !reader.text(done.trouble, kTroubleBytesMax) || !reader.at_end())
    return std::nullopt;
  if (!is_stream(done.codec)) return std::nullopt;
  return done;
}

}  // namespace qylon::media
