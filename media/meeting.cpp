#include "media/meeting.hpp"

#include <algorithm>
#include <utility>

namespace qylon::media {
namespace {

constexpr std::int64_t kStatusIntervalUs = 1'000'000;
constexpr std::int64_t kLevelsIntervalUs = 100'000;
// A killed server's meeting has forgotten what its voices said since.
constexpr std::int64_t kVoicesIntervalUs = 10'000'000;
// After this long without audio or connection the meeting's memory is given back.
constexpr std::int64_t kIdleUs = 600'000'000;
// A recogniser that has not answered by then never will; the interims' words become final.
constexpr std::int64_t kEndTimeoutUs = 120'000'000;
constexpr std::int64_t kLagThinnedMs = 5'000;
constexpr std::int64_t kLagFinalsOnlyMs = 15'000;

std::string_view caption_mode(std::int64_t lag_ms) {
  if (lag_ms < kLagThinnedMs) return "full";
  return lag_ms < kLagFinalsOnlyMs ? "thinned" : "finals_only";
}

/// Key of the one person on a track; empty for a mixed one.
std::string person_key(const TrackHello& hello) {
  return hello.speaker.empty() ? "" : "t" + std::to_string(hello.track);
}

Track::Counts track_counts(Counters& counters) {
  return {counters.counter("qylon_uplink_frames_total", "Uplink frames taken."),
          counters.counter("qylon_uplink_duplicates_total", "Uplink frames that came before."),
          counters.counter("qylon_uplink_late_total", "Frames that came after they were given up."),
          counters.counter("qylon_uplink_jumps_total", "Frames with an impossible sequence."),
          counters.counter("qylon_uplink_lost_ms_total", "Audio given up as lost [ms]."),
          counters.counter("qylon_uplink_gap_ms_total", "Silence by the capture clock [ms]."),
          counters.counter("qylon_uplink_undecodable_total", "Packets the decoder refused.")};
}

}  // namespace

Meeting::Meeting(MeetingRecord record, const Parts& parts)
    : info_(std::move(record.info)),
      parts_(parts),
      final_delay_ms_(parts.counters.histogram("qylon_final_delay_ms",
                                               "From the newest audio to a final behind it [ms].",
                                               {250, 500, 1000, 2000, 4000, 8000, 16000})),
      given_up_(parts.counters.counter("qylon_utterances_given_up_total",
                                       "Utterances whose final never came.")),
      last_offset_(record.last_offset),
      last_segment_(record.last_segment),
      voices_(std::make_unique<diarization::VoiceClusters>(parts.voice_model)),
      journalled_(std::move(record.journalled)),
      speakers_(*voices_, std::move(record.speakers)),
      bleed_(*this,
             {parts.counters.counter("qylon_bleed_words_total",
                                     "Words left out, for another track says them louder."),
              parts.counters.counter("qylon_bleed_overflow_total",
                                     "Finals kept as they are: too many waited.")}),
      time_(parts.clock, info_.started_us),
      idle_since_us_(parts.clock.monotonic_us()) {
  parts_.sink.on_opened(info_);
  for (const TrackRecord& track : record.tracks)
    time_.set_zero(track.clock, track.clock_zero_ms);
}

Meeting::~Meeting() {
  say_voices();
  parts_.sink.on_closed(info_.id);
}

Result<std::vector<std::shared_ptr<TrackState>>> Meeting::open_tracks(const UplinkHello& hello) {
  if (info_.state == MeetingState::kEnding || info_.state == MeetingState::kEnded) {
    return Error{ErrorCode::kConflict, "the meeting has ended; create another one"};
  }
  std::vector<std::shared_ptr<TrackState>> states;
  for (const TrackHello& track : hello.tracks) {
    auto opened = open_track(track, hello);
    if (!opened) return opened.error();
    states.push_back((*opened)->state());
  }
  for (const TrackHello& track : hello.tracks) {
    Entry& entry = tracks_[track.track];
    entry.connected = true;
    entry.track->state()->jumped = false;
    parts_.sink.on_track(info_.id,
                         {.hello = entry.track->hello(),
                          .clock = hello.clock,
                          .clock_zero_ms = entry.track->clock_zero_ms()});
  }
  publish_status();
  return states;
}

Result<Track*> Meeting::open_track(const TrackHello& hello, const UplinkHello& uplink) {
  Entry& entry = tracks_[hello.track];
  Track* const existing = entry.track.get();
  if (existing != nullptr) {
    if (!(existing->hello().format == hello.format)) {
      return Error{ErrorCode::kInvalidArgument,
                   "track " + std::to_string(hello.track) +
                       " began with another codec, rate or channel count; use another track"};
    }
    if (existing->clock() != uplink.clock) {
      existing->flush();
      existing->switch_clock(
          uplink.clock,
          time_.zero_ms(uplink.clock, uplink.clock_start_ms, existing->position_ms()));
    }
    return existing;
  }
  const std::int64_t zero_ms = time_.zero_ms(uplink.clock, uplink.clock_start_ms, 0);
  auto created =
      Track::create({.hello = hello, .clock = uplink.clock, .clock_zero_ms = zero_ms, .jitter = {}},
                    {.meeting = info_.id,
                     .recorder = parts_.recorder,
                     .counts = track_counts(parts_.counters),
                     .make_captioner = [this, hello](const Captioner::Options& options) {
                       return make_captioner(hello, options);
                     }});
  if (!created) {
    tracks_.erase(hello.track);
    return created.error();
  }
  entry.track = *std::move(created);
  resume_track(*entry.track);
  return entry.track.get();
}

void Meeting::resume_track(Track& track) {
  const auto at = journalled_.find(track.hello().track);
  if (at == journalled_.end()) return;
  if (at->second.clock == track.clock() && !at->second.frames.empty()) {
    track.resume(std::move(at->second), parts_.clock.monotonic_us());
  }
  journalled_.erase(at);
}

void Meeting::resume(const std::vector<TrackRecord>& tracks) {
  info_.state = MeetingState::kLive;  // Also when it was killed while it ended.
  for (const TrackRecord& track : tracks) {
    const auto at = journalled_.find(track.hello.track);
    if (at == journalled_.end() || at->second.clock != track.clock) continue;
    // A failure leaves the track as it was stored: its format was taken before.
    static_cast<void>(open_track(track.hello,
                                 {.meeting = info_.id,
                                  .clock = track.clock,
                                  .clock_start_ms = track.clock_zero_ms,
                                  .tracks = {track.hello}}));
  }
}

std::unique_ptr<Captioner> Meeting::make_captioner(const TrackHello& hello,
                                                   Captioner::Options options) {
  note_started();
  Captioner::Parts parts{
      .host = bleed_, .session = nullptr, .voices = nullptr, .given_up = given_up_};
  parts.voices = std::make_unique<diarization::VoiceTracker>(*voices_);
  if (!hello.speaker.empty())
    options.speaker = Speaker{person_key(hello), hello.speaker, Provenance::kTrack, 1.0F};
  parts.session = parts_.recogniser.open({.vocabulary = vocabulary()},
                                         parts_.result_sink(info_.id, hello.track));
  auto captioner = std::make_unique<Captioner>(options, std::move(parts));
  bleed_.add(hello.track, *captioner);
  return captioner;
}

void Meeting::note_started() {
  if (info_.started_us) return;
  info_.started_us = parts_.clock.wall_us();
  info_.state = MeetingState::kLive;
  time_.start();
  parts_.sink.on_started(info_.id, *info_.started_us);
}

std::vector<std::string> Meeting::vocabulary() const {
  std::vector<std::string> words = info_.glossary;
  if (!info_.title.empty()) words.push_back(info_.title);
  for (const auto& [id, entry] : tracks_) {
    if (entry.track && !entry.track->hello().speaker.empty()) {
      words.push_back(entry.track->hello().speaker);
    }
  }
  return words;
}

void Meeting::on_frame(TrackId track, UplinkFrame&& frame) {
  const auto at = tracks_.find(track);
  if (at == tracks_.end() || !at->second.track) return;
  Track& target = *at->second.track;
  const auto state = target.state();
  const bool is_new = target.is_new(frame);
  UplinkFrame copy;
  std::uint64_t numbering = 0;
  if (is_new) {
    copy = frame;
    numbering = state->durable.on_journal();
  }
  target.insert(std::move(frame), parts_.clock.monotonic_us());
  if (!is_new) return;
  // The journal keeps the order of this call, so when this frame is on disk every frame that was
  // taken before it is too: the watermark of this moment becomes the durable one.
  const std::uint64_t settled = state->next_seq;
  const auto synced = [state, settled, numbering, refused = false](bool durable) mutable {
    if (durable) {
      state->durable.synced(numbering, settled, refused);
    } else {
      state->durable.refused(numbering);
      refused = true;
    }
  };
  parts_.sink.on_audio(info_.id, target.clock(), std::move(copy), synced);
}

void Meeting::on_result(TrackId track, models::RecogniserResult&& result) {
  const auto at = tracks_.find(track);
  if (at == tracks_.end() || !at->second.track || !at->second.track->captioner()) return;
  at->second.track->captioner()->on_result(std::move(result));
}

void Meeting::on_disconnect(TrackId track, std::uint64_t owner) {
  const auto at = tracks_.find(track);
  if (at == tracks_.end() || at->second.track->state()->owner != owner) return;
  at->second.connected = false;
  publish_status();
}

Speaker Meeting::speaker_of(const diarization::VoiceLabel& label) {
  return speakers_.speaker_of(label);
}

Speaker Meeting::speaker_on(TrackId track,
                            const Speaker& person,
                            const diarization::VoiceLabel& label) {
  return speakers_.speaker_on(track, person, label);
}

void Meeting::on_interim(Caption&& caption) {
  caption.meeting = info_.id;
  caption.speaker = speakers_.shown_as(std::move(caption.speaker));
  parts_.sink.on_interim(std::make_shared<const Caption>(std::move(caption)));
}

void Meeting::on_final(Caption&& caption, std::vector<VoiceWindow>&& windows) {
  caption.meeting = info_.id;
  caption.offset = ++last_offset_;
  caption.speaker = speakers_.shown_as(std::move(caption.speaker));
  voices_said_ = voices_said_ && windows.empty();
  const auto at = tracks_.find(caption.track);
  const bool here = at != tracks_.end() && at->second.track;
  speakers_.note_final(
      caption, std::move(windows), here ? person_key(at->second.track->hello()) : "");
  if (here) {
    final_delay_ms_.observe(static_cast<double>(at->second.track->position_ms() - caption.end_ms));
  }
  parts_.sink.on_final(std::make_shared<const Caption>(std::move(caption)));
}

void Meeting::publish_change(SpeakerChange change) {
  Caption correction;
  correction.meeting = info_.id;
  correction.offset = ++last_offset_;
  correction.change = std::make_shared<const SpeakerChange>(std::move(change));
  parts_.sink.on_final(std::make_shared<const Caption>(std::move(correction)));
}

Result<std::uint64_t> Meeting::correct(SpeakerChange change) {
  auto applied = speakers_.apply(std::move(change));
  if (!applied) return applied.error();
  publish_change(*std::move(applied));
  publish_status();
  return last_offset_;
}

void Meeting::correct_speakers() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (now_us - voices_us_ >= kVoicesIntervalUs) say_voices();
  if (now_us - corrected_us_ < SpeakerBook::kLookEveryUs) return;
  corrected_us_ = now_us;
  for (SpeakerChange& change : speakers_.corrections(now_us))
    publish_change(std::move(change));
}

