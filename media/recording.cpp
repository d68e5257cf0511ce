#include "media/recording.hpp"

#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "media/recording_file.hpp"
#include "media/recording_track.hpp"

namespace qylon::media {
namespace {

// Closes may wait beyond a queue that is full of packets; a meeting has one for each track.
constexpr std::size_t kClosesMax = 1024;
constexpr auto kRound = std::chrono::milliseconds(500);
constexpr std::int64_t kRoundUs = 500'000;
constexpr std::int64_t kRetryUs = 1'000'000;
constexpr std::int64_t kUnwrittenUs = 1'000'000;

}  // namespace

struct Recorder::Job {
  enum class Kind : std::uint8_t { kPacket, kCloseTrack, kCloseMeeting };
  Kind kind = Kind::kPacket;
  Key key;
  AudioFormat format;
  std::int64_t position_48k = 0;
  std::vector<std::uint8_t> packet;
  std::function<void()> done;
};

struct Recorder::Open {
  std::unique_ptr<RecordingTrack> track;  // Null while its file cannot be written.
  std::int64_t used_us = 0;               // Last packet.
  std::int64_t flushed_us = 0;
  std::int64_t failed_us = 0;
};

struct Recorder::Metrics {
  explicit Metrics(Counters& counters)
      : packets(counters.counter("qylon_recording_packets_total", "Packets recorded.")),
        queue_full(dropped(counters, "queue_full")),
        file(dropped(counters, "file")),
        old(dropped(counters, "old")),
        invalid(dropped(counters, "invalid")),
        files(counters.gauge("qylon_recording_files", "Recordings that are open.")) {}

  static Counter& dropped(Counters& counters, std::string_view reason) {
    return counters.counter("qylon_recording_dropped_total",
                            "Packets that were not recorded.",
                            "{reason=\"" + std::string(reason) + "\"}");
  }

  Counter& packets;
  Counter& queue_full;
  Counter& file;     // The file could not be written, or too many are open.
  Counter& old;      // Before the end of the recording.
  Counter& invalid;  // No packet of its format, or impossibly far ahead.
  Gauge& files;
};

Result<std::unique_ptr<Recorder>> Recorder::create(const Options& options,
                                                   const Clock& clock,
                                                   Counters& counters,
                                                   const Log& log) {
  if (options.queue_packets < 1 || options.idle_ms < 1 || options.files_max < 1)
    return Error{ErrorCode::kInvalidArgument, "queue_packets, idle_ms and files_max start at 1"};
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) {
    return Error{ErrorCode::kInvalidArgument,
                 "cannot make the folder " + options.directory + ": " + error.message()};
  }
  std::unique_ptr<Recorder> recorder(new Recorder(options, clock, counters, log));
  recorder->thread_ = std::thread([raw = recorder.get()] { raw->run(); });
  return recorder;
}

Recorder::Recorder(const Options& options, const Clock& clock, Counters& counters, const Log& log)
    : options_(options),
      clock_(clock),
      log_(log),
      metrics_(std::make_unique<Metrics>(counters)),
      jobs_(std::make_unique<BoundedQueue<Job>>(options.queue_packets + kClosesMax)) {}

Recorder::~Recorder() {
  jobs_->close();
  if (thread_.joinable()) thread_.join();
}

void Recorder::write(MeetingId meeting,
                     TrackId track,
                     const AudioFormat& format,
                     std::int64_t position_samples_48k,
                     std::vector<std::uint8_t> packet) {
  Job job{
      Job::Kind::kPacket, {meeting, track}, format, position_samples_48k, std::move(packet), {}};
  if (jobs_->size() >= options_.queue_packets || !jobs_->try_push(std::move(job)))
    metrics_->queue_full.add();
}

void Recorder::close_track(MeetingId meeting, TrackId track) {
  Job job{Job::Kind::kCloseTrack, {meeting, track}, {}, 0, {}, {}};
  // Refused only when a thousand closes wait; then close_idle() does it.
  static_cast<void>(jobs_->try_push(std::move(job)));
}

void Recorder::close_meeting(MeetingId meeting, std::function<void()> done) {
  Job job{Job::Kind::kCloseMeeting, {meeting, 0}, {}, 0, {}, std::move(done)};
  if (!jobs_->try_push(std::move(job)) && job.done) job.done();
}

