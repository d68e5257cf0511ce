#include "realtime/source_request.hpp"

#include <algorithm>

#include "core/utf8.hpp"

namespace qylon::realtime {
namespace {

constexpr std::string_view kMethod = "SOURCE ";
constexpr std::size_t kHeadBytesMax = 8192;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Percent-decoded once; nothing for what is not whole, not UTF-8 or has control characters.
std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if ((c >= 0 && c < 0x20) || c == 0x7F) return std::nullopt;
    out.push_back(c);
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

bool take_target(std::string_view target, UploadHead& head) {
  const std::size_t question = target.find('?');
  const auto path = decode(target.substr(0, question));
  if (!path) return false;
  head.request.path = *path;
  std::string_view query = question == std::string_view::npos ? "" : target.substr(question + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const auto name = decode(pair.substr(0, pair.find('=')));
    const std::size_t equals = pair.find('=');
    const auto value = decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!name || !value) return false;
    head.query.emplace_back(*name, *value);
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
  }
  return true;
}

}  // namespace

bool SourceRequest::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && value.front() == ' ')
    value.remove_prefix(1);
  if (name == "host") head_.request.host = value;
  if (name == "origin") head_.request.origin = value;
  if (name == "authorization") head_.request.authorization = value;
  if (name == "content-type") head_.content_type = value;
  return true;
}

bool SourceRequest::parse(std::string_view lines) {
  std::size_t end = lines.find("\r\n");
  const std::string_view first = lines.substr(kMethod.size(), end - kMethod.size());
  const std::size_t space = first.find(' ');
  if (space == std::string_view::npos || !take_target(first.substr(0, space), head_)) return false;
  for (lines.remove_prefix(end + 2); lines != "\r\n"; lines.remove_prefix(end + 2)) {
    end = lines.find("\r\n");
    if (!take_field(lines.substr(0, end))) return false;
  }
  head_.request.method = "SOURCE";
  return true;
}

SourceRequest::State SourceRequest::feed(std::string_view bytes) {
  text_.append(bytes);
  const std::size_t known = std::min(text_.size(), kMethod.size());
  if (text_.compare(0, known, kMethod, 0, known) != 0) return State::kOther;
  const std::size_t end = text_.find("\r\n\r\n");
  if (end == std::string::npos) return text_.size() > kHeadBytesMax ? State::kOther : State::kMore;
  head_bytes_ = end + 4;
  return parse(std::string_view(text_).substr(0, head_bytes_)) ? State::kWhole : State::kOther;
}

}  // namespace qylon::realtime