void Meeting::say_voices() {
  voices_us_ = parts_.clock.monotonic_us();
  if (voices_said_) return;
  voices_said_ = true;
  parts_.sink.on_voices(info_.id, speakers_.voices());
}

void Meeting::tick() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  bool connected = false;
  for (auto& [id, entry] : tracks_) {
    entry.track->tick(now_us);
    connected = connected || entry.connected;
    idle_since_us_ = std::max(idle_since_us_, entry.track->last_frame_us());
  }
  if (connected) idle_since_us_ = now_us;
  if (now_us - levels_us_ >= kLevelsIntervalUs) {
    levels_us_ = now_us;
    publish_levels();
  }
  bleed_.tick();
  correct_speakers();
  if (now_us - status_us_ >= kStatusIntervalUs) publish_status();
  if (!end_waiters_.empty() && (all_final() || now_us >= end_deadline_us_)) finish_end();
}

void Meeting::publish_levels() {
  std::vector<TrackLevel> levels;
  for (auto& [id, entry] : tracks_) {
    if (entry.track->started()) levels.push_back(entry.track->take_level());
  }
  if (!levels.empty()) parts_.sink.on_levels(info_.id, std::move(levels));
}

void Meeting::publish_status() {
  status_us_ = parts_.clock.monotonic_us();
  auto status = std::make_shared<MeetingStatus>();
  status->meeting = info_.id;
  status->state = info_.state;
  status->lag_ms = parts_.recogniser.lag_ms();
  status->captions = caption_mode(status->lag_ms);
  for (auto& [id, entry] : tracks_) {
    Captioner* const captioner = entry.track->captioner();
    const bool speaking = captioner != nullptr && captioner->speaking();
    status->position_ms = std::max(status->position_ms, entry.track->position_ms());
    status->tracks.push_back(
        {id, entry.track->hello().label, entry.track->hello().speaker, entry.connected, speaking});
    if (!speaking) continue;
    const Speaker speaker = speakers_.shown_as(captioner->current_speaker());
    if (speaker.key.empty()) continue;
    speakers_.note(speaker);
    status->speaking.push_back(speaker.key);
  }
  status->speakers = speakers_.speakers();
  status->hints = speakers_.hints();
  parts_.sink.on_status(std::move(status));
}

