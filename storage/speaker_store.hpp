#pragma once
/// Who the speakers of a meeting are now, as rows.
///
/// Threads: inside a Database job. Errors common to all: those of Session::transact.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/transcript.hpp"
#include "storage/database.hpp"

namespace pqxx {
class row;
}

namespace qylon::storage {

/// Stores a correction and applies it to what came before it. A correction that is there already
/// changes nothing, so that the journal may be read again.
/// REQUIRES: caption.offset and caption.change.
void store_speaker_change(pqxx::transaction_base& transaction, const Caption& caption);

/// What a voice of a meeting sounds like.
struct VoiceRow {
  std::string key;              ///< Speaker::key.
  std::vector<float> centroid;  ///< L2 norm 1, of `model`'s size.
  float weight = 0;             ///< How much speech it is the mean of.
};
/// From columns key, centroid, weight.
VoiceRow voice_row(const pqxx::row& row);
/// `model` names the weights that made the centroids. Written again: the newer wins.
Status save_voices(Session& session,
                   MeetingId meeting,
                   std::string_view model,
                   std::span<const VoiceRow> voices);
/// Those that the same model made.
Result<std::vector<VoiceRow>> load_voices(Session& session,
                                          MeetingId meeting,
                                          std::string_view model);

/// Everybody who is somebody now, by key.
Result<std::vector<Speaker>> load_speakers(Session& session, MeetingId meeting);

/// Speakers that are no more, by key, and whose they are now.
Result<std::map<std::string, std::string>> load_merged_speakers(Session& session,
                                                                MeetingId meeting);

}  // namespace qylon::storage
