#include <algorithm>
#include <string>

#include "web/assets.hpp"

namespace qylon::web {
namespace {

/// Which asset a path asks for.
std::string_view asset_path(std::string_view path) {
  constexpr std::string_view kMeeting = "/m/";
  if (path == "/") return "/index.html";
  const bool is_meeting = path.size() > kMeeting.size() && path.starts_with(kMeeting) &&
                          path.find('/', kMeeting.size()) == std::string_view::npos;
  if (is_meeting) return "/meeting.html";
  return path.starts_with("/assets/") ? path : std::string_view();
}

}  // namespace

std::optional<HttpResponse> serve_page(const HttpRequest& request) {
  const std::string_view wanted = asset_path(request.path);
  const auto all = assets();
  const auto found = std::find_if(
      all.begin(), all.end(), [wanted](const Asset& asset) { return asset.path == wanted; });
  if (found == all.end()) return std::nullopt;
  HttpResponse response;
  response.content_type = found->content_type;
  response.body = found->body;
  const bool is_hashed = wanted.starts_with("/assets/");
  response.headers.emplace_back("Cache-Control",
                                is_hashed ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.emplace_back("ETag", found->etag);
  return response;
}

}  // namespace qylon::web
