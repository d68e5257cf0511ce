#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "diarization/embedding_model.hpp"
#include "diarization/rttm.hpp"

namespace qylon::server {

/// Who spoke when in a recording, as known at four moments. Voices are "s1", "s2" ...
struct DiarizedFile {
  std::vector<diarization::Turn> first;     ///< As first shown, within 1 s of the speech.
  std::vector<diarization::Turn> after5s;   ///< Five seconds after the speech.
  std::vector<diarization::Turn> end;       ///< When the sound ended.
  std::vector<diarization::Turn> postcall;  ///< After the pass over the whole meeting.
  int relabels = 0;                         ///< Labels that changed after they had been shown.
  double audio_s = 0;
};

struct DiarizeJob {
  std::string path;       ///< Anything that GStreamer decodes.
  std::string recording;  ///< Name in the turns.
  /// When not empty, these turns' time is the speech, instead of our voice activity detection.
  std::vector<diarization::Turn> speech;
};

/// Runs a file through the live path, as fast as it goes: graph, voice activity, voices.
///
/// Threads : one. StreamGraph::init_graphs() happened before.
/// Errors  : those of PcmReader and StreamGraph.
Result<DiarizedFile> diarize_file(const DiarizeJob& job,
                                  const std::shared_ptr<const diarization::EmbeddingModel>& model);

}  // namespace qylon::server
