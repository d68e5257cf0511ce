#include "realtime/lws_request.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <libwebsockets.h>
#include <strings.h>

#include "core/utf8.hpp"

namespace qylon::realtime {
namespace {

constexpr std::array<std::pair<lws_token_indexes, std::string_view>, 7> kMethods{{
    {WSI_TOKEN_GET_URI, "GET"},
    {WSI_TOKEN_POST_URI, "POST"},
    {WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
    {WSI_TOKEN_PUT_URI, "PUT"},
    {WSI_TOKEN_PATCH_URI, "PATCH"},
    {WSI_TOKEN_DELETE_URI, "DELETE"},
    {WSI_TOKEN_HEAD_URI, "HEAD"},
}};

std::optional<std::string> header(lws* wsi, lws_token_indexes token) {
  const int length = lws_hdr_total_length(wsi, token);
  if (length <= 0) return std::nullopt;
  // lws_hdr_copy wants room for a terminating zero.
  std::string value(static_cast<std::size_t>(length) + 1, '\0');
  const int copied = lws_hdr_copy(wsi, value.data(), length + 1, token);
  if (copied < 0) return std::nullopt;
  value.resize(static_cast<std::size_t>(length));
  return value;
}

// The known ones are found by number, the others by name.
struct PassedHeader {
  std::string_view name;
  lws_token_indexes token;
};
constexpr std::array<PassedHeader, 8> kKnownHeaders{{
    {"accept", WSI_TOKEN_HTTP_ACCEPT},
    {"cookie", WSI_TOKEN_HTTP_COOKIE},
    {"host", WSI_TOKEN_HOST},
    {"if-match", WSI_TOKEN_HTTP_IF_MATCH},
    {"if-none-match", WSI_TOKEN_HTTP_IF_NONE_MATCH},
    {"origin", WSI_TOKEN_ORIGIN},
    {"range", WSI_TOKEN_HTTP_RANGE},
    {"user-agent", WSI_TOKEN_HTTP_USER_AGENT},
}};

std::optional<std::string> custom_header(lws* wsi, std::string_view name) {
  const std::string with_colon = std::string(name) + ":";
  const int name_length = static_cast<int>(with_colon.size());
  const int length = lws_hdr_custom_length(wsi, with_colon.c_str(), name_length);
  if (length < 0) return std::nullopt;
  std::string value(static_cast<std::size_t>(length) + 1, '\0');
  if (lws_hdr_custom_copy(wsi, value.data(), length + 1, with_colon.c_str(), name_length) < 0)
    return std::nullopt;
  value.resize(static_cast<std::size_t>(length));
  value.erase(0, std::min(value.find_first_not_of(" \t"), value.size()));
  value.erase(value.find_last_not_of(" \t") + 1);
  return value;
}

std::optional<std::string> header_named(lws* wsi, std::string_view name) {
  const auto* const known =
      std::find_if(kKnownHeaders.begin(), kKnownHeaders.end(), [name](const PassedHeader& header) {
        return header.name == name;
      });
  return known == kKnownHeaders.end() ? custom_header(wsi, name) : header(wsi, known->token);
}

bool is_repeated(lws* wsi, lws_token_indexes token) {
  return lws_hdr_fragment_length(wsi, token, 1) > 0;
}

// Names and values, decoded, in order; only what is valid UTF-8 without NUL.
std::vector<std::pair<std::string, std::string>> read_query(lws* wsi) {
  std::vector<std::pair<std::string, std::string>> query;
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) <= 0) return query;
  std::array<char, 8192> part{};  // The header space as a whole has no more.
  for (int i = 0;; ++i) {
    const int length = lws_hdr_copy_fragment(
        wsi, part.data(), static_cast<int>(part.size()), WSI_TOKEN_HTTP_URI_ARGS, i);
    if (length < 0) return query;
    const std::string_view pair(part.data(), static_cast<std::size_t>(length));
    if (pair.empty() || !is_utf8(pair) || pair.find('\0') != std::string_view::npos) continue;
    const std::size_t equals = pair.find('=');
    const bool has_value = equals != std::string_view::npos;
    query.emplace_back(pair.substr(0, equals), has_value ? pair.substr(equals + 1) : "");
  }
}

std::string read_content_type(lws* wsi) {
  return header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE).value_or("");
}

}  // namespace

RequestHead read_request_head(lws* wsi) {
  RequestHead head;
  for (const auto& [token, name] : kMethods) {
    if (lws_hdr_total_length(wsi, token) <= 0) continue;
    head.method = name;
    head.path = header(wsi, token).value_or("");
  }
  head.is_http_1_1 = header(wsi, WSI_TOKEN_HTTP).value_or("") == "HTTP/1.1";
  for (const auto token :
       {WSI_TOKEN_HOST, WSI_TOKEN_HTTP_CONTENT_LENGTH, WSI_TOKEN_HTTP_TRANSFER_ENCODING})
    head.repeated = head.repeated || is_repeated(wsi, token);
  head.host = header(wsi, WSI_TOKEN_HOST);
  head.origin = header(wsi, WSI_TOKEN_ORIGIN);
  head.authorization = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
  head.requested_headers = header(wsi, WSI_TOKEN_HTTP_AC_REQUEST_HEADERS);
  head.content_length = header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  head.transfer_encoding = header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
  head.connection = header(wsi, WSI_TOKEN_CONNECTION);
  head.upgrade = header(wsi, WSI_TOKEN_UPGRADE);
  head.websocket_key = header(wsi, WSI_TOKEN_KEY);
  head.websocket_version = header(wsi, WSI_TOKEN_VERSION);
  head.websocket_protocols = header(wsi, WSI_TOKEN_PROTOCOL);
  return head;
}

HttpRequest read_request(lws* wsi, const RequestHead& head) {
  HttpRequest request;
  request.method = head.method == "HEAD" ? "GET" : head.method;
  request.path = head.path;
  request.query = read_query(wsi);
  request.content_type = read_content_type(wsi);
  request.authorization = head.authorization.value_or("");
  for (const std::string_view name : kPassedHeaders) {
    auto value = header_named(wsi, name);
    if (value) request.headers.emplace_back(name, *std::move(value));
  }
  return request;
}

UploadHead read_upload_head(lws* wsi, const RequestHead& head) {
  return {head, read_query(wsi), read_content_type(wsi), expects_continue(wsi)};
}

void read_range(lws* wsi, ResponseOptions& options) {
  if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0) return;
  options.range = header(wsi, WSI_TOKEN_HTTP_RANGE);
  options.if_range = header(wsi, WSI_TOKEN_HTTP_IF_RANGE);
}

bool expects_continue(lws* wsi) {
  const auto expect = header(wsi, WSI_TOKEN_HTTP_EXPECT);
  return expect && strcasecmp(expect->c_str(), "100-continue") == 0;
}

}  // namespace qylon::realtime
