#pragma once

#include <string>

#include "core/result.hpp"
#include "server/http_answer.hpp"
#include "server/server_url.hpp"

namespace qylon::server {

struct HttpCall {
  std::string method = "GET";
  std::string path;   ///< With query; already percent-encoded.
  std::string token;  ///< Empty: none is sent.
  std::string body;   ///< JSON; empty: none.
};

/// One request of a command-line tool to a Qylon server, over a connection of its own.
///
/// Cost    : blocks for at most 10 s to connect and 120 s in all.
/// Errors  : kUnavailable when the server cannot be reached or falls silent; kInvalidArgument for
///           https, which this does not speak; HttpAnswerParser's. An answer with an error status
///           is not an error here.
Result<HttpAnswer> http_request(const ServerUrl& server, const HttpCall& call);

}  // namespace qylon::server