std::int64_t Recorder::end_48k(MeetingId meeting, TrackId track) const {
  return RecordingFile::end_48k(path(meeting, track));
}

std::string Recorder::path(MeetingId meeting, TrackId track) const {
  return options_.directory + "/" + meeting.to_string() + "/" + std::to_string(track) + ".opus";
}

void Recorder::run() {
  while (!jobs_->closed()) {
    if (auto job = jobs_->pop_for(kRound)) handle(*job);
    do_round();
  }
  while (auto job = jobs_->try_pop())
    handle(*job);
  while (!open_.empty())
    close(open_.begin());
}

void Recorder::handle(Job& job) {
  switch (job.kind) {
    case Job::Kind::kPacket:
      write_packet(job);
      return;
    case Job::Kind::kCloseTrack:
      if (const auto found = open_.find(job.key); found != open_.end()) close(found);
      return;
    case Job::Kind::kCloseMeeting:
      for (auto it = open_.lower_bound({job.key.first, 0});
           it != open_.end() && it->first.first == job.key.first;)
        it = close(it);
      if (job.done) job.done();
      return;
  }
}

void Recorder::write_packet(const Job& job) {
  Open* const open = find_or_open(job);
  if (open == nullptr) {
    metrics_->file.add();
    return;
  }
  const auto written = open->track->write(job.position_48k, job.packet);
  if (!written) {
    metrics_->file.add();
    note_failure(job.key, *open, written.error());
    return;
  }
  switch (*written) {
    case RecordingTrack::Written::kYes:
      metrics_->packets.add();
      return;
    case RecordingTrack::Written::kOld:
      metrics_->old.add();
      return;
    case RecordingTrack::Written::kNoPacket:
    case RecordingTrack::Written::kTooFar:
      metrics_->invalid.add();
      return;
  }
}

/// The track's open recording, or null while it cannot be opened.
Recorder::Open* Recorder::find_or_open(const Job& job) {
  const std::int64_t now_us = clock_.monotonic_us();
  auto found = open_.find(job.key);
  if (found == open_.end()) {
    if (open_.size() >= options_.files_max) return nullptr;
    found = open_.emplace(job.key, Open{nullptr, now_us, now_us, now_us - kRetryUs}).first;
    metrics_->files.set(static_cast<std::int64_t>(open_.size()));
  }
  Open& open = found->second;
  open.used_us = now_us;
  if (open.track && open.track->format() == job.format) return &open;
  finish(job.key, open);
  if (now_us - open.failed_us < kRetryUs) return nullptr;
  const std::string file = path(job.key.first, job.key.second);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), error);
  auto track = RecordingTrack::open(file, job.format);
  if (!track) {
    note_failure(job.key, open, track.error());
    return nullptr;
  }
  open.track = *std::move(track);
  return &open;
}

void Recorder::note_failure(const Key& key, Open& open, const Error& error) {
  open.track.reset();
  open.failed_us = clock_.monotonic_us();
  log_.warn("recording_failed",
            {{"meeting", key.first.to_string()},
             {"track", std::to_string(key.second)},
             {"error", error.message}});
}

/// Twice a second: pages of tracks that fell silent are written, idle tracks are closed.
void Recorder::do_round() {
  const std::int64_t now_us = clock_.monotonic_us();
  if (now_us - round_us_ < kRoundUs) return;
  round_us_ = now_us;
  for (auto it = open_.begin(); it != open_.end();) {
    Open& open = it->second;
    if (now_us - open.used_us >= options_.idle_ms * 1000) {
      it = close(it);
      continue;
    }
    if (open.track && now_us - open.flushed_us >= kUnwrittenUs) {
      open.flushed_us = now_us;
      if (const Status flushed = open.track->flush(); !flushed)
        note_failure(it->first, open, flushed.error());
    }
    ++it;
  }
}

void Recorder::finish(const Key& key, Open& open) {
  if (!open.track) return;
  if (const Status finished = open.track->finish(); !finished)
    note_failure(key, open, finished.error());
  open.track.reset();
}

Recorder::OpenMap::iterator Recorder::close(OpenMap::iterator it) {
  finish(it->first, it->second);
  const auto next = open_.erase(it);
  metrics_->files.set(static_cast<std::int64_t>(open_.size()));
  return next;
}

}  // namespace qylon::media
