#pragma once
/// Starts and ends the zygote process.

#include <string>
#include <vector>

#include <sys/types.h>

#include "core/result.hpp"
#include "core/worker/socket_io.hpp"

namespace qylon {

struct ZygoteProcess {
  pid_t pid = -1;
  UniqueFd control;  ///< SOCK_SEQPACKET; the other end is the zygote's descriptor 3.
};

/// Runs `program` with `args` in a process group of its own, with stdin and stdout on /dev/null,
/// our stderr, descriptor 3 as its control socket, no other descriptor, and an environment without
/// our secrets.
/// Threads: the zygote dies when the calling thread ends.
/// Errors: kNotFound naming the program that cannot be run.
Result<ZygoteProcess> start_zygote(const std::string& program,
                                   const std::vector<std::string>& args);

/// Kills the process and waits for its end, which SIGKILL makes immediate.
void end_zygote(ZygoteProcess& process);

}  // namespace qylon
