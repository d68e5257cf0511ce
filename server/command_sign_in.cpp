#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "server/command.hpp"
#include "server/meeting_calls_json.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon sign-in - print a link that signs you in at a running server, as its owner

  qylon sign-in [--server URL] [--page /m/ID] [--token-file DIR/token]

Open the link in a browser: it is good once and for an hour. It takes the server's own token, which
lies in its data directory. Once you are in, a password is set with PUT /auth/v1/user, and others
are invited with POST /auth/v1/invite (docs/OPERATIONS.md).

Exit status: 0 done, 1 failed, 2 the words were wrong.

Settings, also read from the environment as QYLON_SERVER, QYLON_TOKEN_FILE and so on:
)";

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "qylon sign-in: %s\n", message.c_str());
  return status;
}

}  // namespace

int run_sign_in(const Words& words) {
  LoginSettings settings;
  std::string page = "/";
  SettingList list;
  declare_login(list, settings);
  list.add({"page", "", "The page that the link opens."}, page);
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::printf("%s%s", kHelp, list.help().c_str());
    return 0;
  }
  const Status environment = list.read_environment([](const char* name) { return getenv(name); });
  if (!environment) return fail(2, environment.error().message);
  const auto others = list.read_flags(words);
  if (!others) return fail(2, others.error().message);
  if (!others->empty() || !page.starts_with('/')) return fail(2, "it takes flags only; see --help");
  const auto login = find_login(settings, getenv("QYLON_TOKEN"));
  if (!login) return fail(2, login.error().message);
  const auto fragment = sign_in_fragment(*login);
  if (!fragment) return fail(1, explain(fragment.error(), *login));
  std::printf("%s\n", login->url.http(page + "#" + *fragment).c_str());
  return 0;
}

}  // namespace qylon::server
