#include "server/http_client.hpp"

#include <cstdlib>
#include <memory>

#include <curl/curl.h>

namespace qylon::server {
namespace {

constexpr long kConnectMaxMs = 10'000;
constexpr long kExchangeMaxMs = 120'000;
constexpr std::size_t kBodyBytesMax = std::size_t{256} << 20;

using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void add_header(Headers& headers, const std::string& line) {
  // On failure the old list stays, and the request lacks a header that the server then asks for.
  curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
  if (longer == nullptr) return;
  static_cast<void>(headers.release());
  headers.reset(longer);
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& body = *static_cast<std::string*>(user);
  if (body.size() + size * count > kBodyBytesMax) return 0;
  body.append(bytes, size * count);
  return size * count;
}

void set_up(CURL* curl, const HttpCall& call, const std::string& url) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");  // The token is for the server alone.
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMaxMs);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kExchangeMaxMs);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "qylon/" QYLON_VERSION);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  // OpenSSL's own variable, which libwebsockets' connections heed too; libcurl itself does not.
  const char* const authorities = std::getenv("SSL_CERT_FILE");  // NOLINT: one thread.
  if (authorities != nullptr) curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
  if (call.method == "GET") return;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(call.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.c_str());
}

}  // namespace

Result<HttpAnswer> http_request(const ServerUrl& server, const HttpCall& call) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (!curl) return Error{ErrorCode::kInternal, "libcurl could not start"};
  set_up(curl.get(), call, server.http(call.path));
  Headers headers(nullptr, curl_slist_free_all);
  add_header(headers, "Content-Type: application/json");
  add_header(headers, "Expect:");
  if (!call.token.empty()) add_header(headers, "Authorization: Bearer " + call.token);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  HttpAnswer answer;
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK)
    return Error{ErrorCode::kUnavailable, server.http("") + ": " + curl_easy_strerror(code)};
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace qylon::server
