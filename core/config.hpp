#pragma once
/// Settings declared once, with default, unit, range and help, and read from a file, then the
/// environment, then flags; the later source wins. A wrong value is an error that names it.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon {

struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

/// What is told about one setting. `name` in kebab-case is the flag (--net-threads), the file key
/// (net-threads = 2) and, in upper snake case after QYLON_, the variable (QYLON_NET_THREADS).
struct SettingInfo {
  std::string_view name;
  std::string_view unit;  ///< "ms", "bytes", ... or empty.
  std::string_view help;  ///< One sentence for people.
};

/// The declared list. Targets must outlive it; a target's value at declaration is the default.
/// Threads: one, at start.
class SettingList {
 public:
  void add(const SettingInfo& info, std::string& target);
  void add(const SettingInfo& info, bool& target);
  void add(const SettingInfo& info, std::int64_t& target, IntegerRange range);
  void add(const SettingInfo& info, double& target, double min, double max);
  /// One of `choices`.
  void add(const SettingInfo& info, std::string& target, std::vector<std::string> choices);

  /// Lines `name = value`; blank lines and lines that begin with # are skipped.
  /// Errors: kInvalidArgument naming path, line and what would be right.
  Status read_file(const std::string& path);
  /// QYLON_<NAME> for every setting. `lookup` returns nullptr for a variable that is not set.
  Status read_environment(const std::function<const char*(const char*)>& lookup);
  /// `--name value`, `--name=value`, `--flag` for booleans (`--no-flag` sets false). Other words
  /// are returned in order. `--` ends the flags.
  Result<std::vector<std::string>> read_flags(const std::vector<std::string>& words);

  /// One indented paragraph per setting: flag, unit, default, range, help.
  std::string help() const;

 private:
  struct Setting {
    SettingInfo info;
    std::string default_value;
    std::string range;  // For people: "1..64", "one of a, b".
    bool is_boolean;
    std::function<bool(std::string_view)> assign;  // False when the value is not acceptable.
  };
  const Setting* find(std::string_view name) const;
  Status assign(const Setting& setting, std::string_view value, std::string_view source) const;
  Status assign_named(std::string_view name, std::string_view value, std::string_view source) const;

  std::vector<Setting> settings_;
};

}  // namespace qylon
