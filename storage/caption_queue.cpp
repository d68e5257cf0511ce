#include "storage/caption_queue.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/check.hpp"
#include "storage/caption_record.hpp"

namespace qylon::storage {
namespace {

/// What a caption keeps of memory, roughly: blocks of the allocator count half a line each.
std::size_t bytes_of(const Caption& caption) {
  std::size_t bytes = sizeof(Caption) + caption.text.size() + 64;
  for (const Word& word : caption.words)
    bytes += sizeof(Word) + word.text.size();
  return bytes;
}

/// The caption itself is at fault. Any other failure may pass, also one of our own making, as a
/// missing grant: then waiting is better than losing.
bool is_refusal(const Status& status) {
  return status.error().code == ErrorCode::kInvalidArgument ||
         status.error().code == ErrorCode::kNotFound;
}

Status not_stored() {
  return Error{ErrorCode::kUnavailable,
               "the database is away; the captions are safe and will be stored later"};
}

}  // namespace

CaptionQueue::CaptionQueue(
    const Options& options,  // NOLINT(readability-function-size): its own list.
    Events events,
    Store store,
    const Log& log,
    Counters& counters,
    const Clock& clock)
    : options_(options),
      events_(std::move(events)),
      store_(std::move(store)),
      log_(log),
      clock_(clock),
      stored_(
          counters.counter("qylon_caption_writer_stored_total", "Captions handed to PostgreSQL")),
      spilled_(counters.counter("qylon_caption_writer_spilled_total",
                                "Captions left to the journal because the queue was full")),
      refused_(counters.counter("qylon_caption_writer_refused_total",
                                "Captions that PostgreSQL refused for good")),
      rows_refused_(counters.counter("qylon_meeting_rows_refused_total",
                                     "Meeting or track rows that a full queue refused")),
      waiting_(counters.gauge("qylon_caption_writer_waiting", "Captions not stored yet")) {
  QYLON_CHECK(options_.batch_captions_max >= 1 && options_.captions_max >= 1);
}

void CaptionQueue::add(CaptionPtr caption) {
  QYLON_CHECK(caption->offset.has_value());
  const std::size_t bytes = bytes_of(*caption);
  const MutexLock lock(mutex_);
  ++added_;
  // Once one was left out, all are until it has been read again: order is what makes the stored
  // offset of a meeting a promise about all before it.
  if (spilling_ || queue_.size() >= options_.captions_max ||
      queue_bytes_ + bytes > options_.bytes_max) {
    spilling_ = true;
    spilled_.add();
    return;
  }
  queue_.push_back({std::move(caption), added_});
  queue_bytes_ += bytes;
  waiting_.set(static_cast<std::int64_t>(queue_.size()));
}

void CaptionQueue::add_row(Row row) {
  const MutexLock lock(mutex_);
  if (rows_.size() >= options_.rows_max) {
    rows_refused_.add();
    log_.warn("meeting_row_refused");
    return;
  }
  rows_.push_back(std::move(row));
}

void CaptionQueue::flush(std::function<void(Status)> done) {
  const std::int64_t deadline_us =
      clock_.monotonic_us() + std::int64_t{options_.flush_timeout_ms} * 1000;
  const MutexLock lock(mutex_);
  flushes_.push_back({added_, rows_done_ + rows_.size(), deadline_us, std::move(done)});
}

bool CaptionQueue::idle() const {
  const MutexLock lock(mutex_);
  return queue_.empty() && rows_.empty() && !spilling_;
}

bool CaptionQueue::urgent() const {
  const MutexLock lock(mutex_);
  return !flushes_.empty() || queue_.size() >= options_.batch_captions_max;
}

bool CaptionQueue::store_some() {
  if (!store_rows()) return false;
  const std::vector<CaptionPtr> batch = front_of_queue();
  if (batch.empty()) return store_spilled();
  const std::size_t done = store_batch(batch);
  pop(done);
  return done == batch.size();
}

bool CaptionQueue::store_rows() {
  while (true) {
    Row row;
    {
      const MutexLock lock(mutex_);
      if (rows_.empty()) return true;
      row = rows_.front();
    }
    const Status written = row();
    if (!written && (written.error().code == ErrorCode::kUnavailable ||
                     written.error().code == ErrorCode::kOverloaded))
      return false;
    if (!written) log_.warn("meeting_row_not_written", {{"message", written.error().message}});
    const MutexLock lock(mutex_);
    rows_.pop_front();
    ++rows_done_;
  }
}

std::vector<CaptionPtr> CaptionQueue::front_of_queue() {
  const MutexLock lock(mutex_);
  const std::size_t count = std::min(queue_.size(), options_.batch_captions_max);
  std::vector<CaptionPtr> batch;
  batch.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    batch.push_back(queue_[i].caption);
  return batch;
}

void CaptionQueue::pop(std::size_t count) {
  const MutexLock lock(mutex_);
  for (; count > 0; --count) {
    done_ = queue_.front().index;
    queue_bytes_ -= bytes_of(*queue_.front().caption);
    queue_.pop_front();
  }
  waiting_.set(static_cast<std::int64_t>(queue_.size()));
}

/// How many from the front are settled: stored, or refused for good.
std::size_t CaptionQueue::store_batch(std::span<const CaptionPtr> batch) {
  const Status status = store_(batch);
  if (status) {
    stored_.add(batch.size());
    announce(batch);
    return batch.size();
  }
  if (!is_refusal(status)) return 0;
  if (batch.size() == 1) {
    refuse(*batch.front(), status.error());
    announce(batch);
    return 1;
  }
  // Halves find the culprits in few steps, and keep the order.
  const std::size_t half = batch.size() / 2;
  const std::size_t first = store_batch(batch.first(half));
  return first < half ? first : half + store_batch(batch.subspan(half));
}

void CaptionQueue::refuse(const Caption& caption, const Error& error) {
  refused_.add();
  log_.error("caption_refused",
             {{"meeting", caption.meeting.to_string()},
              {"offset", std::to_string(*caption.offset)},
              {"message", error.message}});
}

void CaptionQueue::announce(std::span<const CaptionPtr> batch) {
  if (!events_.on_stored) return;
  std::unordered_map<MeetingId, std::uint64_t> last;
  for (const CaptionPtr& caption : batch) {
    std::uint64_t& offset = last[caption->meeting];
    offset = std::max(offset, *caption->offset);
  }
  for (const auto& [meeting, offset] : last)
    events_.on_stored(meeting, offset);
}

/// REQUIRES: the queue was empty, so that everything before the spilled ones is stored.
bool CaptionQueue::store_spilled() {
  std::uint64_t target = 0;
  {
    const MutexLock lock(mutex_);
    if (!queue_.empty()) return true;  // Arrived meanwhile: first things first.
    if (!spilling_) {
      done_ = added_;
      return true;
    }
    // From here on new ones are kept again; they wait in the queue until this is over.
    spilling_ = false;
    target = added_;
  }
  const bool complete = reread_journal();
  const MutexLock lock(mutex_);
  if (complete) {
    done_ = target;
    return true;
  }
  // What was queued meanwhile must not overtake: it is in the journal too.
  spilling_ = true;
  spilled_.add(queue_.size());
  queue_.clear();
  queue_bytes_ = 0;
  return false;
}

bool CaptionQueue::reread_journal() {
  std::vector<CaptionPtr> batch;
  bool failed = !events_.reread;
  const auto store_and_clear = [&] {
    failed = failed || store_batch(batch) < batch.size();
    batch.clear();
  };
  if (failed) return false;
  const bool whole = events_.reread([&](CaptionPtr caption) {
    if (failed) return;
    batch.push_back(std::move(caption));
    if (batch.size() >= options_.batch_captions_max) store_and_clear();
  });
  if (!batch.empty()) store_and_clear();
  return whole && !failed;
}

void CaptionQueue::answer_flushes() {
  const std::int64_t now_us = clock_.monotonic_us();
  while (true) {
    Flush flush;
    bool stored = false;
    {
      const MutexLock lock(mutex_);
      if (flushes_.empty()) return;
      stored = flushes_.front().index <= done_ && flushes_.front().rows <= rows_done_;
      if (!stored && now_us < flushes_.front().deadline_us) return;
      flush = std::move(flushes_.front());
      flushes_.pop_front();
    }
    flush.done(stored ? ok() : not_stored());
  }
}

void CaptionQueue::refuse_flushes() {
  std::deque<Flush> left;
  {
    const MutexLock lock(mutex_);
    left.swap(flushes_);
  }
  for (Flush& flush : left)
    flush.done(not_stored());
}

void read_unsettled_captions(const Spool& spool, const CaptionQueue::Sink& sink) {
  spool.read_unsettled([&sink](const Record& record) {
    auto caption = parse_caption_record(record);
    if (caption) sink(std::make_shared<const Caption>(std::move(*caption)));
    return true;
  });
}

}  // namespace qylon::storage
