#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "api/core/schema_diff.hpp"
#include "api/core/schema_lints.hpp"
#include "api/core/ts_client.hpp"
#include "api/domains/domains.hpp"
#include "core/clock.hpp"
#include "core/config.hpp"
#include "core/log.hpp"
#include "server/command.hpp"
#include "storage/migrations.hpp"
#include "storage/pg_connection.hpp"
#include "storage/private_cluster.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon schema - compare a database with what this program declares

  qylon schema diff [--database-url URL]   print the migration that is missing
  qylon schema lint [--database-url URL]   name what is wrong with its security and keys
  qylon schema client                      print a typed TypeScript client of the entities

Without a URL an empty PostgreSQL is made, migrated, looked at and removed again: so the next file
of storage/migrations is written. The URL's user owns the schema; nothing is changed.

Exit status: 0 nothing found, 1 something found or failed, 2 the words were wrong.
)";

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "qylon schema: %s\n", message.c_str());
  return status;
}

/// A cluster of its own for as long as it is looked at.
class EmptyDatabase {
 public:
  explicit EmptyDatabase(const Log& log) : log_(log) {}
  ~EmptyDatabase() {
    cluster_.reset();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  EmptyDatabase(const EmptyDatabase&) = delete;
  EmptyDatabase& operator=(const EmptyDatabase&) = delete;
  EmptyDatabase(EmptyDatabase&&) = delete;
  EmptyDatabase& operator=(EmptyDatabase&&) = delete;

  /// The owner's URL.
  Result<std::string> start() {
    std::error_code failure;
    std::string pattern =
        (std::filesystem::temp_directory_path(failure) / "qylon-schema-XXXXXX").string();
    if (failure || ::mkdtemp(pattern.data()) == nullptr)
      return Error{ErrorCode::kUnavailable, "cannot make a temporary directory"};
    directory_ = pattern;
    auto cluster = storage::PrivateCluster::start({.data_dir = directory_, .bin_dir = {}}, log_);
    if (!cluster) return cluster.error();
    cluster_ = *std::move(cluster);
    const auto migrated = storage::migrate(cluster_->owner_url(), log_);
    if (!migrated) return migrated.error();
    return cluster_->owner_url();
  }

 private:
  const Log& log_;
  std::string directory_;
  std::unique_ptr<storage::PrivateCluster> cluster_;
};

int print_diff(storage::PgConnection& owner) {
  const auto diff = api::diff_schema(api::all_domains(), owner);
  if (!diff) return fail(1, diff.error().message);
  std::fputs(diff->sql().c_str(), stdout);
  for (const std::string& sentence : diff->refused)
    std::fprintf(stderr, "%s\n", sentence.c_str());
  return diff->empty() ? 0 : 1;
}

int print_lints(storage::PgConnection& owner) {
  const auto problems = api::lint_schema(owner);
  if (!problems) return fail(1, problems.error().message);
  for (const std::string& problem : *problems)
    std::printf("%s\n", problem.c_str());
  return problems->empty() ? 0 : 1;
}

}  // namespace

int run_schema(const Words& words) {
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  std::string url;
  SettingList list;
  list.add({"database-url", "DATABASE_URL", "The database to look at."}, url);
  const auto verbs = list.read_flags(words);
  if (!verbs) return fail(2, verbs.error().message);
  const std::string verb = verbs->size() == 1 ? verbs->front() : "";
  if (verb == "client") {
    std::fputs(api::typescript_client(api::all_domains()).c_str(), stdout);
    return 0;
  }
  if (verb != "diff" && verb != "lint") return fail(2, "say diff, lint or client");

  const SystemClock clock;
  const Log log(clock, LogLevel::kWarn);
  EmptyDatabase empty(log);
  if (url.empty()) {
    auto started = empty.start();
    if (!started) return fail(1, started.error().message);
    url = *std::move(started);
  }
  storage::PgConnection::Settings settings;
  settings.url = url;
  const auto owner = storage::PgConnection::connect(settings, log);
  if (!owner) return fail(1, owner.error().message);
  return verb == "diff" ? print_diff(**owner) : print_lints(**owner);
}

}  // namespace qylon::server
