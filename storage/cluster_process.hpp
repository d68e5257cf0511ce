#pragma once
/// PostgreSQL's programs as child processes of ours, without our privileges.

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/result.hpp"
#include "core/unique_fd.hpp"

namespace qylon::storage {

/// Who PostgreSQL runs as.
struct ClusterUser {
  uid_t uid = 0;
  gid_t gid = 0;
  bool drop = false;  ///< We are root and must become this user.
};
/// Ourselves, unless we are root: then `postgres`, else `nobody`.
/// Errors: kUnavailable when root finds neither.
Result<ClusterUser> choose_cluster_user();

/// The descriptor under which a child finds the cluster's parent directory open.
inline constexpr int kDirectoryFd = 3;
/// That directory's name in the child. Unlike its path it can be reached when a parent directory is
/// closed to the unprivileged user, as /root is, and it is never too long.
inline constexpr const char* kDirectoryInChild = "/proc/self/fd/3";

/// A child that was started and not yet waited for. Threads: one at a time, but for the pid.
class ClusterProcess {
 public:
  struct Command {
    std::string program;                 ///< Absolute.
    std::vector<std::string> arguments;  ///< Without the program's name.
    ClusterUser user;
    int directory_fd = -1;  ///< Becomes kDirectoryFd in the child.
    int log_fd = -1;        ///< Becomes its stdout and stderr.
    int signal_when_orphaned =
        0;  ///< Sent when the calling *thread* ends: call from a lasting one.
  };
  /// Starts it in its own session, so that Ctrl-C on our terminal does not reach it, with default
  /// signals, no other descriptor, a bare environment and no_new_privs.
  static Result<ClusterProcess> spawn(const Command& command);

  pid_t pid() const noexcept { return pid_; }
  /// Readable once the process has ended.
  int pid_fd() const noexcept { return pid_fd_.get(); }
  void signal(int number) const noexcept;
  /// Reaps it when it has ended within `timeout`; the wait status (see waitpid), else -1.
  int wait_for(std::chrono::milliseconds timeout);
  /// Asks (SIGINT, a fast shutdown), waits, insists (SIGQUIT), kills; reaps in the end.
  void stop(std::chrono::milliseconds patience);

 private:
  ClusterProcess(pid_t pid, UniqueFd pid_fd) : pid_(pid), pid_fd_(std::move(pid_fd)) {}

  pid_t pid_;
  UniqueFd pid_fd_;
};

/// "exit status 1", "signal 9".
std::string describe_wait_status(int status);

}  // namespace qylon::storage
