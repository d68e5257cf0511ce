#pragma once
/// Decides which worker decodes what, and answers sessions: the thread of role `recogniser`.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/worker/pool.hpp"
#include "models/worker/segment_store.hpp"

namespace qylon::models {

/// Order of work: finals, oldest first; then live pieces, the segment that waited longest first.
/// At most `computing_max` workers compute at once. A final that finds no worker takes one from the
/// newest live segment, which then shows no more partials. A live segment that has fallen
/// `live_backlog_ms` behind is decoded only when it ends. A worker serves one vocabulary all its
/// life, so one meeting's words never reach another's captions.
///
/// Threads: one thread calls everything.
/// Errors : a worker that dies or exceeds its time costs its segment one retry on another worker;
///          the second loss fails the segment.
class Supervisor {
 public:
  struct Options {
    std::string engine;
    std::string language;
    int computing_max = 1;                     ///< Workers that may compute at once, >= 1.
    int workers_max = 2;                       ///< Processes, >= computing_max.
    std::int64_t live_step_ms = 300;           ///< New audio between two partials.
    std::int64_t live_backlog_ms = 4000;       ///< Behind by more: no more partials.
    std::int64_t request_base_ms = 10'000;     ///< A request may take this long ...
    std::int64_t request_ms_per_s = 4000;      ///< ... plus this for each second of audio.
    std::int64_t final_wait_ms_max = 120'000;  ///< Waited longer for a worker: the segment fails.
  };
  struct Deps {
    SegmentStore& store;
    WorkerPool& pool;
    Counters& counters;
    const Clock& clock;
  };
  Supervisor(Options options, const Deps& deps);

  /// Reacts to what the pool saw.
  void handle(const std::vector<PoolEvent>& events);
  /// Gives out work; ends what takes too long. Call after handle() and on every wake.
  void schedule();
  /// How long the thread may sleep without another event [ms]; -1: for ever.
  int sleep_ms() const;

 private:
  struct Worker {
    bool ready = false;
    std::shared_ptr<const Vocabulary> vocabulary;  // Null: none told yet, free to take one.
    SegmentKey segment = 0;                        // 0: idle.
    int unanswered = 0;                            // Requests sent and not answered.
    std::int64_t deadline_us = 0;                  // Of the start or of the oldest request.
  };
  struct Progress {
    WorkerId worker = 0;  // 0: none.
    std::int64_t sent_samples = 0;
    bool live_allowed = true;
    bool finishing = false;
    int losses = 0;
    std::int64_t last_live_us = 0;
    std::vector<std::string> last_words;
  };

  void on_frame(WorkerId id, const Frame& frame);
  void on_partial(WorkerId id, const Decoded& decoded);
  void on_final(WorkerId id, const Decoded& decoded);
  void on_gone(WorkerId id, std::string_view how);
  void lose_worker_of(SegmentKey key, std::string_view how);
  void break_worker(WorkerId id, std::string_view how);

  void end_overdue();
  void drop_abandoned(const std::vector<SegmentView>& views);
  void schedule_finals(std::vector<SegmentView> views);
  void schedule_live(std::vector<SegmentView> views);
  bool wants_live(const SegmentView& view);
  void stop_live(Progress& progress);
  bool answer_without_worker(const SegmentView& view);
  void send_final(const SegmentView& view, WorkerId id);
  void send_live(const SegmentView& view, WorkerId id);
  void assign(const SegmentView& view, WorkerId id, bool live);
  void send_audio(const SegmentView& view, WorkerId id);
  void count_request(WorkerId id, std::int64_t samples);

  std::optional<WorkerId> acquire(const SegmentView& view, bool for_final);
  std::optional<WorkerId> idle_worker(const Vocabulary& vocabulary) const;
  std::optional<WorkerId> make_room(bool for_final, const Vocabulary& vocabulary);
  WorkerId least_urgent_worker(bool for_final) const;
  void spawn_worker();
  void release(WorkerId id);
  int computing() const;
  void warm_up();

  void answer(SegmentKey key,
              RecogniserResult::Kind kind,
              const Decoded& decoded,
              std::string reason);
  void fail(SegmentKey key, std::string reason);

  const Options options_;  // Constant after construction.
  SegmentStore& store_;
  WorkerPool& pool_;
  const Clock& clock_;
  Counter& finals_;
  Counter& failures_;
  Counter& retries_;
  Counter& partials_;
  Counter& partials_dropped_;
  Counter& workers_lost_;
  Counter& words_skipped_;
  std::map<WorkerId, Worker> workers_;
  std::map<SegmentKey, Progress> progress_;
  int starts_claimed_ = 0;  // Starting workers promised to segments in this round.
};

}  // namespace qylon::models
