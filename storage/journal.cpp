#include "storage/journal.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "core/bounded_queue.hpp"
#include "storage/spool_writer.hpp"

namespace qylon::storage {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kGroupRecordsMax = 8192;
constexpr milliseconds kIdleInterval{1000};

Status check(const Journal::Options& options) {
  const auto bad = [](const char* what) { return Error{ErrorCode::kInvalidArgument, what}; };
  if (options.sync_interval_ms < 0 || options.sync_interval_ms > 1000)
    return bad("sync_interval_ms must be in 0..1000");
  if (options.queue_records_max < 1) return bad("queue_records_max must be at least 1");
  return ok();
}

}  // namespace

class Journal::Impl {
 public:
  Impl(Options options,
       std::unique_ptr<SpoolDisk> disk,
       std::unique_ptr<MeetingKeys> keys,
       const Log& log,
       Counters& counters,
       const Clock& clock)
      : options_(std::move(options)),
        refused_(counters.counter("qylon_journal_refused_total",
                                  "Records refused: queue full or too large")),
        keys_(std::move(keys)),
        spool_(options_.spool, std::move(disk), keys_.get(), log, counters, clock),
        writer_(spool_, options_.backlog_bytes_max, log, counters, clock),
        queue_(options_.queue_records_max) {}
  ~Impl() {
    queue_.close();
    if (thread_.joinable()) thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  Status start() {
    if (Status opened = spool_.open(); !opened) return opened;
    thread_ = std::thread([this] { run(); });
    return ok();
  }

  bool append(Record&& record, Synced&& synced) {
    const bool taken = record.payload.size() <= kRecordPayloadBytesMax &&
                       queue_.try_push(SpoolItem{std::move(record), std::move(synced)});
    if (!taken) refused_.add();
    return taken;
  }

  Spool& spool() noexcept { return spool_; }
  const SpoolWriter& writer() const noexcept { return writer_; }

 private:
  void run() {
    std::vector<SpoolItem> group;
    while (true) {
      const bool writable = writer_.writable();
      auto first =
          queue_.pop_for(writable ? kIdleInterval : milliseconds(options_.spool.retry_interval_ms));
      if (!first && queue_.closed()) break;
      if (first) {
        group.push_back(std::move(*first));
        collect(group);
      }
      // Nobody may append while appends fail, so the journal finds out by itself.
      if (first || !writable) writer_.write(group);
      last_sync_ = SteadyClock::now();
      // What waits may be settled before it is written: only then is it known to be safe to forget.
      if (writer_.writable()) spool_.tidy();
    }
    spool_.close();
  }

  /// Adds what arrives until the interval since the last sync has passed.
  void collect(std::vector<SpoolItem>& group) {
    const auto deadline = last_sync_ + milliseconds(options_.sync_interval_ms);
    while (group.size() < kGroupRecordsMax) {
      const auto left = deadline - SteadyClock::now();
      auto item = left > SteadyClock::duration::zero()
                      ? queue_.pop_for(std::chrono::ceil<microseconds>(left))
                      : queue_.try_pop();
      if (!item) return;
      group.push_back(std::move(*item));
    }
  }

  const Options options_;  // Constant after construction.
  Counter& refused_;
  const std::unique_ptr<MeetingKeys> keys_;  // Null: nothing is sealed.
  Spool spool_;  // Its writing half is the journal's thread's, as is the writer.
  SpoolWriter writer_;
  SteadyClock::time_point last_sync_{};
  BoundedQueue<SpoolItem> queue_;
  std::thread thread_;
};

Result<std::unique_ptr<Journal>> Journal::open(Options options,
                                               const Log& log,
                                               Counters& counters,
                                               const Clock& clock) {
  if (const Status valid = check(options); !valid) return valid.error();
  auto disk = open_spool_disk(options.dir);
  if (!disk) return disk.error();
  auto keys = MeetingKeys::open(options.dir + "/keys", options.key_file);
  if (!keys) return keys.error();
  auto impl = std::make_unique<Impl>(
      std::move(options), std::move(*disk), std::move(*keys), log, counters, clock);
  return start(std::move(impl));
}

Result<std::unique_ptr<Journal>> Journal::open(Options options,
                                               std::unique_ptr<SpoolDisk> disk,
                                               const Log& log,
                                               Counters& counters,
                                               const Clock& clock) {
  if (const Status valid = check(options); !valid) return valid.error();
  return start(
      std::make_unique<Impl>(std::move(options), std::move(disk), nullptr, log, counters, clock));
}

Result<std::unique_ptr<Journal>> Journal::start(std::unique_ptr<Impl> impl) {
  if (const Status started = impl->start(); !started) return started.error();
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;

bool Journal::append(Record record, Synced synced) {
  return impl_->append(std::move(record), std::move(synced));
}
void Journal::settle(MeetingId meeting, std::uint64_t offset) {
  impl_->spool().settle(meeting, offset);
}
bool Journal::writable() const noexcept {
  return impl_->writer().writable();
}
bool Journal::takes_new_streams() const noexcept {
  return writable() && impl_->spool().roomy();
}
const Spool& Journal::spool() const noexcept {
  return impl_->spool();
}

}  // namespace qylon::storage
