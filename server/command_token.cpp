#include <algorithm>
#include <cstdio>

#include "api/identity/identity.hpp"
#include "api/identity/identity_key.hpp"
#include "api/token_access.hpp"
#include "core/config.hpp"
#include "server/command.hpp"
#include "server/data_directory.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon token - print the token of a data directory

  qylon token [--data-dir DIR] [--publishable]

Whoever holds the token may use the server that serves this directory: show it as
`Authorization: Bearer TOKEN`. It is made on first use and kept in DIR/token, readable by you only;
delete the file and restart the server to make a new one.

--publishable prints the key that browsers and apps show as `apikey` instead: it says which server
is meant, and opens nothing.
)";

Result<std::string> publishable_key_of(const std::string& data_dir) {
  const Status there = make_private_directory(data_dir);
  if (!there) return there.error();
  const auto masters = api::MasterKeys::open(data_dir);
  if (!masters) return masters.error();
  const auto key = api::load_or_create_identity_key(data_dir, *masters);
  return key ? Result<std::string>(api::publishable_key(*key)) : key.error();
}

}  // namespace

int run_token(const Words& words) {
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  std::string data_dir = "qylon-data";
  SettingList list;
  list.add({"data-dir", "", "The server's data directory."}, data_dir);
  bool publishable = false;
  list.add({"publishable", "", "Print the key that is no secret."}, publishable);
  const auto others = list.read_flags(words);
  if (!others || !others->empty()) {
    std::fprintf(
        stderr,
        "qylon token: %s\n",
        others ? "it takes only --data-dir DIR and --publishable" : others.error().message.c_str());
    return 2;
  }
  const auto token =
      publishable ? publishable_key_of(data_dir) : api::load_or_create_token(data_dir);
  if (!token) {
    std::fprintf(stderr, "qylon token: %s\n", token.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", token->c_str());
  return 0;
}

}  // namespace qylon::server
