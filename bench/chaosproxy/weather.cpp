#include "bench/chaosproxy/weather.hpp"

#include <array>
#include <charconv>
#include <string>

namespace qylon::chaosproxy {
namespace {

struct Word {
  std::string_view name;
  std::int64_t Weather::*field;
  std::int64_t max;
};
constexpr std::array<Word, 4> kWords{{{"latency", &Weather::latency_ms, 600'000},
                                      {"jitter", &Weather::jitter_ms, 600'000},
                                      {"rate", &Weather::rate_bps, 100'000'000'000},
                                      {"cut", &Weather::cut_after, 1'000'000'000'000}}};

/// False when `word` is not NAME=NUMBER in range.
bool assign(std::string_view word, Weather& weather) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return false;
  for (const Word& known : kWords) {
    if (word.substr(0, equals) != known.name) continue;
    std::int64_t value = -1;
    const char* const end = word.data() + word.size();
    const auto parsed = std::from_chars(word.data() + equals + 1, end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end || value < 0 || value > known.max)
      return false;
    weather.*known.field = value;
    return true;
  }
  return false;
}

}  // namespace

Result<Weather> parse_weather(std::string_view text, const Weather& base) {
  Weather weather = base;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (!word.empty() && !assign(word, weather)) {
      return Error{ErrorCode::kInvalidArgument,
                   "\"" + std::string(word) +
                       "\" is no weather; it is latency=MS, jitter=MS, rate=BITS or cut=BYTES"};
    }
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return weather;
}

}  // namespace qylon::chaosproxy
