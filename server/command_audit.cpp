#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "api/core/audit.hpp"
#include "core/config.hpp"
#include "server/command.hpp"
#include "server/data_directory.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon audit - look for what was changed in the audit log

  qylon audit verify [--data-dir DIR] [--database-url URL]

Looks at every row of every chain, and at every signed checkpoint of the database and of
DIR/audit-checkpoints. Rows that were edited, taken out, or cut off after they were signed are
named. The server may run meanwhile.

Exit status: 0 nothing was changed, 1 something was or failed, 2 the words were wrong.
)";

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "qylon audit: %s\n", message.c_str());
  return status;
}

int print(const api::AuditTrail::Report& report) {
  for (const std::string& problem : report.problems)
    std::printf("%s\n", problem.c_str());
  std::printf("%zu rows in %zu chains, %zu checkpoints: %s\n",
              report.rows,
              report.chains,
              report.checkpoints,
              report.problems.empty() ? "nothing was changed" : "something was changed");
  return report.problems.empty() ? 0 : 1;
}

}  // namespace

int run_audit(const Words& words) {
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
  if (verbs->size() != 1 || verbs->front() != "verify") return fail(2, "say verify");

  const SystemClock clock;
  const Log log(clock, LogLevel::kWarn);
  const auto database = DataDirectory::open(data_dir, database_url, log);
  if (!database) return fail(1, database.error().message);
  if (!std::filesystem::exists(data_dir + "/audit-key"))
    return fail(1, "data-dir: no server has written an audit log in " + data_dir);
  const auto masters = api::MasterKeys::open(data_dir);
  if (!masters) return fail(1, masters.error().message);
  const auto trail = api::AuditTrail::open(data_dir, *masters);
  if (!trail) return fail(1, trail.error().message);
  api::AuditTrail::Report report;
  const Status verified = (*database)->transact([&](storage::Sql& sql) -> Status {
    auto found = trail->verify(sql);
    if (!found) return found.error();
    report = *std::move(found);
    return ok();
  });
  if (!verified) return fail(1, verified.error().message);
  return print(report);
}

}  // namespace qylon::server
