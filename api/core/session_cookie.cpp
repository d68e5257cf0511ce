#include "api/core/session_cookie.hpp"

#include <algorithm>

namespace qylon::api {
namespace {

constexpr std::string_view kName = "__Host-qylon";

}  // namespace

std::string_view session_cookie(std::string_view header) noexcept {
  while (!header.empty()) {
    std::string_view pair = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(header.size(), pair.size() + 1));
    pair.remove_prefix(std::min(pair.size(), pair.find_first_not_of(" \t")));
    if (pair.starts_with(kName) && pair.substr(kName.size()).starts_with('='))
      return pair.substr(kName.size() + 1);
  }
  return {};
}

std::string set_session_cookie(std::string_view token, std::int64_t seconds) {
  std::string cookie(kName);
  cookie.append("=").append(token).append("; Path=/; Max-Age=");
  cookie.append(std::to_string(token.empty() ? 0 : seconds));
  return cookie.append("; Secure; HttpOnly; SameSite=Strict");
}

}  // namespace qylon::api
