#include "api/core/trace_context.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/random.h>

#include "core/check.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kLength = 55;
constexpr std::size_t kTraceAt = 3;
constexpr std::size_t kTraceLength = 32;
constexpr std::size_t kSpanAt = 36;
constexpr std::size_t kSpanLength = 16;
constexpr std::size_t kFlagsAt = 53;

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

bool is_usable(std::string_view received) {
  if (received.size() < kLength || received.substr(0, 2) == "ff") return false;
  // A later version may say more after another dash.
  const bool ends_there = received.size() == kLength;
  if (!ends_there && (received.substr(0, 2) == "00" || received[kLength] != '-')) return false;
  for (const std::size_t dash : {kTraceAt - 1, kSpanAt - 1, kFlagsAt - 1}) {
    if (received[dash] != '-') return false;
  }
  const std::string_view trace = received.substr(kTraceAt, kTraceLength);
  const std::string_view span = received.substr(kSpanAt, kSpanLength);
  return is_hex(received.substr(0, 2)) && is_hex(trace) && is_hex(span) && !is_zero(trace) &&
         !is_zero(span) && is_hex(received.substr(kFlagsAt, 2));
}

/// REQUIRES: at most 24 bytes, which is a trace and a span.
std::string random_hex(std::size_t bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<std::uint8_t, (kTraceLength + kSpanLength) / 2> drawn{};
  QYLON_CHECK(::getrandom(drawn.data(), bytes, 0) == static_cast<ssize_t>(bytes));
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i)
    (text += kHex[drawn[i] >> 4]) += kHex[drawn[i] & 15];
  return text;
}

/// Of the flags only "sampled" is known here.
std::string_view flags_of(std::string_view received) {
  const char low = received[kFlagsAt + 1];
  const int value = low <= '9' ? low - '0' : low - 'a' + 10;
  return value % 2 == 1 ? "01" : "00";
}

}  // namespace

std::string continue_trace(std::string_view received) {
  const bool goes_on = is_usable(received);
  const std::string drawn = random_hex((goes_on ? kSpanLength : kTraceLength + kSpanLength) / 2);
  const std::string_view span = std::string_view(drawn).substr(drawn.size() - kSpanLength);
  const std::string_view trace = goes_on ? received.substr(kTraceAt, kTraceLength)
                                         : std::string_view(drawn).substr(0, kTraceLength);
  std::string text = "00-";
  text.append(trace).append("-").append(span).append("-");
  return text.append(goes_on ? flags_of(received) : "01");
}

}  // namespace qylon::api
