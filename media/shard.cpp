#include "media/shard.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace qylon::media {
namespace {

constexpr std::int64_t kTickUs = Meeting::kTickMs * 1000;
const Error kNotLive{ErrorCode::kNotFound, "the meeting is not live"};

}  // namespace

struct Shard::Mailbox {
  explicit Mailbox(std::size_t capacity, Counters& counters)
      : tasks(capacity),
        refused_audio(counters.counter("qylon_shard_audio_refused_total",
                                       "Frames refused by a full shard; the sender is paused.")),
        dropped_interims(counters.counter("qylon_shard_interims_dropped_total",
                                          "Interims dropped because a shard was behind.")),
        lost_finals(counters.counter("qylon_shard_finals_lost_total",
                                     "Finals that found a full mailbox; should stay 0.")) {}

  BoundedQueue<Task> tasks;
  Counter& refused_audio;
  Counter& dropped_interims;
  Counter& lost_finals;
};

/// Brings a track's words from the recogniser's thread to the shard.
class Shard::ResultSink final : public models::RecogniserSink {
 public:
  ResultSink(std::shared_ptr<Mailbox> mailbox, MeetingId meeting, TrackId track)
      : mailbox_(std::move(mailbox)), meeting_(meeting), track_(track) {}

  void on_result(models::RecogniserResult result) override {
    const bool partial = result.kind == models::RecogniserResult::Kind::kPartial;
    auto& tasks = mailbox_->tasks;
    if (partial && tasks.size() * 4 >= tasks.capacity() * 3) {
      mailbox_->dropped_interims.add();
      return;
    }
    if (!tasks.try_push(ResultTask{meeting_, track_, std::move(result)})) {
      (partial ? mailbox_->dropped_interims : mailbox_->lost_finals).add();
    }
  }

 private:
  const std::shared_ptr<Mailbox> mailbox_;
  const MeetingId meeting_;
  const TrackId track_;
};

Shard::Shard(const Options& options, const Meeting::Parts& parts)
    : options_(options),
      mailbox_(std::make_shared<Mailbox>(options.mailbox_tasks_max, parts.counters)),
      parts_([&] {
        Meeting::Parts own = parts;
        own.result_sink = [mailbox = mailbox_](MeetingId meeting, TrackId track) {
          return std::make_shared<ResultSink>(mailbox, meeting, track);
        };
        return own;
      }()),
      live_meetings_(parts.counters.gauge("qylon_live_meetings", "Meetings held by the shards.")),
      thread_([this] { run(); }) {}

Shard::~Shard() {
  stopping_ = true;
  thread_.join();
  mailbox_->tasks.close();
}

bool Shard::post_frame(MeetingId meeting, TrackId track, UplinkFrame& frame) {
  auto& tasks = mailbox_->tasks;
  if (tasks.size() * 2 < tasks.capacity()) {
    Task task = FrameTask{meeting, track, std::move(frame)};
    if (tasks.try_push(std::move(task))) return true;
    frame = std::move(std::get<FrameTask>(task).frame);
  }
  mailbox_->refused_audio.add();
  return false;
}

bool Shard::post_open(UplinkHello hello, std::optional<MeetingRecord> record, Opened opened) {
  return mailbox_->tasks.try_push(OpenTask{std::move(hello), std::move(record), std::move(opened)});
}

void Shard::post_disconnect(MeetingId meeting, TrackId track, std::uint64_t owner) {
  // Lost only when the mailbox is full; the track's silence on the wire then tells the same.
  static_cast<void>(mailbox_->tasks.try_push(DisconnectTask{meeting, track, owner}));
}

void Shard::post_task(std::function<void()> task) {
  static_cast<void>(mailbox_->tasks.try_push(PlainTask{std::move(task)}));
}

bool Shard::post_end(MeetingId meeting,
                     std::optional<MeetingRecord> record,
                     std::function<void(Status)> done) {
  return mailbox_->tasks.try_push(EndTask{meeting, std::move(record), std::move(done)});
}

bool Shard::post_correct(MeetingId meeting,
                         std::optional<MeetingRecord> record,
                         SpeakerChange change,
                         Corrected done) {
  return mailbox_->tasks.try_push(
      CorrectTask{meeting, std::move(record), std::move(change), std::move(done)});
}

