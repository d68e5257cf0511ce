#pragma once
/// A worker process's whole life: read frames, decode, answer.

#include "models/worker/segment_decoder.hpp"

namespace qylon::models {

/// Longest segment a worker accepts [samples at 16 kHz]: two minutes.
inline constexpr std::size_t kWorkerSegmentSamplesMax = 120U * 16000U;

/// Says kReady, then serves frames from `fd` until it closes or breaks the protocol.
/// Threads: blocks the only thread of the process.
/// Bounds : the CPU time of each request is limited (RLIMIT_CPU) to 20 s + 4 s per second of audio,
///          after which the kernel ends the process.
void serve_decoder(int fd, SegmentDecoder& decoder);

}  // namespace qylon::models
