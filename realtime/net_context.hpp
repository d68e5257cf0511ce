#pragma once
/// A libwebsockets context without a listener, as every net thread has one.

#include <string>

struct ev_loop;
struct lws_context;
struct lws_protocols;

namespace qylon::realtime {

struct NetContextOptions {
  struct ev_loop* loop = nullptr;            ///< Runs the context; outlives it.
  const lws_protocols* protocols = nullptr;  ///< Ends with an empty one; outlives the context.
  void* user = nullptr;                      ///< For lws_context_user().
  std::string tls_certificate_path;          ///< Empty: no TLS.
  std::string tls_key_path;
};

/// Null when libwebsockets cannot start.
lws_context* create_net_context(const NetContextOptions& options);

}  // namespace qylon::realtime
