#pragma once
/// What the REST handlers (api/) may ask of the live meetings (media/), which never meet.

#include <cstdint>
#include <functional>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/transcript.hpp"

namespace qylon {

/// Threads: every method is safe from any thread and does not block.
class MeetingControl {
 public:
  MeetingControl() = default;
  virtual ~MeetingControl() = default;
  MeetingControl(const MeetingControl&) = delete;
  MeetingControl& operator=(const MeetingControl&) = delete;
  MeetingControl(MeetingControl&&) = delete;
  MeetingControl& operator=(MeetingControl&&) = delete;

  /// Flushes every track, waits for the recogniser's last finals and for their rows, then calls
  /// `done` once, from any thread. A meeting that is not live is done at once.
  virtual void end_meeting(MeetingId meeting, std::function<void(Status)> done) = 0;
  /// A person's correction of who spoke, in a live meeting or an ended one: numbered, published and
  /// stored as the meeting's next final. Calls `done` once, from any thread, with its offset.
  /// Errors: kNotFound for an unknown meeting or speaker, kConflict, kOverloaded.
  virtual void correct_speakers(MeetingId meeting,
                                SpeakerChange change,
                                std::function<void(Result<std::uint64_t>)> done) = 0;
  /// What the voices of a live meeting say of its tracks' people; nothing of one that is not live.
  /// Calls `done` once, from any thread. Errors: kOverloaded.
  virtual void voice_hints(MeetingId meeting,
                           std::function<void(Result<std::vector<VoiceHint>>)> done) = 0;
};

}  // namespace qylon
