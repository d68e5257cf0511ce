#include "api/core/outbound_transfer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>
#include <utility>

#include <curl/curl.h>
#include <sys/socket.h>

#include "api/core/public_address.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

constexpr long kConnectMsMax = 5'000;
constexpr std::size_t kHeaderBytesMax = 65'536;
constexpr std::int64_t kRetryAfterSMax = 86'400;

struct UrlEnd {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

/// One part, or empty.
std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string result(text);
  curl_free(text);
  return result;
}

void lower(std::string& text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
}

std::int64_t retry_after_ms(const OutboundAnswer& answer) {
  for (const auto& [name, value] : answer.headers) {
    if (name != "retry-after") continue;
    std::int64_t seconds = 0;
    std::from_chars(value.data(), value.data() + value.size(), seconds);
    return std::clamp<std::int64_t>(seconds, 0, kRetryAfterSMax) * 1000;
  }
  return 0;
}

}  // namespace

Result<OutboundTarget> parse_outbound_url(const std::string& text) {
  const Error wrong{ErrorCode::kInvalidArgument,
                    "a URL to call begins with https:// and a host, and holds no user or password"};
  const std::unique_ptr<CURLU, UrlEnd> url(curl_url());
  QYLON_CHECK(url != nullptr);
  if (text.find('\0') != std::string::npos ||
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return wrong;
  OutboundTarget target{.scheme = part_of(url.get(), CURLUPART_SCHEME),
                        .host = part_of(url.get(), CURLUPART_HOST),
                        .port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  lower(target.host);
  const bool credentials = !part_of(url.get(), CURLUPART_USER).empty() ||
                           !part_of(url.get(), CURLUPART_PASSWORD).empty();
  const bool scheme = target.scheme == "https" || target.scheme == "http";
  if (!scheme || credentials || target.host.empty() || target.port.empty()) return wrong;
  return target;
}

class OutboundTransfer::Handle {
 public:
  Handle() : easy(curl_easy_init()) { QYLON_CHECK(easy != nullptr); }
  ~Handle() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle(Handle&&) = delete;
  Handle& operator=(Handle&&) = delete;

  template <typename Value>
  void set(CURLoption option, Value value) {
    QYLON_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
  }

  static std::size_t take_body(char* bytes,
                               std::size_t size,
                               std::size_t count,
                               void* self) noexcept {
    auto& handle = *static_cast<Handle*>(self);
    if (handle.answer.body.size() + size * count > handle.body_bytes_max) return 0;
    handle.answer.body.append(bytes, size * count);
    return size * count;
  }
  static std::size_t take_header(char* bytes,
                                 std::size_t size,
                                 std::size_t count,
                                 void* self) noexcept {
    auto& handle = *static_cast<Handle*>(self);
    std::string_view line(bytes, size * count);
    handle.header_bytes += line.size();
    if (handle.header_bytes > kHeaderBytesMax) return 0;
    if (line.starts_with("HTTP/")) handle.answer.headers.clear();  // After a 100 Continue.
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size * count;
    std::string name(line.substr(0, colon));
    lower(name);
    line.remove_prefix(colon + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::size_t last = line.find_last_not_of(" \t\r\n");
    handle.answer.headers.emplace_back(
        std::move(name), line.substr(0, last == std::string_view::npos ? 0 : last + 1));
    return size * count;
  }
  /// libcurl is about to connect to an address that it has resolved: the moment to look at it.
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
    auto& handle = *static_cast<Handle*>(self);
    if (!handle.may_be_private && !is_public_address(address->addr)) {
      handle.refused = true;
      return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  CURL* const easy;
  curl_slist* headers = nullptr;
  OutboundAnswer answer;
  std::size_t body_bytes_max = 0;
  std::size_t header_bytes = 0;
  bool may_be_private = false;
  bool refused = false;
};

OutboundTransfer::OutboundTransfer(OutboundRequest wanted,
                                   Outbound::Done answer,
                                   OutboundTarget where)
    : request(std::move(wanted)), done(std::move(answer)), target(std::move(where)) {}
OutboundTransfer::~OutboundTransfer() = default;

void* OutboundTransfer::prepare(std::int64_t timeout_ms,
                                bool may_be_private,
                                const std::string& ca_file) {
  handle_ = std::make_unique<Handle>();
  Handle& handle = *handle_;
  handle.body_bytes_max = request.answer_bytes_max;
  handle.may_be_private = may_be_private;
  for (const auto& [name, value] : request.headers)
    handle.headers = curl_slist_append(handle.headers, (name + ": " + value).c_str());
  handle.headers = curl_slist_append(handle.headers, "Expect:");
  handle.set(CURLOPT_URL, request.url.c_str());
  handle.set(CURLOPT_PROTOCOLS_STR, "http,https");
  handle.set(CURLOPT_FOLLOWLOCATION, 0L);
  handle.set(CURLOPT_PROXY, "");
  handle.set(CURLOPT_NOSIGNAL, 1L);
  handle.set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  handle.set(CURLOPT_CONNECTTIMEOUT_MS, std::min(static_cast<long>(timeout_ms), kConnectMsMax));
  handle.set(CURLOPT_HTTPHEADER, handle.headers);
  handle.set(CURLOPT_WRITEFUNCTION, &Handle::take_body);
  handle.set(CURLOPT_WRITEDATA, static_cast<void*>(&handle));
  handle.set(CURLOPT_HEADERFUNCTION, &Handle::take_header);
  handle.set(CURLOPT_HEADERDATA, static_cast<void*>(&handle));
  handle.set(CURLOPT_OPENSOCKETFUNCTION, &Handle::open_socket);
  handle.set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(&handle));
  handle.set(CURLOPT_PRIVATE, static_cast<void*>(this));
  if (!ca_file.empty()) handle.set(CURLOPT_CAINFO, ca_file.c_str());
  if (!request.body.empty() || request.method == "POST") {
    handle.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    handle.set(CURLOPT_POSTFIELDS, request.body.data());
  }
  if (request.method == "HEAD") handle.set(CURLOPT_NOBODY, 1L);
  handle.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  return handle.easy;
}

Result<OutboundAnswer> OutboundTransfer::take_answer(int code) {
  Handle& handle = *handle_;
  if (handle.refused)
    return Error{ErrorCode::kForbidden, target.host + " is not on the public Internet"};
  if (code == CURLE_WRITE_ERROR)
    return Error{ErrorCode::kUnavailable, target.host + " answered with more than was allowed"};
  if (code != CURLE_OK) {
    return Error{ErrorCode::kUnavailable,
                 target.host + ": " + curl_easy_strerror(static_cast<CURLcode>(code))};
  }
  long status = 0;
  curl_easy_getinfo(handle.easy, CURLINFO_RESPONSE_CODE, &status);
  handle.answer.status = static_cast<int>(status);
  handle.answer.retry_after_ms = retry_after_ms(handle.answer);
  return std::move(handle.answer);
}

}  // namespace qylon::api
