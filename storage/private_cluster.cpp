#include "storage/private_cluster.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <pqxx/pqxx>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/sync.hpp"
#include "storage/cluster_files.hpp"
#include "storage/cluster_process.hpp"
#include "storage/file_lock.hpp"
#include "storage/pg_connection.hpp"
#include "storage/posix_error.hpp"

namespace qylon::storage {
namespace {

using std::chrono::milliseconds;

constexpr const char* kDatabase = "qylon";
constexpr milliseconds kReadyPoll{10};
constexpr milliseconds kRestartPauseMax{1000};
// A fresh start has no excuse for failing: leftovers were cleared before it.
constexpr int kFirstStartsMax = 3;

bool has_programs(const std::string& directory) {
  return ::access((directory + "/postgres").c_str(), X_OK) == 0 &&
         ::access((directory + "/initdb").c_str(), X_OK) == 0;
}

Result<std::string> find_programs(const std::string& wanted) {
  std::vector<std::string> candidates;
  if (!wanted.empty()) {
    candidates.push_back(wanted);
  } else {
    candidates.emplace_back("/usr/lib/postgresql/15/bin");
    const char* variable = std::getenv("PATH");
    std::string_view path = variable == nullptr ? "" : variable;
    while (!path.empty()) {
      const auto end = std::min(path.find(':'), path.size());
      if (end > 0 && path.front() == '/') candidates.emplace_back(path.substr(0, end));
      path.remove_prefix(std::min(end + 1, path.size()));
    }
  }
  const auto found = std::find_if(candidates.begin(), candidates.end(), has_programs);
  if (found != candidates.end()) return *found;
  return Error{ErrorCode::kUnavailable,
               "no PostgreSQL here (looked for initdb and postgres in " + candidates.front() +
                   "); install postgresql-15, or set DATABASE_URL"};
}

std::vector<std::string> initdb_arguments() {
  // The files are synced together afterwards. A word on every option: PostgreSQL 15 manual, initdb.
  return {"-D",
          std::string(kDirectoryInChild) + "/" + kNewClusterName,
          "--username=qylon_owner",
          "--auth-local=peer",
          "--auth-host=reject",
          "--encoding=UTF8",
          "--locale=C.UTF-8",
          "--data-checksums",
          "--no-sync",
          "--no-instructions"};
}

std::vector<std::string> postgres_arguments() {
  std::vector<std::string> arguments{"-D", std::string(kDirectoryInChild) + "/" + kClusterName};
  const std::string socket = std::string("unix_socket_directories=../") + kSocketName;
  for (const std::string_view setting : {
           std::string_view("listen_addresses="),  // No TCP at all.
           std::string_view(socket),               // Relative to the cluster: never too long.
           std::string_view("unix_socket_permissions=0700"),
           std::string_view("max_connections=80"),  // Database takes at most 65.
           std::string_view("shared_buffers=64MB"),
           std::string_view("max_wal_size=512MB"),
           std::string_view("recovery_init_sync_method=syncfs"),  // One call, not one per file.
           std::string_view("fsync=on"),
           std::string_view("synchronous_commit=on"),
           std::string_view("cluster_name=qylon"),
           std::string_view("jit=off"),  // No writable code pages: the service forbids them.
           std::string_view("log_timezone=UTC"),
           // Rows are people's words: neither statements nor values belong in a log.
           std::string_view("log_min_error_statement=panic"),
           std::string_view("log_error_verbosity=terse"),
           std::string_view("log_checkpoints=off"),
       }) {
    arguments.emplace_back("-c");
    arguments.emplace_back(setting);
  }
  return arguments;
}

Status create_database(const std::string& maintenance_url, const Log& log) {
  auto connected = PgConnection::connect({.url = maintenance_url}, log);
  if (!connected) return connected.error();
  return (*connected)->run_alone([](pqxx::transaction_base& transaction) {
    if (transaction.exec_params("select from pg_database where datname = $1", kDatabase).empty())
      transaction.exec0("create database qylon");
    return ok();
  });
}

}  // namespace

class PrivateCluster::Impl {
 public:
  Impl(Options options, std::string programs, UniqueFd lock, ClusterFiles files, const Log& log)
      : options_(std::move(options)),
        programs_(std::move(programs)),
        log_(log),
        lock_(std::move(lock)),
        files_(std::move(files)),
        stop_event_(::eventfd(0, EFD_CLOEXEC)) {}
  ~Impl() {
    if (!supervisor_.joinable()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event_.get(), &one, sizeof(one));
    supervisor_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  Status start() {
    if (Status cleared = files_.clear_leftovers(options_.stop_timeout); !cleared) return cleared;
    if (!files_.cluster_exists()) {
      if (Status created = create_cluster(); !created) return created;
    }
    if (Status written = files_.write_access_rules(); !written) return written;
    supervisor_ = std::thread([this] { supervise(); });
    if (Status ready = wait_until_ready(); !ready) return ready;
    return create_database(url_for("qylon_owner", "postgres"), log_);
  }

  std::string url_for(std::string_view role, std::string_view database = kDatabase) const {
    return files_.url(role, database);
  }
  int pid() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return pid_;
  }

 private:
  ClusterProcess::Command command(const char* program,
                                  std::vector<std::string> arguments,
                                  const UniqueFd& log) const {
    ClusterProcess::Command result;
    result.program = programs_ + "/" + program;
    result.arguments = std::move(arguments);
    result.user = files_.user();
    result.directory_fd = files_.fd();
    result.log_fd = log.get();
    return result;
  }