bool Shard::post_hints(MeetingId meeting, Hinted done) {
  return mailbox_->tasks.try_push(HintsTask{meeting, std::move(done)});
}

void Shard::run() {
  next_tick_us_ = parts_.clock.monotonic_us() + kTickUs;
  while (!stopping_) {
    const std::int64_t left = next_tick_us_ - parts_.clock.monotonic_us();
    auto task = mailbox_->tasks.pop_for(
        std::chrono::microseconds(std::clamp<std::int64_t>(left, 0, kTickUs)));
    if (task) handle(*std::move(task));
    tick_when_due();
  }
  run_until_final();
}

/// The last words of every meeting, within the grace; audio is no longer taken.
void Shard::run_until_final() {
  for (auto& [id, meeting] : meetings_)
    meeting->flush();
  const std::int64_t deadline = parts_.clock.monotonic_us() + options_.stop_grace_us;
  const auto waits = [this] {
    return std::any_of(meetings_.begin(), meetings_.end(), [](const auto& item) {
      return !item.second->all_final();
    });
  };
  while (waits() && parts_.clock.monotonic_us() < deadline) {
    auto task = mailbox_->tasks.pop_for(std::chrono::microseconds(kTickUs));
    if (task && std::holds_alternative<ResultTask>(*task)) handle(*std::move(task));
  }
  meetings_.clear();
}

void Shard::tick_when_due() {
  const std::int64_t now = parts_.clock.monotonic_us();
  if (now < next_tick_us_) return;
  next_tick_us_ = now + kTickUs;
  for (auto at = meetings_.begin(); at != meetings_.end();) {
    at->second->tick();
    at = at->second->finished() ? meetings_.erase(at) : std::next(at);
  }
  live_meetings_.set(static_cast<std::int64_t>(meetings_.size()));
}

void Shard::handle(Task&& task) {
  std::visit([this](auto&& specific) { perform(std::forward<decltype(specific)>(specific)); },
             std::move(task));
}

Meeting* Shard::find(MeetingId meeting) {
  const auto at = meetings_.find(meeting);
  return at == meetings_.end() ? nullptr : at->second.get();
}

void Shard::perform(FrameTask&& task) {
  Meeting* const meeting = find(task.meeting);
  if (meeting != nullptr) meeting->on_frame(task.track, std::move(task.frame));
}

Meeting& Shard::open(MeetingRecord record) {
  const MeetingId id = record.info.id;
  auto opened = std::make_unique<Meeting>(std::move(record), parts_);
  return *meetings_.emplace(id, std::move(opened)).first->second;
}

void Shard::perform(OpenTask&& task) {
  Meeting* meeting = find(task.hello.meeting);
  if (meeting == nullptr && task.record) meeting = &open(*std::move(task.record));
  if (meeting == nullptr) {
    task.opened(kNotLive);
    return;
  }
  task.opened(meeting->open_tracks(task.hello));
}

void Shard::perform(ResultTask&& task) {
  Meeting* const meeting = find(task.meeting);
  if (meeting != nullptr) meeting->on_result(task.track, std::move(task.result));
}

void Shard::perform(DisconnectTask&& task) {
  Meeting* const meeting = find(task.meeting);
  if (meeting != nullptr) meeting->on_disconnect(task.track, task.owner);
}

void Shard::perform(EndTask&& task) {
  Meeting* meeting = find(task.meeting);
  if (meeting == nullptr && !task.record) return task.done(kNotLive);
  if (meeting == nullptr && task.record->journalled.empty())
    return parts_.sink.on_ended(task.meeting, std::move(task.done));
  if (meeting == nullptr) {
    const std::vector<TrackRecord> tracks = task.record->tracks;
    meeting = &open(*std::move(task.record));
    meeting->resume(tracks);
  }
  meeting->end(std::move(task.done));
}

void Shard::perform(CorrectTask&& task) {
  Meeting* meeting = find(task.meeting);
  if (meeting == nullptr && !task.record) return task.done(kNotLive);
  if (meeting == nullptr) meeting = &open(*std::move(task.record));
  task.done(meeting->correct(std::move(task.change)));
}

void Shard::perform(HintsTask&& task) {
  Meeting* const meeting = find(task.meeting);
  task.done(meeting == nullptr ? std::vector<VoiceHint>{} : meeting->hints());
}

}  // namespace qylon::media
