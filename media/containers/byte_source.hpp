#pragma once

#include <cstdint>
#include <span>

#include "core/result.hpp"

namespace qylon::media {

/// Reads one kind of stream from its bytes and hands what is in it to a PacketOutput.
/// Threads : one thread at a time; it starts none.
class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) = delete;
  ByteSource& operator=(ByteSource&&) = delete;

  /// Takes the next bytes, cut anywhere.
  /// Errors: kInvalidArgument: they are not what the stream should be, or carry no sound that is
  /// taken.
  virtual Status push(std::span<const std::uint8_t> bytes) = 0;
  /// Nothing follows: hands over what is still inside.
  virtual void finish() = 0;
};

}  // namespace qylon::media
