#pragma once
/// Voices that people lent to their organisation so that meetings recognise them. What is past its
/// expiry is never read, and is gone when the organisation's next meeting opens.
///
/// Threads: inside a Database job. Errors common to all: those of Session::transact_as.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"
#include "storage/database.hpp"
#include "storage/speaker_store.hpp"

namespace qylon::storage {

/// Of one organisation.
inline constexpr std::size_t kEnrolledVoicesMax = 1000;

struct NewVoice {
  std::string name;
  std::string model;            ///< Weights that made the centroid.
  std::vector<float> centroid;  ///< L2 norm 1.
  float weight = 0;             ///< Windows it is the mean of.
  std::string source;           ///< "meeting" or "clip".
  std::string consent_by;
  std::string consent_text;               ///< Which text was agreed to, e.g. its version.
  std::optional<std::string> consent_at;  ///< RFC 3339; nothing: now.
  std::optional<std::string> expires_at;  ///< RFC 3339; nothing: in a year.
};

/// Answers with the voice as JSON, without what it sounds like. Audited as `voice.enrolled`.
/// Errors: kConflict when the organisation has kEnrolledVoicesMax; kInvalidArgument for times that
/// are none, or not in order.
Result<std::string> enrol_voice(Session& session, const Principal& caller, const NewVoice& voice);

/// `{"voices":[...]}` of the caller's organisation, newest first.
Result<std::string> list_enrolled_voices(Session& session, const Principal& caller);

/// Erases the voice and answers with the receipt as JSON; audited as `voice.forgotten`, with the
/// receipt and the SHA-256 of what was erased. Errors: kNotFound.
Result<std::string> forget_voice(Session& session, const Principal& caller, std::string_view id);

/// What a speaker of a meeting that the caller sees sounds like, and the name shown, as
/// VoiceRow::key. Errors: kNotFound without such a speaker or voice.
Result<VoiceRow> find_speakers_voice(Session& session,
                                     const Principal& caller,
                                     MeetingId meeting,
                                     std::string_view key,
                                     std::string_view model);

/// The names, as VoiceRow::key, and voices that the meeting's organisation has enrolled with these
/// weights; at most kEnrolledVoicesMax. Erases what has expired.
Result<std::vector<VoiceRow>> load_enrolled_voices(Session& session,
                                                   MeetingId meeting,
                                                   std::string_view model);

}  // namespace qylon::storage
