#include "realtime/frame.hpp"

#include <cstddef>
#include <utility>

namespace qylon::realtime {
namespace {

constexpr unsigned kFinalText = 0x81;
constexpr unsigned kFinalClose = 0x88;
constexpr unsigned kFinalPing = 0x89;

void append_byte(std::string& out, std::size_t value) {
  out.push_back(static_cast<char>(static_cast<unsigned char>(value & 0xFF)));
}

void append_length(std::string& out, std::size_t length) {
  if (length < 126) {
    append_byte(out, length);
    return;
  }
  const int bytes = length < 65'536 ? 2 : 8;
  append_byte(out, bytes == 2 ? 126 : 127);
  for (int i = bytes - 1; i >= 0; --i)
    append_byte(out, length >> (8 * i));
}

}  // namespace

Frame make_text_frame(std::string_view payload) {
  std::string bytes;
  bytes.reserve(payload.size() + 10);
  append_byte(bytes, kFinalText);
  append_length(bytes, payload.size());
  bytes.append(payload);
  return std::make_shared<const std::string>(std::move(bytes));
}

Frame make_ping_frame() {
  std::string bytes;
  append_byte(bytes, kFinalPing);
  append_byte(bytes, 1);
  bytes += 'q';
  return std::make_shared<const std::string>(std::move(bytes));
}

Frame make_close_frame(int code) {
  std::string bytes;
  append_byte(bytes, kFinalClose);
  append_byte(bytes, 2);
  append_byte(bytes, static_cast<std::size_t>(code) >> 8);
  append_byte(bytes, static_cast<std::size_t>(code));
  return std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace qylon::realtime
