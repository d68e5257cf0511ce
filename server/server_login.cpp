#include "server/server_login.hpp"

#include "server/secret_setting.hpp"
#include "server/settings.hpp"

namespace qylon::server {

void declare_login(SettingList& list, LoginSettings& settings) {
  list.add({"server", "", "The server, as http://HOST:PORT or https://HOST:PORT."},
           settings.server);
  list.add({"token-file",
            "",
            "File with the token to show, unless QYLON_TOKEN holds it; without both, on the "
            "server's own machine, qylon-data/token."},
           settings.token_file);
}

Result<ServerLogin> find_login(const LoginSettings& settings, const char* variable) {
  const auto url = parse_server_url(settings.server);
  if (!url) return url.error();
  if (variable != nullptr && *variable != '\0') return ServerLogin{*url, variable};
  if (!settings.token_file.empty()) {
    auto token = read_secret_file(settings.token_file, "token-file");
    if (!token) return token.error();
    return ServerLogin{*url, *std::move(token)};
  }
  if (!is_loopback(url->host)) return ServerLogin{*url, ""};
  const auto token = read_secret_file(Settings{}.data_dir + "/token", "token");
  return ServerLogin{*url, token ? *token : ""};
}

std::string explain(const Error& error, const ServerLogin& login) {
  if (error.code != ErrorCode::kUnauthenticated) return error.message;
  if (login.token.empty()) {
    return "the server wants a token: put it into QYLON_TOKEN, or name its file with "
           "--token-file (DIR/token of the server's data directory)";
  }
  return "the server refuses the token of QYLON_TOKEN or --token-file: " + error.message;
}

}  // namespace qylon::server
