#include "api/core/cron.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace qylon::api {
namespace {

constexpr std::array<std::string_view, 12>
    kMonths{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7>
    kWeekdays{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
// Leap years are eight years apart around 1900 and 2100.
constexpr std::int64_t kDaysMax = 8 * 366;
constexpr std::int64_t kDayS = 86'400;
constexpr std::int64_t kLastS = 253'402'300'799;  // 9999-12-31T23:59:59Z.
constexpr std::size_t kTextMax = 256;

struct Field {
  std::string_view name;
  int low;
  int high;
  std::span<const std::string_view> names;  // Of low, low + 1, ...
};
constexpr std::array<Field, 5> kFields{{{"minute", 0, 59, {}},
                                        {"hour", 0, 23, {}},
                                        {"day of the month", 1, 31, {}},
                                        {"month", 1, 12, kMonths},
                                        {"day of the week", 0, 7, kWeekdays}}};

bool same_letters(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if ((left[i] & ~0x20) != right[i]) return false;
  }
  return true;
}

std::optional<int> parse_number(std::string_view text) {
  if (text.empty() || text.front() == '-') return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> parse_value(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (same_letters(text, field.names[i])) return field.low + static_cast<int>(i);
  }
  const auto value = parse_number(text);
  if (!value || *value < field.low || *value > field.high) return std::nullopt;
  return value;
}

/// `a`, `a-b` or `*`, perhaps with `/step`. False when it is none of these.
bool add_item(const Field& field, std::string_view item, std::bitset<64>& bits) {
  const std::size_t slash = item.find('/');
  const std::string_view range = item.substr(0, slash);
  const bool stepped = slash != std::string_view::npos;
  const int step = stepped ? parse_number(item.substr(slash + 1)).value_or(0) : 1;
  std::optional<int> low = field.low;
  std::optional<int> high = field.high;
  if (range != "*") {
    const std::size_t dash = range.find('-');
    low = parse_value(field, range.substr(0, dash));
    if (dash != std::string_view::npos) {
      high = parse_value(field, range.substr(dash + 1));
    } else if (!stepped) {
      high = low;
    }
  }
  if (!low || !high || step < 1 || step > 59 || *low > *high) return false;
  for (int value = *low; value <= *high; value += step)
    bits.set(static_cast<std::size_t>(value));
  return true;
}

bool parse_field(const Field& field, std::string_view text, std::bitset<64>& bits) {
  while (true) {
    const std::size_t comma = text.find(',');
    if (!add_item(field, text.substr(0, comma), bits)) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::size_t size = std::min(text.find_first_of(" \t"), text.size());
    words.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  const auto words = text.size() <= kTextMax ? split_words(text) : std::vector<std::string_view>{};
  if (words.size() != kFields.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 "a schedule has five fields: minute, hour, day of the month, month, day of the "
                 "week; for example \"*/15 6-18 * * MON-FRI\""};
  }
  Cron cron;
  const std::array<Bits*, 5> all{
      &cron.minutes_, &cron.hours_, &cron.days_, &cron.months_, &cron.weekdays_};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (parse_field(kFields[i], words[i], *all[i])) continue;
    return Error{ErrorCode::kInvalidArgument,
                 "the " + std::string(kFields[i].name) + " of a schedule is *, a number from " +
                     std::to_string(kFields[i].low) + " to " + std::to_string(kFields[i].high) +
                     ", a range a-b, a step /n, or a list of these"};
  }
  if (cron.weekdays_[7]) cron.weekdays_.set(0);
  cron.either_day_ = words[2].front() != '*' && words[4].front() != '*';
  return cron;
}

bool Cron::day_matches(std::int64_t day_count) const {
  const std::chrono::sys_days day{std::chrono::days{day_count}};
  const std::chrono::year_month_day date{day};
  if (!months_[static_cast<unsigned>(date.month())]) return false;
  const bool by_date = days_[static_cast<unsigned>(date.day())];
  const bool by_weekday = weekdays_[std::chrono::weekday{day}.c_encoding()];
  return either_day_ ? by_date || by_weekday : by_date && by_weekday;
}

std::optional<std::int64_t> Cron::next_after(std::int64_t unix_s) const {
  if (unix_s < 0 || unix_s > kLastS - kDaysMax * kDayS) return std::nullopt;
  const std::int64_t first_minute = unix_s / 60 + 1;
  const std::int64_t first_day = first_minute / 1440;
  for (std::int64_t day = first_day; day <= first_day + kDaysMax; ++day) {
    if (!day_matches(day)) continue;
    for (std::int64_t minute = day == first_day ? first_minute % 1440 : 0; minute < 1440;
         ++minute) {
      if (hours_[static_cast<std::size_t>(minute / 60)] &&
          minutes_[static_cast<std::size_t>(minute % 60)])
        return (day * 1440 + minute) * 60;
    }
  }
  return std::nullopt;
}

}  // namespace qylon::api
