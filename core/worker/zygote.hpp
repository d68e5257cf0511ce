#pragma once
/// The zygote: a process that has the workers' model or libraries in memory and does nothing but
/// fork workers from it.
///
/// A recogniser's worker costs 24 MB instead of 97 MB that way and starts in a millisecond. The
/// zygote never touches what a client sent, so nothing that is sent can crash it.

#include <cstdint>
#include <functional>

#include "core/result.hpp"

namespace qylon {

struct ZygoteLimits {
  const char* process_name = "qylon-worker";  ///< At most 15 characters, as `ps` shows it.
  int control_fd = 3;                         ///< SOCK_SEQPACKET to the server.
  int nice = 5;                               ///< Below the server: audio and captions come first.
  std::uint64_t address_space_bytes = 0;      ///< RLIMIT_AS of zygote and workers; 0: no limit.
};

/// A worker's life, in its own process: serves the socket until it closes. Called after fork().
using WorkerLife = std::function<void(int socket)>;
/// Loads what every worker needs.
using WorkerLoader = std::function<Result<WorkerLife>()>;

/// Loads, says kReady or kFailure on the control socket, forks on kSpawn, kills on kKill,
/// reports kExited, until the control socket closes; then ends every worker. Workers hold no
/// descriptor but their own socket (as 3) and stderr, and die with the zygote, as it dies with the
/// thread that started it.
/// Returns the process's exit status.
int serve_zygote(const ZygoteLimits& limits, const WorkerLoader& load);

}  // namespace qylon
