#pragma once
/// Times that return, in the notation of crontab.

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.hpp"

namespace qylon::api {

/// Five fields in UTC: minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or
/// JAN-DEC), day of the week (0-7 or SUN-SAT; 0 and 7 are Sunday). A field is a list of `*`, `a`,
/// `a-b`, each perhaps with `/step`. When both days are restricted, either one is enough; a day
/// field that begins with `*` restricts nothing.
///
/// Threads: immutable.
/// Source : POSIX.1-2017, crontab; steps and names as in Vixie cron.
class Cron {
 public:
  /// Errors: kInvalidArgument that names the field and what it may hold.
  static Result<Cron> parse(std::string_view text);

  /// The first matching minute after `unix_s` (seconds since 1970), in the years up to 9999;
  /// nothing when there is none within eight years ("0 0 30 2 *").
  std::optional<std::int64_t> next_after(std::int64_t unix_s) const;

 private:
  using Bits = std::bitset<64>;
  bool day_matches(std::int64_t day_count) const;

  Bits minutes_, hours_, days_, months_, weekdays_;
  bool either_day_ = false;  // Both day fields are restricted.
};

}  // namespace qylon::api
