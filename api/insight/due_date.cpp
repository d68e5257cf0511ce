#include "api/insight/due_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace qylon::api {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;
using std::chrono::year_month_day_last;
using Day = std::optional<year_month_day>;

constexpr std::array<std::string_view, 7>
    kWeekdays{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
constexpr std::array<std::string_view, 12> kMonths{"january",
                                                   "february",
                                                   "march",
                                                   "april",
                                                   "may",
                                                   "june",
                                                   "july",
                                                   "august",
                                                   "september",
                                                   "october",
                                                   "november",
                                                   "december"};
constexpr std::array<std::string_view, 13> kNumbers{"zero",
                                                    "one",
                                                    "two",
                                                    "three",
                                                    "four",
                                                    "five",
                                                    "six",
                                                    "seven",
                                                    "eight",
                                                    "nine",
                                                    "ten",
                                                    "eleven",
                                                    "twelve"};
constexpr int kFriday = 4;

template <std::size_t kSize>
std::optional<int> place_of(const std::array<std::string_view, kSize>& names,
                            std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

/// "5", "5th", "five", "a"; at most 999.
std::optional<int> number_of(std::string_view word) {
  if (word == "a" || word == "an") return 1;
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{}) return place_of(kNumbers, word);
  const std::string_view rest = word.substr(static_cast<std::size_t>(end - word.data()));
  const bool ordinal = rest == "st" || rest == "nd" || rest == "rd" || rest == "th";
  if ((!rest.empty() && !ordinal) || value < 0 || value > 999) return std::nullopt;
  return value;
}

/// Looks at the words from one place on.
class Reader {
 public:
  Reader(std::span<const SpokenWord> words, year_month_day said_on)
      : words_(words),
        said_on_(said_on),
        today_(sys_days(said_on)),
        monday_(today_ - days(static_cast<int>(std::chrono::weekday(today_).iso_encoding()) - 1)) {}

  Day read(std::size_t at) {
    at_ = at;
    for (const auto look : {&Reader::near, &Reader::week, &Reader::span, &Reader::calendar}) {
      if (const Day day = (this->*look)()) return day;
    }
    return std::nullopt;
  }

 private:
  std::string_view word(int ahead = 0) const {
    const auto at = static_cast<std::ptrdiff_t>(at_) + ahead;
    if (at < 0 || at >= static_cast<std::ptrdiff_t>(words_.size())) return {};
    return words_[static_cast<std::size_t>(at)].text;
  }
  Day near() const;
  Day week() const;
  Day span() const;
  Day calendar() const;
  Day next_date(int month, int day) const;
  Day last_of_month(int ahead) const {
    const auto month = said_on_.year() / said_on_.month() + months(ahead);
    return year_month_day(month / std::chrono::last);
  }

  const std::span<const SpokenWord> words_;
  const year_month_day said_on_;
  const sys_days today_;
  const sys_days monday_;  ///< Of the week of the meeting.
  std::size_t at_ = 0;
};

Day Reader::near() const {
  const bool end_of_day =
      word() == "end" && word(1) == "of" && (word(2) == "day" || word(3) == "day");
  if (word() == "today" || word() == "tonight" || word() == "eod" || end_of_day) return said_on_;
  if (word() == "tomorrow") return year_month_day(today_ + days(1));
  return std::nullopt;
}

Day Reader::week() const {
  const bool next = word(-1) == "next";
  if (const auto weekday = place_of(kWeekdays, word())) {
    if (next) return year_month_day(monday_ + days(7 + *weekday));
    const sys_days day = monday_ + days(*weekday);
    return year_month_day(day > today_ ? day : day + days(7));
  }
  const bool named = next || word(-1) == "this" || (word(-1) == "the" && word(-2) == "of");
  if (!named) return std::nullopt;
  if (word() == "month") return last_of_month(next ? 1 : 0);
  if (word() != "week") return std::nullopt;
  return year_month_day(std::max(today_, monday_ + days(next ? 7 + kFriday : kFriday)));
}

Day Reader::span() const {
  if (word() != "in" && word() != "within") return std::nullopt;
  const auto count = number_of(word(1));
  if (!count) return std::nullopt;
  const std::string_view unit = word(2);
  if (unit == "day" || unit == "days") return year_month_day(today_ + days(*count));
  if (unit == "week" || unit == "weeks") return year_month_day(today_ + days(7 * *count));
  if (unit != "month" && unit != "months") return std::nullopt;
  const year_month_day day = said_on_ + months(*count);
  return day.ok() ? day : year_month_day(day.year() / day.month() / std::chrono::last);
}

Day Reader::next_date(int month, int day) const {
  for (int ahead = 0; ahead < 5; ++ahead) {  // 29 February comes within four years, or eight.
    const year_month_day date{said_on_.year() + std::chrono::years(ahead),
                              std::chrono::month(static_cast<unsigned>(month + 1)),
                              std::chrono::day(static_cast<unsigned>(day))};
    if (date.ok() && sys_days(date) >= today_) return date;
  }
  return std::nullopt;
}

Day Reader::calendar() const {
  if (const auto month = place_of(kMonths, word())) {
    if (const auto day = number_of(word(1)); day && word(1) != "a") return next_date(*month, *day);
    if (word(-1) == "of") {
      if (const auto day = number_of(word(-2))) return next_date(*month, *day);
    }
    return std::nullopt;
  }
  const std::string_view text = word();
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&text](std::size_t begin, std::size_t size) {
    int value = 0;
    std::from_chars(text.data() + begin, text.data() + begin + size, value);
    return value;
  };
  const year_month_day date{std::chrono::year(number(0, 4)),
                            std::chrono::month(static_cast<unsigned>(number(5, 2))),
                            std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  return date.ok() ? Day(date) : std::nullopt;
}

}  // namespace

Day due_date(std::span<const SpokenWord> words, year_month_day said_on) {
  Reader reader(words, said_on);
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (const Day day = reader.read(at)) return day;
  }
  return std::nullopt;
}

std::string day_text(std::chrono::year_month_day day) {
  const auto digits = [](unsigned value, std::size_t width) {
    const std::string text = std::to_string(value);
    return std::string(width > text.size() ? width - text.size() : 0, '0') + text;
  };
  return digits(static_cast<unsigned>(static_cast<int>(day.year())), 4) + "-" +
         digits(static_cast<unsigned>(day.month()), 2) + "-" +
         digits(static_cast<unsigned>(day.day()), 2);
}

}  // namespace qylon::api
