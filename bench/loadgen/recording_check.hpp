#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/loadgen/findings.hpp"
#include "bench/loadgen/speech_loop.hpp"
#include "core/result.hpp"

namespace qylon::loadgen {

/// The Opus packets of an Ogg Opus file (RFC 7845), without its two headers.
/// Errors: kInvalidArgument when pages or packets are broken, or bytes belong to no page.
Result<std::vector<std::string>> read_ogg_packets(std::string_view file);

/// Holds a recording against what its uplink offered: the same packets in the same order, none
/// missing and none besides. Equal packets are equal samples, because decoding is deterministic.
Findings compare_recording(const std::string& name,
                           std::string_view file,
                           const SpeechLoop& speech,
                           std::uint64_t packets);

}  // namespace qylon::loadgen