  Status create_cluster() {
    files_.remove_unfinished();
    const auto log = files_.open_log();
    if (!log) return log.error();
    auto initdb_command = command("initdb", initdb_arguments(), *log);
    initdb_command.signal_when_orphaned = SIGKILL;
    auto initdb = ClusterProcess::spawn(initdb_command);
    if (!initdb) return initdb.error();
    const int status = initdb->wait_for(options_.start_timeout);
    if (status != 0) {
      if (status < 0) initdb->stop(milliseconds(0));
      return failed("initdb: " + (status < 0 ? "too slow" : describe_wait_status(status)));
    }
    return files_.adopt_new_cluster();
  }

  Error failed(const std::string& what) const {
    return {ErrorCode::kUnavailable,
            "the private PostgreSQL did not start: " + what + "; " + files_.log_path() +
                " ends with: " + files_.last_log_line()};
  }

  Status wait_until_ready() QYLON_EXCLUDES(mutex_) {
    const auto deadline = std::chrono::steady_clock::now() + options_.start_timeout;
    const MutexLock lock(mutex_);
    while (pid_ == 0 && !gave_up_) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= std::chrono::steady_clock::duration::zero()) return failed("too slow");
      changed_.wait_for(mutex_, std::chrono::ceil<std::chrono::microseconds>(left));
    }
    if (gave_up_) return failed(*gave_up_);
    return ok();
  }

  // --- From here on: the supervisor thread. ---

  void supervise() {
    ::prctl(PR_SET_NAME, "qylon-pg", 0, 0, 0);
    int failed_starts = 0;
    bool was_ready = false;
    for (milliseconds pause{0}; !stop_requested(pause);) {
      if (was_ready || failed_starts > 0) clear_after_crash();
      const std::string outcome = run_once(was_ready);
      if (outcome.empty()) return;  // Stopped on request.
      failed_starts = std::exchange(last_run_was_ready_, false) ? 0 : failed_starts + 1;
      log_.warn("pg_ended", {{"how", outcome}});
      if (!was_ready && failed_starts >= kFirstStartsMax) {
        publish(0, outcome);
        return;
      }
      pause = std::min(kRestartPauseMax, milliseconds(failed_starts * 100));
    }
  }

  void clear_after_crash() {
    const Status cleared = files_.clear_leftovers(options_.stop_timeout);
    if (!cleared) log_.error("pg_leftovers", {{"message", cleared.error().message}});
  }

  /// Starts a postmaster and stays until it ends. How it ended, or empty when we were to stop.
  std::string run_once(bool& was_ready) {
    const auto log = files_.open_log();
    if (!log) return log.error().message;
    auto postgres = command("postgres", postgres_arguments(), *log);
    postgres.signal_when_orphaned = SIGINT;
    auto process = ClusterProcess::spawn(postgres);
    if (!process) return process.error().message;
    bool ready = false;
    while (true) {
      if (!ready && is_ready(process->pid())) {
        ready = was_ready = last_run_was_ready_ = true;
        publish(process->pid(), std::nullopt);
        log_.info("pg_ready", {{"pid", std::to_string(process->pid())}});
      }
      pollfd waiters[2]{{process->pid_fd(), POLLIN, 0}, {stop_event_.get(), POLLIN, 0}};
      ::poll(waiters, 2, ready ? -1 : static_cast<int>(kReadyPoll.count()));
      if (waiters[1].revents != 0) {
        publish(0, std::nullopt);
        process->stop(options_.stop_timeout);
        return {};
      }
      if (waiters[0].revents != 0) {
        publish(0, std::nullopt);
        return describe_wait_status(process->wait_for(milliseconds(0)));
      }
    }
  }

  bool is_ready(pid_t pid) const {
    const auto postmaster = files_.read_postmaster();
    return postmaster && postmaster->pid == pid && postmaster->ready;
  }

  bool stop_requested(milliseconds patience) const {
    pollfd waiter{stop_event_.get(), POLLIN, 0};
    return ::poll(&waiter, 1, static_cast<int>(patience.count())) > 0;
  }

  void publish(pid_t pid, std::optional<std::string> gave_up) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    pid_ = pid;
    gave_up_ = std::move(gave_up);
    changed_.notify_all();
  }

  const Options options_;  // Constant after construction, like the next two.
  const std::string programs_;
  const Log& log_;
  UniqueFd lock_;
  ClusterFiles files_;
  UniqueFd stop_event_;
  bool last_run_was_ready_ = false;  // Owned by the supervisor.
  mutable Mutex mutex_;
  Condition changed_;
  pid_t pid_ QYLON_GUARDED_BY(mutex_) = 0;
  std::optional<std::string> gave_up_ QYLON_GUARDED_BY(mutex_);
  std::thread supervisor_;
};

Result<std::unique_ptr<PrivateCluster>> PrivateCluster::start(Options options, const Log& log) {
  auto programs = find_programs(options.bin_dir);
  if (!programs) return programs.error();
  std::error_code failure;
  std::filesystem::create_directories(options.data_dir, failure);
  if (failure) return posix_error("mkdir", options.data_dir, failure.value());
  auto lock = lock_file(options.data_dir + "/postgres.lock");
  if (!lock) return lock.error();
  auto files = ClusterFiles::open(options.data_dir);
  if (!files) return files.error();
  auto impl = std::make_unique<Impl>(
      std::move(options), std::move(*programs), std::move(*lock), std::move(*files), log);
  if (const Status started = impl->start(); !started) return started.error();
  return std::unique_ptr<PrivateCluster>(new PrivateCluster(std::move(impl)));
}

PrivateCluster::PrivateCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrivateCluster::~PrivateCluster() = default;

std::string PrivateCluster::owner_url() const {
  return impl_->url_for("qylon_owner");
}
std::string PrivateCluster::url() const {
  return impl_->url_for("qylon_app");
}
int PrivateCluster::postmaster_pid() const {
  return impl_->pid();
}

}  // namespace qylon::storage
