#include "core/config.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <optional>

namespace qylon {
namespace {

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return std::nullopt;
}

std::string real_text(double value) {
  std::string text(32, '\0');
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  text.resize(static_cast<std::size_t>(end - text.data()));
  return text;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

std::string join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words)
    joined += (joined.empty() ? "" : ", ") + word;
  return joined;
}

std::string variable_name(std::string_view setting) {
  std::string name = "QYLON_";
  for (const char c : setting) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

}  // namespace

void SettingList::add(const SettingInfo& info, std::string& target) {
  settings_.push_back({info, target, "", false, [&target](std::string_view value) {
                         target = value;
                         return true;
                       }});
}

void SettingList::add(const SettingInfo& info, bool& target) {
  settings_.push_back(
      {info, target ? "true" : "false", "true or false", true, [&target](std::string_view value) {
         const auto parsed = parse_boolean(value);
         if (parsed) target = *parsed;
         return parsed.has_value();
       }});
}

void SettingList::add(const SettingInfo& info, std::int64_t& target, IntegerRange range) {
  settings_.push_back({info,
                       std::to_string(target),
                       std::to_string(range.min) + ".." + std::to_string(range.max),
                       false,
                       [&target, range](std::string_view value) {
                         const auto parsed = parse_integer(value);
                         if (!parsed || *parsed < range.min || *parsed > range.max) return false;
                         target = *parsed;
                         return true;
                       }});
}

void SettingList::add(const SettingInfo& info, double& target, double min, double max) {
  settings_.push_back({info,
                       real_text(target),
                       real_text(min) + ".." + real_text(max),
                       false,
                       [&target, min, max](std::string_view value) {
                         const auto parsed = parse_real(value);
                         if (!parsed || !(*parsed >= min && *parsed <= max)) return false;
                         target = *parsed;
                         return true;
                       }});
}

void SettingList::add(const SettingInfo& info,
                      std::string& target,
                      std::vector<std::string> choices) {
  const std::string range = "one of " + join(choices);
  settings_.push_back({info, target, range, false, [&target, choices](std::string_view value) {
                         if (std::find(choices.begin(), choices.end(), value) == choices.end())
                           return false;
                         target = value;
                         return true;
                       }});
}

const SettingList::Setting* SettingList::find(std::string_view name) const {
  const auto at = std::find_if(settings_.begin(), settings_.end(), [name](const Setting& setting) {
    return setting.info.name == name;
  });
  return at == settings_.end() ? nullptr : &*at;
}

Status SettingList::assign(const Setting& setting,
                           std::string_view value,
                           std::string_view source) const {
  if (setting.assign(value)) return ok();
  std::string message(source);
  message += ": " + std::string(setting.info.name) + " cannot be \"" + std::string(value) + "\"";
  if (!setting.range.empty()) message += "; it takes " + setting.range;
  if (!setting.info.unit.empty()) message += " " + std::string(setting.info.unit);
  return Error{ErrorCode::kInvalidArgument, message};
}

Status SettingList::assign_named(std::string_view name,
                                 std::string_view value,
                                 std::string_view source) const {
  const Setting* setting = find(name);
  if (setting == nullptr) {
    return Error{ErrorCode::kInvalidArgument,
                 std::string(source) + ": there is no setting named \"" + std::string(name) +
                     "\"; --help lists them"};
  }
  return assign(*setting, value, source);
}

Status SettingList::read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::kInvalidArgument, "cannot read the settings file " + path};
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string_view text = trim(line);
    if (text.empty() || text.front() == '#') continue;
    const std::string source = path + ":" + std::to_string(number);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) {
      return Error{ErrorCode::kInvalidArgument, source + ": expected `name = value`"};
    }
    Status status =
        assign_named(trim(text.substr(0, equals)), trim(text.substr(equals + 1)), source);
    if (!status) return status;
  }
  return ok();
}

Status SettingList::read_environment(const std::function<const char*(const char*)>& lookup) {
  for (const Setting& setting : settings_) {
    const std::string variable = variable_name(setting.info.name);
    const char* value = lookup(variable.c_str());
    if (value == nullptr) continue;
    Status status = assign(setting, value, variable);
    if (!status) return status;
  }
  return ok();
}

Result<std::vector<std::string>> SettingList::read_flags(const std::vector<std::string>& words) {
  std::vector<std::string> others;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "--") {
      others.insert(others.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (!word.starts_with("--")) {
      others.emplace_back(word);
      continue;
    }
    word.remove_prefix(2);
    const auto equals = word.find('=');
    std::string name(word.substr(0, equals));
    std::string value;
    const Setting* setting = find(name);
    if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else if (setting != nullptr && setting->is_boolean) {
      value = "true";
    } else if (name.starts_with("no-") && find(name.substr(3)) != nullptr &&
               find(name.substr(3))->is_boolean) {
      name = name.substr(3);
      value = "false";
    } else if (setting != nullptr && i + 1 < words.size()) {
      value = words[++i];
    } else if (setting != nullptr) {
      return Error{ErrorCode::kInvalidArgument, "--" + name + " needs a value"};
    }
    const Status status = assign_named(name, value, "--" + name);
    if (!status) return status.error();
  }
  return others;
}

std::string SettingList::help() const {
  std::string text;
  for (const Setting& setting : settings_) {
    text += "  --" + std::string(setting.info.name);
    if (!setting.is_boolean) text += " VALUE";
    text += "\n      " + std::string(setting.info.help);
    std::string facts;
    if (!setting.range.empty()) facts += setting.range;
    if (!setting.info.unit.empty()) facts += " " + std::string(setting.info.unit);
    if (!setting.default_value.empty()) {
      facts += (facts.empty() ? "default " : "; default ") + setting.default_value;
    }
    if (!facts.empty()) text += "\n      (" + facts + ")";
    text += "\n";
  }
  return text;
}

}  // namespace qylon
