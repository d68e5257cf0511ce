#pragma once

#include <string>

#include "core/result.hpp"
#include "server/server_url.hpp"

namespace qylon::server {

struct HttpCall {
  std::string method = "GET";
  std::string path;   ///< With query; already percent-encoded.
  std::string token;  ///< Empty: none is sent.
  std::string body;   ///< JSON; empty: none.
};

struct HttpAnswer {
  int status = 0;
  std::string body;  ///< At most 256 MiB.
};

/// One request of a command-line tool to a Qylon server, over a connection of its own. A server's
/// certificate must be known to this machine, or to the file that SSL_CERT_FILE names.
///
/// Cost    : blocks for at most 10 s to connect and 120 s in all.
/// Errors  : kUnavailable when the server cannot be reached or trusted, falls silent or says too
///           much. An answer with an error status is not an error here.
Result<HttpAnswer> http_request(const ServerUrl& server, const HttpCall& call);

}  // namespace qylon::server
