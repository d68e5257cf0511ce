#include "storage/cluster_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/posix_error.hpp"

namespace qylon::storage {
namespace {

constexpr int kExecFailed = 127;

/// Everything the child needs, made before fork(): after it, only system calls are safe, because
/// another thread may have held the allocator's lock.
struct ChildPlan {
  const char* program = nullptr;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  ClusterUser user;
  int directory_fd = -1;
  int log_fd = -1;
  int null_fd = -1;
  int signal_when_orphaned = 0;
  pid_t parent = 0;
  sigset_t no_signals{};
};

[[noreturn]] void give_up(const char* what) noexcept {
  [[maybe_unused]] const auto a = ::write(STDERR_FILENO, what, std::strlen(what));
  [[maybe_unused]] const auto b = ::write(STDERR_FILENO, "\n", 1);
  ::_exit(kExecFailed);
}

void arrange_descriptors(const ChildPlan& plan) noexcept {
  ::dup2(plan.null_fd, STDIN_FILENO);
  ::dup2(plan.log_fd, STDOUT_FILENO);
  ::dup2(plan.log_fd, STDERR_FILENO);
  if (plan.directory_fd == kDirectoryFd) {
    ::fcntl(kDirectoryFd, F_SETFD, 0);
  } else {
    ::dup2(plan.directory_fd, kDirectoryFd);
  }
  ::syscall(SYS_close_range, kDirectoryFd + 1, ~0U, 0);  // The rest should be close-on-exec anyway.
}

void reset_signals(const ChildPlan& plan) noexcept {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &standard, nullptr);
  ::sigprocmask(SIG_SETMASK, &plan.no_signals, nullptr);
}

void drop_privileges(const ClusterUser& user) noexcept {
  if (!user.drop) return;
  // No supplementary group: PostgreSQL needs none, and ssl-cert and the like are not its business.
  if (::setgroups(0, nullptr) != 0) give_up("setgroups failed");
  if (::setgid(user.gid) != 0) give_up("setgid failed");
  if (::setuid(user.uid) != 0) give_up("setuid failed");
}

[[noreturn]] void run_child(const ChildPlan& plan) noexcept {
  reset_signals(plan);
  ::setsid();
  ::umask(077);
  if (::chdir("/") != 0) give_up("chdir / failed");
  arrange_descriptors(plan);
  drop_privileges(plan.user);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (plan.signal_when_orphaned != 0) {
    // After setuid(), which clears it. The parent may have died in between.
    ::prctl(PR_SET_PDEATHSIG, plan.signal_when_orphaned, 0, 0, 0);
    if (::getppid() != plan.parent) ::_exit(kExecFailed);
  }
  ::execve(plan.program, plan.arguments, plan.environment);
  give_up("exec failed");
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (std::string& word : words)
    result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Result<ClusterUser> choose_cluster_user() {
  if (::geteuid() != 0) return ClusterUser{::geteuid(), ::getegid(), false};
  for (const char* name : {"postgres", "nobody"}) {
    const passwd* entry = ::getpwnam(name);
    if (entry != nullptr) return ClusterUser{entry->pw_uid, entry->pw_gid, true};
  }
  return Error{ErrorCode::kUnavailable,
               "PostgreSQL must not run as root, and there is no user postgres or nobody"};
}

Result<ClusterProcess> ClusterProcess::spawn(const Command& command) {
  std::vector<std::string> words{command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> variables{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"};
  const std::vector<char*> arguments = pointers(words);
  const std::vector<char*> environment = pointers(variables);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return posix_error("open", "/dev/null", errno);
  ChildPlan plan{command.program.c_str(),
                 arguments.data(),
                 environment.data(),
                 command.user,
                 command.directory_fd,
                 command.log_fd,
                 null.get(),
                 command.signal_when_orphaned,
                 ::getpid(),
                 {}};
  ::sigemptyset(&plan.no_signals);

  // Handlers of ours must not run in the child, where they would act on the parent's things.
  sigset_t all_signals;
  sigset_t before;
  ::sigfillset(&all_signals);
  ::pthread_sigmask(SIG_SETMASK, &all_signals, &before);
  const pid_t pid = ::fork();
  if (pid == 0) run_child(plan);
  const int fork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return posix_error("fork", command.program, fork_error);

  UniqueFd pid_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ClusterProcess process(pid, std::move(pid_fd));
  if (!process.pid_fd_) {
    const int number = errno;
    process.signal(SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return posix_error("pidfd_open", command.program, number);
  }
  return process;
}

void ClusterProcess::signal(int number) const noexcept {
  ::kill(pid_, number);
}

int ClusterProcess::wait_for(std::chrono::milliseconds timeout) {
  pollfd waiter{pid_fd_.get(), POLLIN, 0};
  while (::poll(&waiter, 1, static_cast<int>(timeout.count())) < 0 && errno == EINTR) {
  }
  if (waiter.revents == 0) return -1;
  int status = 0;
  // Somebody else may have reaped it with waitpid(-1): it has ended all the same.
  if (::waitpid(pid_, &status, 0) != pid_) return 0;
  return status;
}

void ClusterProcess::stop(std::chrono::milliseconds patience) {
  signal(SIGINT);
  if (wait_for(patience) >= 0) return;
  signal(SIGQUIT);
  if (wait_for(std::chrono::milliseconds(5000)) >= 0) return;
  signal(SIGKILL);
  wait_for(std::chrono::milliseconds(-1));
}

std::string describe_wait_status(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace qylon::storage
