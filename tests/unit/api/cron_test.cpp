// Expected times follow from the calendar and from crontab(5) of Vixie cron.

#include "api/core/cron.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

std::int64_t at(std::chrono::year_month_day day, int hour = 0, int minute = 0, int second = 0) {
  const std::chrono::sys_days days{day};
  return days.time_since_epoch().count() * 86'400LL + hour * 3600 + minute * 60 + second;
}
std::chrono::year_month_day day(int year, unsigned month, unsigned number) {
  return {std::chrono::year(year), std::chrono::month(month), std::chrono::day(number)};
}

std::optional<std::int64_t> next(std::string_view text, std::int64_t after) {
  const auto cron = Cron::parse(text);
  EXPECT_TRUE(cron) << text;
  return cron ? cron->next_after(after) : std::nullopt;
}

TEST(Cron, ComesAtTheNextMatchingMinuteAndNeverNow) {
  const auto today = day(2026, 11, 21);
  EXPECT_EQ(next("*/15 * * * *", at(today, 11, 7, 30)), at(today, 11, 15));
  EXPECT_EQ(next("*/15 * * * *", at(today, 11, 15)), at(today, 11, 30));
  EXPECT_EQ(next("5 * * * *", at(today, 11, 5, 59)), at(today, 12, 5));
  EXPECT_EQ(next("0 0 * * *", at(today, 23, 59)), at(day(2026, 11, 22)));
  EXPECT_EQ(next("59 23 31 12 *", at(today)), at(day(2026, 12, 31), 23, 59));
}

TEST(Cron, TakesListsRangesStepsAndNames) {
  const auto saturday = day(2026, 11, 21);
  EXPECT_EQ(next("0 6-8,22 * * *", at(saturday, 8)), at(saturday, 22));
  EXPECT_EQ(next("10-40/20 * * * *", at(saturday, 1, 10)), at(saturday, 1, 30));
  EXPECT_EQ(next("50/5 * * * *", at(saturday, 1, 50)), at(saturday, 1, 55));
  EXPECT_EQ(next("0 9 * * mon-FRI", at(saturday)), at(day(2026, 11, 23), 9));
  EXPECT_EQ(next("0 0 1 JAN,Jul *", at(saturday)), at(day(2027, 1, 1)));
}

TEST(Cron, KnowsSundayAsZeroAndSeven) {
  for (const char* text : {"0 12 * * 0", "0 12 * * 7", "0 12 * * SUN", "0 12 * * 7,7"})
    EXPECT_EQ(next(text, at(day(2026, 11, 21))), at(day(2026, 11, 22), 12)) << text;
}

TEST(Cron, TakesEitherDayWhenBothAreRestricted) {
  // Friday 20 November comes before Sunday 13 December.
  EXPECT_EQ(next("0 0 13 * FRI", at(day(2026, 11, 14))), at(day(2026, 11, 20)));
  EXPECT_EQ(next("0 0 13 * *", at(day(2026, 11, 14))), at(day(2026, 12, 13)));
  EXPECT_EQ(next("0 0 * * FRI", at(day(2026, 11, 14))), at(day(2026, 11, 20)));
}

TEST(Cron, FindsLeapDaysAlsoAcrossACenturyWithout) {
  EXPECT_EQ(next("0 0 29 2 *", at(day(2026, 3, 1))), at(day(2028, 2, 29)));
  EXPECT_EQ(next("0 0 29 2 *", at(day(2096, 3, 1))), at(day(2104, 2, 29)));
}

TEST(Cron, SaysWhenItNeverComes) {
  EXPECT_EQ(next("0 0 30 2 *", at(day(2026, 3, 1))), std::nullopt);
}

TEST(Cron, RefusesWhatItCannotReadAndNamesTheField) {
  const std::pair<const char*, const char*> wrong[] = {{"60 * * * *", "minute"},
                                                       {"* 24 * * *", "hour"},
                                                       {"* * 0 * *", "day of the month"},
                                                       {"* * * 13 *", "month"},
                                                       {"* * * * 8", "day of the week"},
                                                       {"*/0 * * * *", "minute"},
                                                       {"*/ * * * *", "minute"},
                                                       {"5-1 * * * *", "minute"},
                                                       {"1,,2 * * * *", "minute"},
                                                       {"-1 * * * *", "minute"},
                                                       {"+1 * * * *", "minute"},
                                                       {"* * * * L", "day of the week"},
                                                       {"* * * *", "five fields"},
                                                       {"* * * * * *", "five fields"},
                                                       {"", "five fields"}};
  for (const auto& [text, named] : wrong) {
    const auto cron = Cron::parse(text);
    ASSERT_FALSE(cron) << text;
    EXPECT_NE(cron.error().message.find(named), std::string::npos) << cron.error().message;
  }
}

}  // namespace
}  // namespace qylon::api
