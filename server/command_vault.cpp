#include <algorithm>
#include <cstdio>

#include "api/core/audit.hpp"
#include "api/core/vault.hpp"
#include "api/identity/identity_key.hpp"
#include "core/config.hpp"
#include "server/command.hpp"
#include "server/data_directory.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon vault - put a new master key before the old ones

  qylon vault rotate [--data-dir DIR] [--database-url URL]

Adds a random key to DIR/master-keys as its first line, and seals with it what the others sealed:
every organisation's data key, the identity key and the audit log's signing key. Stop the server
first, and keep a copy of the file elsewhere: without it the vault's secrets, second factors and
signing keys are lost. The other lines can be removed afterwards, once no backup needs them.

Exit status: 0 done, 1 failed, 2 the words were wrong.
)";

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "qylon vault: %s\n", message.c_str());
  return status;
}

int rotate(const std::string& data_dir, DataDirectory& database) {
  auto masters = api::MasterKeys::add_new(data_dir);
  if (!masters) return fail(1, masters.error().message);
  const auto trail = api::AuditTrail::open(data_dir, *masters);
  if (!trail) return fail(1, trail.error().message);
  const auto identity = api::load_or_create_identity_key(data_dir, *masters);
  if (!identity) return fail(1, identity.error().message);
  const std::string id = masters->active_id();
  const api::Vault vault(*std::move(masters));
  std::size_t wrapped = 0;
  const Status done = database.transact([&](storage::Sql& sql) -> Status {
    const auto count = vault.rewrap(sql);
    if (!count) return count.error();
    wrapped = *count;
    return ok();
  });
  if (!done) return fail(1, done.error().message);
  std::printf("%zu data keys are wrapped by the new key %s\n", wrapped, id.c_str());
  return 0;
}

}  // namespace

int run_vault(const Words& words) {
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  std::string data_dir = "qylon-data";
  std::string database_url;
  SettingList list;
  list.add({"data-dir", "", "The server's data directory."}, data_dir);
  list.add({"database-url", "", "The server's database, when it is not its own."}, database_url);
  const auto verbs = list.read_flags(words);
  if (!verbs) return fail(2, verbs.error().message);
  if (verbs->size() != 1 || verbs->front() != "rotate") return fail(2, "say rotate");

  const SystemClock clock;
  const Log log(clock, LogLevel::kWarn);
  const auto database = DataDirectory::open(data_dir, database_url, log);
  if (!database) return fail(1, database.error().message);
  return rotate(data_dir, **database);
}

}  // namespace qylon::server
