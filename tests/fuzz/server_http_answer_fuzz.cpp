/// Any bytes in any pieces: the first byte is the size of a piece. Whole or in pieces, the verdict
/// and the body are the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/check.hpp"
#include "server/http_answer.hpp"

namespace {

std::optional<std::string> parse(std::string_view text, std::size_t piece) {
  qylon::server::HttpAnswerParser parser({.body_bytes_max = 4096});
  while (!text.empty()) {
    const std::size_t count = std::min(piece, text.size());
    if (!parser.feed(text.substr(0, count))) return std::nullopt;
    text.remove_prefix(count);
  }
  if (!parser.finish()) return std::nullopt;
  auto answer = parser.take();
  QYLON_CHECK(answer.status >= 200 && answer.status <= 599 && answer.body.size() <= 4096);
  return std::move(answer.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  QYLON_CHECK(parse(text, text.size()) == parse(text, data[0] % 64U + 1));
  return 0;
}
