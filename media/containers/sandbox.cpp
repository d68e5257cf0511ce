#include "media/containers/sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace qylon::media {
namespace {

// Sanitizers map terabytes and open files of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

/// Memory, the socket that is open, time, and an end. mmap and mprotect: see allow_unless_code().
constexpr std::array kAllowed = {SYS_recvfrom,
                                 SYS_sendto,
                                 SYS_read,
                                 SYS_write,
                                 SYS_futex,
                                 SYS_brk,
                                 SYS_munmap,
                                 SYS_mremap,
                                 SYS_madvise,
                                 SYS_clock_gettime,
                                 SYS_setitimer,
                                 SYS_rt_sigreturn,
                                 SYS_getrandom,
                                 SYS_rt_sigprocmask,
                                 SYS_restart_syscall,
                                 SYS_exit_group,
                                 SYS_exit,
                                 SYS_getpid,
                                 SYS_gettid,
                                 SYS_tgkill,
                                 SYS_sched_yield,
                                 SYS_sched_getaffinity};

Error refused(const char* what) {
  return {ErrorCode::kUnavailable,
          std::string("the kernel refuses ") + what + ": " + std::strerror(errno)};
}

bool set_limit(__rlimit_resource resource, rlim_t value) {
  const rlimit limit{value, value};
  return ::setrlimit(resource, &limit) == 0;
}

Status limit_resources(std::uint64_t address_space_bytes) {
  bool done = set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_NPROC, 0) && set_limit(RLIMIT_FSIZE, 0);
  if (!kSanitized) done = done && set_limit(RLIMIT_NOFILE, 0);
  if (!kSanitized) done = done && set_limit(RLIMIT_AS, address_space_bytes);
  return done ? ok() : refused("a resource limit");
}

/// All rights that the kernel's version of Landlock knows are handled, and none is given.
Result<int> deny_files_and_network() {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return 0;
  struct {  // Longer than Debian 12's header knows; older kernels get the part that they know.
    std::uint64_t files;
    std::uint64_t network;
    std::uint64_t scoped;
  } rights{0x1FFF, 0, 0};
  std::size_t size = sizeof rights.files;
  if (abi >= 2) rights.files |= 1U << 13;  // refer
  if (abi >= 3) rights.files |= 1U << 14;  // truncate
  if (abi >= 5) rights.files |= 1U << 15;  // device ioctl
  if (abi >= 4) {
    rights.network = 3;  // bind and connect of TCP
    size += sizeof rights.network;
  }
  if (abi >= 6) {
    rights.scoped = 3;  // abstract sockets and signals
    size += sizeof rights.scoped;
  }
  const int rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rights, size, 0));
  if (rules < 0) return refused("a Landlock rule set");
  const long bound = ::syscall(SYS_landlock_restrict_self, rules, 0);
  ::close(rules);
  if (bound != 0) return refused("Landlock");
  return static_cast<int>(abi);
}

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter answer(std::uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}
sock_filter skip_unless_equal(std::uint32_t value, std::uint8_t instructions) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, instructions);
}

void allow(std::vector<sock_filter>& filter, long call) {
  filter.push_back(skip_unless_equal(static_cast<std::uint32_t>(call), 1));
  filter.push_back(answer(SECCOMP_RET_ALLOW));
}

/// mmap and mprotect, but never for memory that can be executed. (The third argument's low half:
/// both machines are little-endian.)
void allow_unless_code(std::vector<sock_filter>& filter, long call) {
  filter.push_back(skip_unless_equal(static_cast<std::uint32_t>(call), 4));
  filter.push_back(load(offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t)));
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
  filter.push_back(answer(SECCOMP_RET_KILL_PROCESS));
  filter.push_back(answer(SECCOMP_RET_ALLOW));
}

Status filter_calls() {
  std::vector<sock_filter> filter{load(offsetof(seccomp_data, arch)),
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
                                  answer(SECCOMP_RET_KILL_PROCESS),
                                  load(offsetof(seccomp_data, nr))};
  for (const long call : kAllowed)
    allow(filter, call);
  allow_unless_code(filter, SYS_mmap);
  allow_unless_code(filter, SYS_mprotect);
  filter.push_back(answer(SECCOMP_RET_KILL_PROCESS));
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
    return refused("a system call filter");
  return ok();
}

}  // namespace

Result<Sandbox> enter_sandbox(std::uint64_t address_space_bytes) {
  Sandbox sandbox;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("to give up privileges");
  const auto landlock = kSanitized ? Result<int>(0) : deny_files_and_network();
  if (!landlock) return landlock.error();
  sandbox.landlock_abi = *landlock;
  if (const Status limited = limit_resources(address_space_bytes); !limited) return limited.error();
  if (kSanitized) return sandbox;
  if (const Status filtered = filter_calls(); !filtered) return filtered.error();
  sandbox.filtered = true;
  return sandbox;
}

bool is_filtered(int pid) {
  std::error_code failure;
  const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(pid) + "/task",
                                                  failure);
  if (failure) return false;
  for (const auto& task : tasks) {
    std::ifstream status(task.path() / "status");
    bool filtered = false;
    for (std::string line; std::getline(status, line);)
      filtered = filtered || line == "Seccomp:\t2";
    if (!filtered) return false;
  }
  return true;
}

bool is_sleeping(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');  // Source: proc(5), "pid (comm) state ...".
  if (name_end == std::string::npos || name_end + 2 >= line.size()) return false;
  const char state = line[name_end + 2];
  return state == 'S' || state == 'T';  // Sleeping or stopped.
}

}  // namespace qylon::media
