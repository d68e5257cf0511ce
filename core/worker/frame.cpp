#include "core/worker/frame.hpp"

namespace qylon {
namespace {

constexpr std::size_t kHeaderBytes = sizeof(std::uint32_t) + 1;

bool is_known(FrameType type) {
  return type >= ControlFrame::kReady && type <= kFrameTypeMax;
}

}  // namespace

void append_frame(std::string& out, FrameType type, std::string_view payload) {
  QYLON_CHECK(payload.size() <= kFramePayloadMax);
  const auto size = static_cast<std::uint32_t>(payload.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += static_cast<char>(type);
  out.append(payload);
}

Result<std::optional<Frame>> FrameReader::next() {
  const std::string_view left = std::string_view(pending_).substr(consumed_);
  if (left.size() < kHeaderBytes) {
    pending_.erase(0, consumed_);
    consumed_ = 0;
    return std::optional<Frame>();
  }
  std::uint32_t size = 0;
  std::memcpy(&size, left.data(), sizeof size);
  const auto type = static_cast<std::uint8_t>(left[sizeof size]);
  if (size > payload_max_ || !is_known(type)) {
    return Error{ErrorCode::kInvalidArgument,
                 "frame of type " + std::to_string(type) + " and " + std::to_string(size) +
                     " bytes; the limit is " + std::to_string(payload_max_)};
  }
  if (left.size() < kHeaderBytes + size) return std::optional<Frame>();
  consumed_ += kHeaderBytes + size;
  return std::optional<Frame>(Frame{type, std::string(left.substr(kHeaderBytes, size))});
}

}  // namespace qylon
