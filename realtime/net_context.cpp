#include "realtime/net_context.hpp"

#include <libwebsockets.h>

namespace qylon::realtime {
namespace {

constexpr unsigned kHandshakeTimeoutS = 10;
constexpr unsigned kKeepAliveS = 30;
constexpr unsigned short kHeaderBytesMax = 8192;

// TLS 1.2 with forward secrecy and AEAD only; TLS 1.3 suites are OpenSSL's own.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// Our own pings instead of libwebsockets' timers, which live in a sorted list.
const lws_retry_bo_t kNoPings{};

}  // namespace

lws_context* create_net_context(const NetContextOptions& options) {
  lws_context_creation_info info{};
  void* foreign_loop = options.loop;
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.protocols = options.protocols;
  info.user = options.user;
  info.gid = -1;
  info.uid = -1;
  info.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                 LWS_SERVER_OPTION_FALLBACK_TO_APPLY_LISTEN_ACCEPT_CONFIG;  // Gives on_raw().
  info.foreign_loops = &foreign_loop;
  info.timeout_secs = kHandshakeTimeoutS;
  info.keepalive_timeout = kKeepAliveS;
  info.max_http_header_data = kHeaderBytesMax;
  info.retry_and_idle_policy = &kNoPings;
  info.alpn = "http/1.1";
  if (!options.tls_certificate_path.empty()) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.ssl_cert_filepath = options.tls_certificate_path.c_str();
    info.ssl_private_key_filepath = options.tls_key_path.c_str();
    info.ssl_cipher_list = kCiphers;
  }
  return lws_create_context(&info);
}

}  // namespace qylon::realtime
