#include "bench/chaosproxy/delay_line.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace qylon::chaosproxy {
namespace {

void push(DelayLine& line, std::string_view text, const Weather& weather, std::int64_t now_us) {
  line.push({text.data(), text.size()}, weather, now_us);
}

/// Everything that leaves until `until_us`, and when the last of it left.
struct Drained {
  std::string text;
  std::int64_t last_us = 0;
};
Drained drain(DelayLine& line, const Weather& weather, std::int64_t until_us) {
  Drained drained;
  for (std::int64_t now_us = 0; now_us <= until_us; now_us += 100) {
    for (auto bytes = line.ready(weather, now_us); !bytes.empty();
         bytes = line.ready(weather, now_us)) {
      drained.text.append(bytes.data(), bytes.size());
      drained.last_us = now_us;
      line.pop(bytes.size(), weather, now_us);
    }
  }
  return drained;
}

TEST(DelayLine, FairWeatherPassesAtOnce) {
  DelayLine line(1);
  push(line, "abc", {}, 5);
  EXPECT_EQ(line.due_us(), 5);
  EXPECT_EQ(drain(line, {}, 100).text, "abc");
  EXPECT_TRUE(line.empty());
  EXPECT_EQ(line.due_us(), DelayLine::kNever);
}

TEST(DelayLine, LatencyHoldsEveryByteThatLong) {
  const Weather weather{.latency_ms = 50};
  DelayLine line(1);
  push(line, "abc", weather, 0);
  EXPECT_TRUE(line.ready(weather, 49'999).empty());
  EXPECT_EQ(line.ready(weather, 50'000).size(), 3U);
}

TEST(DelayLine, JitterKeepsTheOrderAndComesFromTheSeed) {
  const Weather weather{.latency_ms = 10, .jitter_ms = 40};
  std::vector<std::int64_t> dues[2];
  for (auto& due : dues) {
    DelayLine line(7);
    std::string sent;
    for (char c = 'a'; c <= 'z'; ++c) {
      push(line, std::string(1, c), weather, (c - 'a') * 1000);
      sent += c;
    }
    std::string got;
    while (!line.empty()) {
      due.push_back(line.due_us());
      const auto bytes = line.ready(weather, due.back());
      got.append(bytes.data(), bytes.size());
      line.pop(bytes.size(), weather, due.back());
    }
    EXPECT_EQ(got, sent);
    for (std::size_t i = 0; i < due.size(); ++i) {
      EXPECT_GE(due[i], static_cast<std::int64_t>(i) * 1000 + 10'000);
      EXPECT_LE(due[i], 25'000 + 50'000);
    }
  }
  EXPECT_EQ(dues[0], dues[1]);
}

TEST(DelayLine, ARateIsKept) {
  // 64 kbit/s are 8,000 bytes a second: 16,000 bytes take two, less the first packet's head start.
  const Weather weather{.rate_bps = 64'000};
  DelayLine line(1);
  push(line, std::string(16'000, 'x'), weather, 0);
  const Drained drained = drain(line, weather, 3'000'000);
  EXPECT_EQ(drained.text.size(), 16'000U);
  EXPECT_NEAR(static_cast<double>(drained.last_us), 2'000'000.0, 180'000.0);
}

TEST(DelayLine, HoldsNoMoreThanItsBound) {
  const Weather weather{.latency_ms = 1000};
  DelayLine line(1);
  push(line, std::string(line.room(), 'x'), weather, 0);
  EXPECT_EQ(line.room(), 0U);
  line.pop(100, weather, 1'000'000);
  EXPECT_EQ(line.room(), 100U);
  EXPECT_EQ(line.passed(), 100U);
}

TEST(Weather, IsReadFromWords) {
  const auto weather = parse_weather("latency=50 jitter=20  rate=64000 cut=100", {});
  ASSERT_TRUE(weather);
  EXPECT_EQ(*weather,
            (Weather{.latency_ms = 50, .jitter_ms = 20, .rate_bps = 64'000, .cut_after = 100}));
  EXPECT_EQ(*parse_weather("", *weather), *weather);
}

TEST(Weather, AWrongWordIsNamed) {
  for (const char* wrong : {"latency",
                            "latency=",
                            "latency=x",
                            "latency=-1",
                            "latency=600001",
                            "speed=3",
                            "=5",
                            "latency=5x"}) {
    const auto weather = parse_weather(std::string("rate=5 ") + wrong, {});
    ASSERT_FALSE(weather) << wrong;
    EXPECT_NE(weather.error().message.find(wrong), std::string::npos);
  }
}

}  // namespace
}  // namespace qylon::chaosproxy
