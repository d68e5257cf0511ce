#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/sync.hpp"
#include "media/meeting_sink.hpp"
#include "media/recording.hpp"
#include "realtime/hub.hpp"
#include "storage/caption_writer.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"

namespace qylon::server {

/// Carries what live meetings say to the journal, then to those who watch, then to PostgreSQL.
///
/// Order   : finals, the end of a meeting and its last status pass through the journal one after
///           another; each is shown only when it and everything before it is on disk, or the disk
///           has refused it (then captions go on, and acknowledgements say durable: null).
/// Threads : MeetingSink on the shards; journal callbacks on the journal's thread; the rest any.
class Publisher final : public media::MeetingSink {
 public:
  struct Parts {
    storage::Journal& journal;
    storage::CaptionWriter& writer;
    storage::Database& database;
    media::Recorder& recorder;
    const Log& log;
    Counters& counters;
    std::string_view voice_model;  ///< Name of the weights that stored voices are of.
  };
  explicit Publisher(const Parts& parts);

  /// The hub exists only once the edge runs; before that nobody watches. Null when it stops.
  void attach(realtime::Hub* hub) noexcept { hub_ = hub; }
  /// Waits until the journal has settled, and everybody was shown, what was handed over. From then
  /// on nobody calls back but the writer and the database, which go before this does.
  /// REQUIRES: no shard runs any more.
  void drain() QYLON_EXCLUDES(steps_mutex_);
  /// Numbering of a meeting in memory.
  std::optional<Epoch> epoch(MeetingId meeting) const;
  /// Newest status of a meeting in memory, encoded; null when it is not live.
  std::shared_ptr<const std::string> newest_status(MeetingId meeting) const;

  std::string_view voice_model() const noexcept { return parts_.voice_model; }

  void on_opened(const MeetingInfo& meeting) override;
  void on_closed(MeetingId meeting) override;
  void on_started(MeetingId meeting, std::int64_t started_us) override;
  void on_track(MeetingId meeting, const media::TrackRecord& track) override;
  void on_audio(MeetingId meeting,
                ClockId clock,
                media::UplinkFrame frame,
                std::function<void(bool)> synced) override;
  void on_voices(MeetingId meeting, std::vector<media::StoredVoice> voices) override;
  void on_interim(CaptionPtr caption) override;
  void on_final(CaptionPtr caption) override;
  void on_status(std::shared_ptr<const media::MeetingStatus> status) override;
  void on_levels(MeetingId meeting, std::vector<media::TrackLevel> levels) override;
  void on_ended(MeetingId meeting, std::function<void(Status)> done) override;

 private:
  struct Live {
    int opens = 0;  // A meeting may be opened again before its last closing has been worked off.
    Epoch epoch;
    std::shared_ptr<const std::string> status;
  };
  struct Step {
    std::function<void()> show;
    bool told = false;  // Of the thread that settles it.
    bool ready = false;
  };

  void after_journal(std::optional<storage::Record> record, std::function<void()> show);
  void show_ready();
  void publish(realtime::Publication publication);
  void show_final(const CaptionPtr& caption);
  void show_status(const media::MeetingStatus& status);
  void show_rest(const MeetingInfo& meeting);
  void store_end(MeetingId meeting, bool was_live, const std::function<void(Status)>& done);

  const Parts parts_;
  Counter& undurable_;
  std::atomic<realtime::Hub*> hub_{nullptr};
  mutable Mutex live_mutex_;
  std::unordered_map<MeetingId, Live> live_ QYLON_GUARDED_BY(live_mutex_);
  Mutex steps_mutex_;
  Condition settled_;
  std::deque<std::shared_ptr<Step>> steps_ QYLON_GUARDED_BY(steps_mutex_);
  std::size_t unsettled_ QYLON_GUARDED_BY(steps_mutex_) = 0;  // Of which the journal still speaks.
  Mutex show_mutex_;  // Held while steps are shown, so that two threads cannot swap them.
};

}  // namespace qylon::server
