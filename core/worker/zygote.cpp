#include "core/worker/zygote.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <optional>
#include <string>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/worker/frame.hpp"
#include "core/worker/socket_io.hpp"

namespace qylon {
namespace {

constexpr int kWorkerFd = 3;
constexpr std::size_t kControlMessageMax = 4096;

// Sanitizers map terabytes of address space and cannot live under RLIMIT_AS.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitAddressSpace = false;
#else
constexpr bool kLimitAddressSpace = true;
#endif

void set_limit(__rlimit_resource resource, rlim_t value) {
  const rlimit limit{value, value};
  ::setrlimit(resource, &limit);
}

void confine(const ZygoteLimits& limits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, limits.process_name);
  (void)::nice(limits.nice);  // Below the server, whatever its own is.
  set_limit(RLIMIT_CORE, 0);
  if (kLimitAddressSpace && limits.address_space_bytes > 0)
    set_limit(RLIMIT_AS, limits.address_space_bytes);
}

std::string describe_exit(int status) {
  if (WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return std::string("ended by SIG") + (name != nullptr ? name : "?");
  }
  return "left with status " + std::to_string(WEXITSTATUS(status));
}

struct ControlMessage {
  std::optional<Frame> frame;  // Nothing: the server is gone.
  UniqueFd attached;
};

UniqueFd attached_descriptor(msghdr& message) {
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
    return UniqueFd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return UniqueFd(fd);
}

ControlMessage receive_control(int fd) {
  std::array<char, kControlMessageMax> bytes{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (got <= 0) return {};
  ControlMessage received;
  received.attached = attached_descriptor(message);
  FrameReader reader(kControlMessageMax);
  reader.append({bytes.data(), static_cast<std::size_t>(got)});
  if (auto frame = reader.next()) received.frame = std::move(*frame);
  return received;
}

class Zygote {
 public:
  Zygote(const ZygoteLimits& limits,
         const WorkerLife& life,
         int signal_fd,
         const sigset_t& old_mask)
      : limits_(limits), life_(life), signal_fd_(signal_fd), old_mask_(old_mask) {}

  void run() {
    for (;;) {
      std::array<pollfd, 2> watched{{{limits_.control_fd, POLLIN, 0}, {signal_fd_, POLLIN, 0}}};
      if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
      if (watched[1].revents != 0) reap();
      if (watched[0].revents != 0 && !obey()) break;
    }
    for (const auto& [pid, id] : workers_)
      ::kill(pid, SIGKILL);
  }

 private:
  bool obey() {
    ControlMessage message = receive_control(limits_.control_fd);
    if (!message.frame) return false;
    PayloadReader reader(message.frame->payload);
    std::uint32_t id = 0;
    if (!reader.value(id)) return false;
    if (message.frame->type == ControlFrame::kSpawn && message.attached)
      spawn(id, std::move(message.attached));
    if (message.frame->type == ControlFrame::kKill) kill_worker(id);
    return true;
  }

  void spawn(std::uint32_t id, UniqueFd socket) {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become_worker(parent, socket.release());
    if (pid < 0) {
      report(id, std::string("could not be forked: ") + std::strerror(errno));
      return;
    }
    workers_[pid] = id;
  }

  [[noreturn]] void become_worker(pid_t parent, int socket) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);  // The zygote died before the line above.
    ::sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
    if (socket != kWorkerFd) ::dup2(socket, kWorkerFd);
    ::close_range(kWorkerFd + 1, ~0U, 0);
    life_(kWorkerFd);
    // Nothing that was loaded may be torn down: its pages are shared with the other workers.
    ::_exit(0);
  }

  void kill_worker(std::uint32_t id) {
    for (const auto& [pid, worker] : workers_) {
      if (worker == id) ::kill(pid, SIGKILL);  // Not reaped yet, so the pid is still his.
    }
  }

  void reap() {
    signalfd_siginfo info{};
    while (::read(signal_fd_, &info, sizeof info) == sizeof info) {
    }
    int status = 0;
    for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0;
         pid = ::waitpid(-1, &status, WNOHANG)) {
      const auto found = workers_.find(pid);
      if (found == workers_.end()) continue;
      report(found->second, describe_exit(status));
      workers_.erase(found);
    }
  }

  void report(std::uint32_t id, std::string_view how) {
    PayloadWriter writer;
    writer.value(id);
    writer.text(how);
    std::string bytes;
    append_frame(bytes, ControlFrame::kExited, writer.bytes());
    send_message(limits_.control_fd, bytes);
  }

  const ZygoteLimits& limits_;
  const WorkerLife& life_;
  const int signal_fd_;
  const sigset_t old_mask_;
  std::map<pid_t, std::uint32_t> workers_;
};

bool say(int fd, FrameType type, std::string_view text) {
  PayloadWriter writer;
  writer.text(text);
  std::string bytes;
  append_frame(bytes, type, writer.bytes());
  return send_message(fd, bytes);
}

}  // namespace

int serve_zygote(const ZygoteLimits& limits, const WorkerLoader& load) {
  confine(limits);
  sigset_t child_signal{};
  sigset_t old_mask{};
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child_signal, &old_mask);
  ::signal(SIGINT, SIG_IGN);  // Ctrl-C ends the server, which then ends us after its last finals.
  const UniqueFd signals(::signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return 1;

  const auto life = load();
  if (!life) {
    say(limits.control_fd, ControlFrame::kFailure, life.error().message);
    return 1;
  }
  if (!say(limits.control_fd, ControlFrame::kReady, "")) return 1;
  Zygote(limits, *life, signals.get(), old_mask).run();
  ::_exit(0);  // What was loaded needs no orderly end, which would take longer than dying.
}

}  // namespace qylon
