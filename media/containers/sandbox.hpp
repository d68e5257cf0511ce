#pragma once
/// What a process that reads bytes of strangers may still do: compute, and talk on one socket.

#include <cstdint>

#include "core/result.hpp"

namespace qylon::media {

struct Sandbox {
  int landlock_abi = 0;   ///< 0: the kernel has no Landlock; files are denied by the filter alone.
  bool filtered = false;  ///< System calls are filtered; false only in sanitizer builds.
};

/// Binds the calling process for ever: limits (memory, no new files or processes), then Landlock
/// without any right, then a filter that kills the process on any system call but the few that
/// computing and the open socket need. REQUIRES: the process has one thread.
/// Errors : kUnavailable when the kernel refuses a limit or the filter; Landlock's absence is told.
Result<Sandbox> enter_sandbox(std::uint64_t address_space_bytes);

/// Whether every thread of process `pid` is under a system call filter, as the kernel says.
bool is_filtered(int pid);
/// Whether process `pid` waits for something instead of computing.
bool is_sleeping(int pid);

}  // namespace qylon::media
