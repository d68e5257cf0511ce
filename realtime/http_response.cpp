#include "realtime/http_response.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/problem_json.hpp"
#include "realtime/byte_range.hpp"

namespace qylon::realtime {
namespace {

using Header = std::pair<std::string_view, std::string_view>;

constexpr std::array<Header, 7> kDefaultHeaders{{
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
     "object-src 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
}};

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return (x | 0x20) == (y | 0x20);
  });
}

constexpr std::string_view kExposedHeaders =
    "Allow, Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Location, Retry-After, "
    "traceparent, X-Request-Id, X-Sb-Error-Code, X-Supabase-Api-Version";
constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

// A file that is written on has another size and another time.
std::string entity_tag(const struct stat& info) {
  return "\"" + std::to_string(info.st_ino) + "-" + std::to_string(info.st_size) + "-" +
         std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + "\"";
}

// Response splitting needs a line end; nothing we send legitimately has one.
bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < 0x20; });
}

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

void append_default(std::string& head, const HttpResponse& response, const Header& header) {
  for (const auto& [name, value] : response.headers) {
    if (same_ignoring_case(name, header.first)) return;
  }
  append_header(head, header.first, header.second);
}

}  // namespace

std::string render_response_head(const HttpResponse& response,
                                 std::uint64_t body_bytes,
                                 const ResponseOptions& options) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(reason_phrase(response.status)).append("\r\n");
  const bool has_no_body = response.status == 204 || response.status == 304;
  if (!has_no_body) {
    if (!response.content_type.empty() && is_clean(response.content_type))
      append_header(head, "Content-Type", response.content_type);
    append_header(head, "Content-Length", std::to_string(body_bytes));
  }
  append_header(head, "Connection", options.keep_alive ? "keep-alive" : "close");
  for (const Header& header : kDefaultHeaders)
    append_default(head, response, header);
  if (options.is_tls)
    append_default(head, response, {"Strict-Transport-Security", "max-age=31536000"});
  if (options.origin && is_clean(*options.origin)) {
    append_header(head, "Access-Control-Allow-Origin", *options.origin);
    append_header(head, "Access-Control-Expose-Headers", kExposedHeaders);
    append_header(head, "Vary", "Origin");
  }
  for (const auto& [name, value] : response.headers) {
    if (!name.empty() && is_clean(name) && is_clean(value)) append_header(head, name, value);
  }
  return head.append("\r\n");
}

HttpResponse make_problem(int status, std::string_view detail) {
  std::string_view code = "invalid_argument";
  if (status == 401) code = "unauthenticated";
  if (status == 403) code = "forbidden";
  if (status == 404) code = "not_found";
  if (status == 409) code = "conflict";
  if (status == 500) code = "internal";
  if (status == 503) code = "unavailable";
  HttpResponse response =
      problem_answer({.status = status, .code = std::string(code), .detail = std::string(detail)});
  if (status == 405) response.headers.emplace_back("Allow", kMethods);
  if (status == 426) response.headers.emplace_back("Sec-WebSocket-Version", "13");
  return response;
}

HttpResponse make_options_answer(const std::optional<std::string>& requested_headers) {
  HttpResponse response;
  response.status = 204;
  response.headers.emplace_back("Allow", kMethods);
  response.headers.emplace_back("Access-Control-Allow-Methods", kMethods);
  response.headers.emplace_back("Access-Control-Max-Age", "600");
  if (requested_headers)
    response.headers.emplace_back("Access-Control-Allow-Headers", *requested_headers);
  return response;
}

ResponseStream::ResponseStream(HttpResponse response, const ResponseOptions& options)
    : response_(std::move(response)) {
  if (!response_.file_path.empty()) open_file(options);
  if (file_ < 0) body_left_ = response_.body.size();
  head_ = render_response_head(response_, body_left_, options);
  const bool has_no_body = response_.status == 204 || response_.status == 304;
  if (options.head_only || has_no_body) body_left_ = 0;
}

ResponseStream::~ResponseStream() {
  if (file_ >= 0) ::close(file_);
}

void ResponseStream::open_file(const ResponseOptions& options) {
  file_ = ::open(response_.file_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info {};
  if (file_ >= 0 && ::fstat(file_, &info) == 0 && S_ISREG(info.st_mode)) {
    body_left_ = static_cast<std::uint64_t>(info.st_size);
    if (response_.status == 200) choose_part(options, entity_tag(info));
    return;
  }
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  response_ = make_problem(404, "the file is not there");
}

void ResponseStream::choose_part(const ResponseOptions& options, const std::string& tag) {
  response_.headers.emplace_back("Accept-Ranges", "bytes");
  response_.headers.emplace_back("ETag", tag);
  if (options.if_range && *options.if_range != tag) return;
  const std::uint64_t file_bytes = body_left_;
  const auto part = resolve_range(options.range, file_bytes);
  if (!part) return;
  if (part->count == 0) {
    ::close(file_);
    file_ = -1;
    response_ = make_problem(416, "the file has " + std::to_string(file_bytes) + " bytes");
  } else {
    response_.status = 206;
    body_at_ = part->first;
    body_left_ = part->count;
  }
  response_.headers.emplace_back("Content-Range", content_range(*part, file_bytes));
}

bool ResponseStream::append_file(std::string& piece, std::size_t bytes) {
  const std::size_t before = piece.size();
  piece.resize(before + bytes);
  const ssize_t got = ::pread(file_, piece.data() + before, bytes, static_cast<off_t>(body_at_));
  if (got <= 0) return false;
  piece.resize(before + static_cast<std::size_t>(got));
  body_at_ += static_cast<std::uint64_t>(got);
  body_left_ -= static_cast<std::uint64_t>(got);
  return true;
}

bool ResponseStream::next(std::string& piece) {
  piece = std::exchange(head_, {});
  const std::size_t room = kPieceBytes - std::min(kPieceBytes, piece.size());
  const std::size_t bytes = std::min<std::uint64_t>(body_left_, room);
  if (bytes == 0) return true;
  if (file_ >= 0) return append_file(piece, bytes);
  piece.append(response_.body, body_at_, bytes);
  body_at_ += bytes;
  body_left_ -= bytes;
  return true;
}

}  // namespace qylon::realtime
