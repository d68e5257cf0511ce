#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/core/database_jobs.hpp"
#include "api/core/route_table.hpp"
#include "core/result.hpp"

namespace qylon::api {

/// What a clip's voice sounds like.
struct ClipVoice {
  std::vector<float> centroid;  ///< L2 norm 1.
  float weight = 0;             ///< Windows it is the mean of.
};

struct VoiceParts {
  DatabaseJobs& jobs;  ///< Must outlive the routes.
  std::string model;   ///< Name of the weights that hear().
  /// Bytes of a WAV file to its one voice. Any thread; takes milliseconds a second of sound.
  std::function<Result<ClipVoice>(std::string_view)> hear;
};

/// The routes about enrolled voices, as docs/PROTOCOL.md lists them: enrol from a meeting's speaker
/// or a clip, list, forget with a receipt.
///
/// Threads : any; they never block. Replies come on database threads, where a clip is heard as
/// well.
std::vector<Route> voice_routes(const VoiceParts& parts);

}  // namespace qylon::api
