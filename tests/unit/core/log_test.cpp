#include "core/log.hpp"

#include <array>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/fake_clock.hpp"

namespace qylon {
namespace {

/// What `write` logs, read back through a pipe.
template <typename Write>
std::string logged(LogLevel threshold, Write write, LogFormat format = LogFormat::kLogfmt) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const test::FakeClock clock(1'763'722'800'123'456);
  write(Log(clock, threshold, ends[1], format));
  ::close(ends[1]);
  std::string text(8192, '\0');
  const auto bytes = ::read(ends[0], text.data(), text.size());
  text.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  ::close(ends[0]);
  return text;
}

TEST(Log, WritesOneLineOfTimeLevelEventAndFields) {
  EXPECT_EQ(logged(LogLevel::kInfo,
                   [](const Log& log) {
                     log.info("a.b", {{"port", "80"}});
                   }),
            "2025-11-21T11:00:00.123Z info a.b port=80\n");
}

TEST(Log, QuotesAndEscapesWhatAPeerMayHaveChosen) {
  EXPECT_EQ(logged(LogLevel::kInfo,
                   [](const Log& log) {
                     log.warn("x", {{"name", "a \"b\"\nlevel=error"}});
                   }),
            "2025-11-21T11:00:00.123Z warn x name=\"a \\\"b\\\"\\x0alevel=error\"\n");
}

TEST(Log, WritesJsonWhenAskedTo) {
  EXPECT_EQ(logged(
                LogLevel::kInfo,
                [](const Log& log) {
                  log.info("a.b", {{"name", "\"\n\\é"}, {"bad", "x\xff"}});
                },
                LogFormat::kJson),
            R"({"time":"2025-11-21T11:00:00.123Z","level":"info","event":"a.b",)"
            R"("name":"\"\u000a\\é","bad":"x?"})"
            "\n");
}

TEST(Log, KeepsQuietBelowItsThreshold) {
  EXPECT_EQ(logged(LogLevel::kWarn, [](const Log& log) { log.info("x"); }), "");
}

TEST(Log, CutsEndlessValues) {
  const std::string line = logged(LogLevel::kInfo, [](const Log& log) {
    log.info("x", {{"v", std::string(100'000, 'a')}});
  });
  EXPECT_LT(line.size(), 3000U);
}

TEST(FormatUtc, HandlesTheEpochAndLeapDays) {
  EXPECT_EQ(format_utc(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_utc(1'709'164'800'000'000), "2024-02-29T00:00:00.000Z");
}

}  // namespace
}  // namespace qylon
