#pragma once
/// The process that unpacks streams of bytes, from its command line to its end.

#include <cstdint>
#include <string>
#include <vector>

#include "core/worker/frame.hpp"

namespace qylon::media {

/// Hidden subcommand of the program: the zygote of these processes.
inline constexpr const char* kStreamZygoteSubcommand = "stream-zygote";
/// Call it first in main(), before any thread, and exit with what it returns.
int run_stream_zygote();

/// A piece may cost this much computing; then the kernel ends the process (SIGPROF).
inline constexpr int kPieceCpuMsMax = 120;
/// A piece may hold this many bytes of packets: 43 s of 48 kHz stereo.
inline constexpr std::size_t kPieceFoundBytesMax = 8U << 20;

/// What a worker says of itself when it is ready, before it has seen anything of a client.
struct WorkerReady {
  std::int32_t pid = 0;
  std::int32_t landlock_abi = 0;
  bool filtered = false;
};
std::string encode_ready(const WorkerReady& ready);
bool parse_ready(std::string_view payload, WorkerReady& ready);

/// Serves frames from `socket` until it closes or breaks the protocol.
/// Threads: blocks the only thread of the process.
void serve_streams(int socket);

}  // namespace qylon::media
