#pragma once
/// Which server a command-line tool asks, and by which right.

#include <string>

#include "core/config.hpp"
#include "core/result.hpp"
#include "server/server_url.hpp"

namespace qylon::server {

/// A server and the right to use it.
struct ServerLogin {
  ServerUrl url;
  std::string token;  ///< Empty: none.
};

struct LoginSettings {
  std::string server = "http://127.0.0.1:8080";
  std::string token_file;
};

/// --server and --token-file. The token itself is never a flag: other users of a machine can read
/// its command lines. `settings` must outlive `list`.
void declare_login(SettingList& list, LoginSettings& settings);

/// With the token of the variable QYLON_TOKEN, whose value `variable` is (null: not set), else that
/// of the file. A server on this machine may be of the default data directory, so without either
/// the token there is taken when it can be read; no other server is ever shown that one.
/// Errors: kInvalidArgument for a URL that is none, and for a file that was named and holds
/// nothing.
Result<ServerLogin> find_login(const LoginSettings& settings, const char* variable);

/// `error` in one line for a person; of a server that refused the token, what to do about it.
std::string explain(const Error& error, const ServerLogin& login);

}  // namespace qylon::server
