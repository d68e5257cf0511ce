#pragma once
/// The browser app, built from web/src and kept inside the program.

#include <optional>
#include <span>
#include <string_view>

#include "core/http.hpp"

namespace qylon::web {

struct Asset {
  std::string_view path;  ///< "/index.html", "/assets/meeting-3F2A.js": with a hash where it can.
  std::string_view content_type;
  std::string_view body;
  std::string_view etag;  ///< Quoted, as it goes into the header.
};

/// Everything the app consists of. Constant, lives as long as the program.
std::span<const Asset> assets();

/// The page or file at the request's path: "/" lists the meetings, "/m/{id}" shows one, "/assets/"
/// holds their parts, which caches may keep for ever because a changed part has another name.
/// Nothing when the path is none of these, so that the caller can look elsewhere, and has to see to
/// it that the method is GET or HEAD. The app holds no
/// data of anybody, so it needs no token; what it asks the server for does.
/// Threads: any.
std::optional<HttpResponse> serve_page(const HttpRequest& request);

}  // namespace qylon::web
