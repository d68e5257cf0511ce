#pragma once
/// The zygote: a process that has the model in memory and does nothing but fork workers from it.
///
/// A worker costs 24 MB instead of 97 MB that way and starts in a millisecond. The zygote never
/// touches audio, so nothing that is said can crash it.

#include <functional>
#include <memory>

#include "core/result.hpp"
#include "models/worker/segment_decoder.hpp"

namespace qylon::models {

struct ZygoteLimits {
  int control_fd = 3;                     ///< SOCK_SEQPACKET to the server.
  int nice = 5;                           ///< Audio and captions come before decoding.
  std::uint64_t address_space_bytes = 0;  ///< RLIMIT_AS of zygote and workers; 0: no limit.
};

using ModelLoader = std::function<Result<std::unique_ptr<DecoderModel>>()>;

/// Loads the model, says kReady or kFailure on the control socket, forks on kSpawn, kills on kKill,
/// reports kExited, until the control socket closes; then ends every worker. Workers hold no
/// descriptor but their own socket (as 3) and stderr, and die with the zygote, as it dies with the
/// thread that started it.
/// Returns the process's exit status.
int serve_zygote(const ZygoteLimits& limits, const ModelLoader& load);

}  // namespace qylon::models
