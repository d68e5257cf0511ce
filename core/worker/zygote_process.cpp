#include "core/worker/zygote_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace qylon {
namespace {

constexpr int kControlFd = 3;

/// What a worker may need to find its libraries and what test tools need; keys and passwords of
/// the server's environment stay out.
constexpr std::array kKeptVariables{
    "PATH",
    "LD_LIBRARY_PATH",
    "LANG",
    "TZ",
    "TMPDIR",
    "ASAN_OPTIONS",
    "TSAN_OPTIONS",
    "UBSAN_OPTIONS",
};

std::vector<std::string> kept_environment() {
  std::vector<std::string> kept;
  for (const char* name : kKeptVariables) {
    if (const char* value = std::getenv(name)) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  list.reserve(words.size() + 1);
  for (std::string& word : words)
    list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

/// posix_spawn's two option objects, freed together.
struct SpawnSetup {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  explicit SpawnSetup(int control_fd) {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, control_fd, kControlFd);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, kControlFd + 1);
    posix_spawnattr_init(&attributes);
    sigset_t none{};
    sigset_t all{};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  SpawnSetup(SpawnSetup&&) = delete;
  SpawnSetup& operator=(SpawnSetup&&) = delete;
};

}  // namespace

Result<ZygoteProcess> start_zygote(const std::string& program,
                                   const std::vector<std::string>& args) {
  auto control = socket_pair(SOCK_SEQPACKET);
  if (!control) return control.error();
  std::vector<std::string> words{program};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<std::string> environment = kept_environment();
  const SpawnSetup setup(control->second.get());
  ZygoteProcess process;
  const int failure = ::posix_spawn(&process.pid,
                                    program.c_str(),
                                    &setup.files,
                                    &setup.attributes,
                                    pointers(words).data(),
                                    pointers(environment).data());
  if (failure != 0) {
    return Error{ErrorCode::kNotFound,
                 "cannot run the worker program " + program + ": " + std::strerror(failure)};
  }
  process.control = std::move(control->first);
  return process;
}

void end_zygote(ZygoteProcess& process) {
  process.control.reset();
  if (process.pid <= 0) return;
  ::kill(process.pid, SIGKILL);
  while (::waitpid(process.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  process.pid = -1;
}

}  // namespace qylon
