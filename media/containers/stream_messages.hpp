#pragma once
/// What the frames between the server and the processes that unpack streams carry.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/worker/frame.hpp"
#include "media/audio_format.hpp"
#include "media/containers/unpacker.hpp"

namespace qylon::media {

using StreamId = std::uint32_t;

struct StreamFrame {
  static constexpr FrameType kOpen = kRoleFrame;           ///< To the worker: OpenStream.
  static constexpr FrameType kPiece = kRoleFrame + 1;      ///< To the worker: StreamPiece.
  static constexpr FrameType kClose = kRoleFrame + 2;      ///< To the worker: a StreamId.
  static constexpr FrameType kFormat = kRoleFrame + 3;     ///< From a worker: StreamFormat.
  static constexpr FrameType kPackets = kRoleFrame + 4;    ///< From a worker: StreamPackets.
  static constexpr FrameType kPieceDone = kRoleFrame + 5;  ///< From a worker: PieceDone.
};

struct OpenStream {
  StreamId stream = 0;
  Unpacker::Start start;
};
struct StreamPiece {
  StreamId stream = 0;
  bool last = false;
  std::string_view bytes;
};
/// What is in a stream; before its first packets.
struct StreamFormat {
  StreamId stream = 0;
  AudioFormat packets;
};
struct StreamPackets {
  struct Packet {
    std::int64_t time_us = 0;
    std::string_view bytes;
  };
  StreamId stream = 0;
  std::vector<Packet> packets;
};
/// The answer to a piece, after its packets.
struct PieceDone {
  StreamId stream = 0;
  Codec codec = Codec::kAuto;  ///< Of the stream, once it is known.
  Unpacker::Restart restart;
  std::uint64_t units = 0;  ///< Found so far.
  std::string trouble;      ///< Not empty: why the stream cannot go on.
};

std::string encode_open(const OpenStream& open);
std::string encode_piece(const StreamPiece& piece);
std::string encode_stream(StreamId stream);
std::string encode_format(const StreamFormat& format);
std::string encode_done(const PieceDone& done);

/// Nothing for anything but the exact form: a worker may have been taken over. Views are into
/// `payload`.
std::optional<OpenStream> parse_open(std::string_view payload);
std::optional<StreamPiece> parse_piece(std::string_view payload);
std::optional<StreamId> parse_stream(std::string_view payload);
std::optional<StreamFormat> parse_format(std::string_view payload);
std::optional<StreamPackets> parse_packets(std::string_view payload);
std::optional<PieceDone> parse_done(std::string_view payload);

}  // namespace qylon::media