void Meeting::end(std::function<void(Status)> done) {
  end_waiters_.push_back(std::move(done));
  if (info_.state == MeetingState::kEnding) return;
  info_.state = MeetingState::kEnding;
  end_deadline_us_ = parts_.clock.monotonic_us() + kEndTimeoutUs;
  for (auto& [id, entry] : tracks_) {
    entry.track->state()->ended = true;
    entry.connected = false;
  }
  flush();
  publish_status();
}

void Meeting::flush() {
  for (auto& [id, entry] : tracks_)
    entry.track->flush();
}

bool Meeting::all_final() const {
  return bleed_.empty() && std::all_of(tracks_.begin(), tracks_.end(), [](const auto& item) {
           return !item.second.track->captioner() || item.second.track->captioner()->waiting() == 0;
         });
}

void Meeting::finish_end() {
  for (auto& [id, entry] : tracks_) {
    if (entry.track->captioner()) entry.track->captioner()->give_up_waiting();
  }
  bleed_.release_all();
  say_voices();
  voices_->finish();
  for (SpeakerChange& change : speakers_.last_corrections())
    publish_change(std::move(change));
  info_.state = MeetingState::kEnded;
  publish_status();
  handed_over_ = true;
  parts_.sink.on_ended(info_.id, [waiters = std::move(end_waiters_)](const Status& status) {
    for (const auto& waiter : waiters)
      waiter(status);
  });
  end_waiters_.clear();
}

bool Meeting::finished() const noexcept {
  const bool idle = parts_.clock.monotonic_us() - idle_since_us_ >= kIdleUs;
  const bool ended = handed_over_ || info_.state == MeetingState::kEnded;
  return ended || (idle && end_waiters_.empty() && all_final());
}

}  // namespace qylon::media
