#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/bounded_queue.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/ids.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "media/audio_format.hpp"

namespace qylon::media {

/// Writes each track of a meeting to `{directory}/{meeting}/{track}.opus` (RFC 7845), on one thread
/// of its own (role "recorder").
///
/// Input   : packets with the position of their first sample on the track's clock at 48 kHz. Opus
///           packets are kept unchanged; PCM is mixed to mono and encoded at 32 kb/s.
/// Output  : Ogg Opus whose sample positions are the track's: what is missing between two packets
///           is silence of that length. A file is whole at every moment and at most about a second
///           of audio behind; it may be read while it grows. A track that is written again, after a
///           restart or a pause, continues its file; a torn last page is cut off first.
/// Bounds  : `queue_packets` waiting packets. A full queue drops the packet (counted), which leaves
///           silence. Tracks that had no packet for `idle_ms` are closed, so open files are few.
/// Errors  : a file that cannot be written is closed, logged and tried again after a second;
///           its packets are counted as dropped.
/// Threads : every method from any thread; all but end_48k() never block.
class Recorder {
 public:
  struct Options {
    std::string directory;             ///< Made when it is not there.
    std::size_t queue_packets = 4096;  ///< >= 1. At 50 packets/s: 80 track-seconds.
    std::int64_t idle_ms = 30'000;     ///< > 0.
    std::size_t files_max = 1024;      ///< Open at once; packets of further tracks are dropped.
  };

  /// `clock`, `counters` and `log` must outlive the recorder.
  /// Errors: kInvalidArgument when the directory cannot be made or an option is out of range.
  static Result<std::unique_ptr<Recorder>> create(const Options& options,
                                                  const Clock& clock,
                                                  Counters& counters,
                                                  const Log& log);
  /// Writes what is queued, closes every file and joins the thread.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  Recorder(Recorder&&) = delete;
  Recorder& operator=(Recorder&&) = delete;

  /// Packets of one track must come in order of position; what was written before is dropped.
  void write(MeetingId meeting,
             TrackId track,
             const AudioFormat& format,
             std::int64_t position_samples_48k,
             std::vector<std::uint8_t> packet);
  void close_track(MeetingId meeting, TrackId track);
  /// Where the track's file ends; 0 when there is none. REQUIRES: it is not open for writing.
  /// Cost: reads the end of the file, a quarter of a megabyte.
  std::int64_t end_48k(MeetingId meeting, TrackId track) const;
  /// Calls `done` on the recorder's thread when the meeting's files are complete and on disk (at
  /// once, on the caller's, when the recorder is swamped with closes or going down).
  void close_meeting(MeetingId meeting, std::function<void()> done);

  /// Where the track's recording is, whether it exists or not.
  std::string path(MeetingId meeting, TrackId track) const;

 private:
  using Key = std::pair<MeetingId, TrackId>;
  struct Job;
  struct Open;
  struct Metrics;
  using OpenMap = std::map<Key, Open>;

  Recorder(const Options& options, const Clock& clock, Counters& counters, const Log& log);
  void run();
  void handle(Job& job);
  void write_packet(const Job& job);
  Open* find_or_open(const Job& job);
  void note_failure(const Key& key, Open& open, const Error& error);
  void do_round();
  void finish(const Key& key, Open& open);
  OpenMap::iterator close(OpenMap::iterator it);

  const Options options_;  // Constant after construction.
  const Clock& clock_;
  const Log& log_;
  const std::unique_ptr<Metrics> metrics_;
  const std::unique_ptr<BoundedQueue<Job>> jobs_;
  OpenMap open_;               // Recorder thread only, as round_us_.
  std::int64_t round_us_ = 0;  // When do_round() last ran.
  std::thread thread_;
};

}  // namespace qylon::media
