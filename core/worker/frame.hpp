#pragma once
/// Bytes between the server and its worker processes: length-prefixed frames on a stream socket.
/// Both ends are the same program on one machine, so numbers are in native order.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/result.hpp"

namespace qylon {

using FrameType = std::uint8_t;

/// What every role's frames have in common; a role numbers its own from kRoleFrame on.
struct ControlFrame {
  static constexpr FrameType kReady = 1;    ///< From a worker: up. From the zygote: it can fork.
  static constexpr FrameType kFailure = 2;  ///< From the zygote: cannot start, text says why.
  static constexpr FrameType kSpawn = 3;    ///< To the zygote: fork a worker onto the socket.
  static constexpr FrameType kKill = 4;     ///< To the zygote: end a worker at once.
  static constexpr FrameType kExited = 5;   ///< From the zygote: a worker ended; text says how.
};
inline constexpr FrameType kRoleFrame = 16;
inline constexpr FrameType kFrameTypeMax = 63;

struct Frame {
  FrameType type = 0;
  std::string payload;
};

/// Largest payload either side accepts [bytes]: a minute of audio is 1.9 MB.
inline constexpr std::size_t kFramePayloadMax = 4U << 20;

/// u32 payload bytes, u8 type, payload.
/// REQUIRES: payload.size() <= kFramePayloadMax.
void append_frame(std::string& out, FrameType type, std::string_view payload);

/// Takes bytes as they come, gives whole frames back. Threads: one at a time.
class FrameReader {
 public:
  /// Holds at most one incomplete frame of `payload_max` bytes.
  explicit FrameReader(std::size_t payload_max = kFramePayloadMax) : payload_max_(payload_max) {}

  void append(std::string_view bytes) { pending_.append(bytes); }
  /// The next whole frame; nothing when more bytes are needed.
  /// Errors: kInvalidArgument for an oversized frame or unknown type; the stream is then lost.
  Result<std::optional<Frame>> next();

 private:
  const std::size_t payload_max_;  // Constant after construction.
  std::string pending_;
  std::size_t consumed_ = 0;
};

/// Writes plain values one after another.
class PayloadWriter {
 public:
  template <typename T>
  void value(const T& value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view text) {
    value(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
  }
  void raw(std::string_view bytes) { bytes_.append(bytes); }
  const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads what PayloadWriter wrote; every read says whether the bytes were there.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  [[nodiscard]] bool value(T& out) {
    static_assert(std::is_arithmetic_v<T>);
    if (bytes_.size() < sizeof out) return false;
    std::memcpy(&out, bytes_.data(), sizeof out);
    bytes_.remove_prefix(sizeof out);
    return true;
  }
  [[nodiscard]] bool text(std::string& out, std::size_t size_max) {
    std::uint32_t size = 0;
    if (!value(size) || size > size_max || size > bytes_.size()) return false;
    out.assign(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return true;
  }
  bool at_end() const noexcept { return bytes_.empty(); }
  std::string_view rest() const noexcept { return bytes_; }
  /// REQUIRES: size <= rest().size().
  std::string_view take(std::size_t size) {
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view bytes_;
};

}  // namespace qylon
