#include "storage/spool.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace qylon::storage {
namespace {

constexpr std::int64_t kTidyIntervalUs = 1'000'000;
// What was called durable and may not have its final yet: twice what a track hears again.
constexpr std::int64_t kPromisedAudioMs = 120'000;

void add(const ScanReport& scanned, ScanReport& total) {
  total.records += scanned.records;
  total.corrupt_ranges += scanned.corrupt_ranges;
  total.bytes_cut += scanned.bytes_cut;
}

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::count(bytes, 0) == std::ssize(bytes);
}

}  // namespace

Spool::Spool(const Options& options,
             std::unique_ptr<SpoolDisk> disk,
             MeetingKeys* keys,
             const Log& log,
             Counters& counters,
             const Clock& clock)
    : options_(options),
      log_(log),
      clock_(clock),
      abandoned_(counters.counter("qylon_journal_segments_abandoned_total",
                                  "Segments given up after a failed write or sync")),
      corrupt_(counters.counter("qylon_journal_corrupt_total",
                                "Damaged stretches and torn ends that were stepped over")),
      unreadable_(counters.counter("qylon_journal_unreadable_total",
                                   "Records whose key is not there or does not fit")),
      bytes_(counters.gauge("qylon_journal_bytes", "Size of all segments")),
      free_bytes_(counters.gauge("qylon_disk_free_bytes", "Free on the disk of the journal")),
      epoch_(Uuid::random()),
      disk_(std::move(disk)),
      keys_(keys) {}

Spool::~Spool() {
  close();
}

Status Spool::check_options() const {
  const auto bad = [](const char* what) { return Error{ErrorCode::kInvalidArgument, what}; };
  if (options_.segment_bytes < (1U << 20) ||
      options_.segment_bytes > static_cast<std::size_t>(kSegmentFileBytesMax))
    return bad("segment_bytes must be in 1 MiB..1 GiB");
  if (options_.bytes_max < 2 * static_cast<std::int64_t>(options_.segment_bytes))
    return bad("bytes_max must be at least two segments");
  if (options_.stream_free_percent_min < 0 || options_.stream_free_percent_min > 100)
    return bad("stream_free_percent_min must be in 0..100");
  if (options_.retry_interval_ms < 1) return bad("retry_interval_ms must be at least 1");
  return ok();
}

// --- Opening. ---

Status Spool::open() {
  if (Status valid = check_options(); !valid) return valid;
  const auto numbers = disk_->list();
  if (!numbers) return numbers.error();
  ScanReport total;
  for (const std::uint64_t number : *numbers)
    shelve_existing(number, total);
  next_number_ = numbers->empty() ? 1 : numbers->back() + 1;
  corrupt_.add(total.corrupt_ranges + (total.bytes_cut > 0 ? 1 : 0));
  log_.info("journal_opened",
            {{"segments", std::to_string(numbers->size())},
             {"records", std::to_string(total.records)},
             {"corrupt_ranges", std::to_string(total.corrupt_ranges)},
             {"bytes_cut", std::to_string(total.bytes_cut)}});
  if (Status copied = copy_doubtful(); !copied)
    log_.error("journal_not_synced", {{"message", copied.error().message}});
  measure_room();
  return ok();
}

/// What cannot be read is never deleted: somebody may still save it.
void Spool::shelve_existing(std::uint64_t number, ScanReport& total) {
  const auto bytes = disk_->read(number, 0, kSegmentFileBytesMax);
  ScanReport scanned;
  auto summary = bytes ? summarise_segment(*bytes, scanned) : std::nullopt;
  // A kill came between its creation and its first record.
  if (bytes && !summary && is_zero(*bytes)) return remove({number});
  if (!summary) {
    corrupt_.add();
    log_.error("journal_segment_unreadable",
               {{"number", std::to_string(number)},
                {"message", bytes ? "its header is damaged" : bytes.error().message}});
    return;
  }
  add(scanned, total);
  if (scanned.records == 0 && scanned.bytes_cut == 0) return remove({number});
  summary->number = number;
  summary->closed_us = clock_.monotonic_us();
  // Behind one that is copied the others are too: their order is kept.
  if (!doubtful_.empty() || !disk_->sync(number)) doubtful_.push_back(number);
  const MutexLock lock(mutex_);
  shelf_.add(*std::move(summary));
}

Status Spool::copy_doubtful() {
  while (!doubtful_.empty()) {
    if (Status copied = copy(doubtful_.front()); !copied) return copied;
  }
  return ok();
}

/// As after every failed sync: the kernel may call clean what it never wrote, so another file must
/// take it.
Status Spool::copy(std::uint64_t number) {
  const auto bytes = disk_->read(number, 0, kSegmentFileBytesMax);
  if (!bytes) return bytes.error();
  const std::uint64_t copy_number = next_number_++;
  auto file = disk_->create(copy_number, bytes->size());
  if (!file) return file.error();
  Status status = (*file)->write(*bytes);
  if (status) status = (*file)->sync();
  if (!status) {
    remove({copy_number});
    return status;
  }
  {
    const MutexLock lock(mutex_);
    shelf_.renumber(number, copy_number);
  }
  remove({number});
  return ok();
}

// --- Writing. ---

bool Spool::write(std::span<const SpoolItem> group) {
  if (const Status made = make_keys(group); !made) {
    log_.error("journal_key_not_made", {{"message", made.error().message}});
    return false;
  }
  if (copy_doubtful() && (try_write(group) || try_write(group))) return true;
  rest();
  return false;
}

/// Not the file was broken but the disk, which is given time; what it left holds nothing that
/// counts, and would fill the journal.
void Spool::rest() {
  const std::int64_t now_us = clock_.monotonic_us();
  if (now_us < retry_at_us_) return;  // It rests already.
  retry_at_us_ = now_us + std::int64_t{options_.retry_interval_ms} * 1000;
  const MutexLock lock(mutex_);
  remove(shelf_.take_empty());
}

bool Spool::try_write(std::span<const SpoolItem> group) {
  for (const SpoolItem& item : group) {
    if (segment_ && !segment_->fits(item.record)) {
      if (!flush_and_sync()) return false;
      close();
    }
    if (!segment_ && !open_segment()) return false;
    segment_->add(item.record);
  }
  return !segment_ || flush_and_sync();
}

/// Before anything is encoded: a key that is not on disk must seal nothing that is.
Status Spool::make_keys(std::span<const SpoolItem> group) {
  if (keys_ == nullptr) return ok();
  for (const SpoolItem& item : group) {
    const auto key = keys_->create(item.record.meeting);
    if (!key) return key.error();
  }
  return ok();
}

bool Spool::flush_and_sync() {
  const auto written = segment_->flush();
  if (!written) {
    abandoned_.add();
    log_.error("journal_segment_abandoned", {{"message", written.error().message}});
    shelve_segment(options_.segment_bytes);
    return false;
  }
  const MutexLock lock(mutex_);
  SegmentSummary& summary = shelf_.at(segment_->number());
  for (const RecordNote& note : *written)
    summary.note(note);
  return true;
}

bool Spool::open_segment() {
  if (clock_.monotonic_us() < retry_at_us_) return false;
  const Status opened = try_open_segment();
  if (!opened) rest();
  if (!opened && !blocked_) log_.error("journal_blocked", {{"message", opened.error().message}});
  blocked_ = !opened;
  return !blocked_;
}

Status Spool::try_open_segment() {
  if (Status room = make_room(); !room) return room;
  const std::uint64_t number = next_number_++;
  auto file = disk_->create(number, options_.segment_bytes);
  if (!file) return file.error();
  const SegmentHeader header{epoch_, number, clock_.wall_us()};
  segment_.emplace(std::move(*file), header, options_.segment_bytes, keys_);
  SegmentSummary summary;
  summary.number = number;
  summary.seed = header.seed();
  summary.bytes = static_cast<std::int64_t>(options_.segment_bytes);
  const MutexLock lock(mutex_);
  shelf_.add(std::move(summary));
  bytes_.set(shelf_.bytes());
  return ok();
}

/// Deletes settled segments, oldest first, until another one fits.
Status Spool::make_room() {
  const auto segment_bytes = static_cast<std::int64_t>(options_.segment_bytes);
  while (true) {
    const auto space = disk_->space();
    if (!space) return space.error();
    std::int64_t held = 0;
    {
      const MutexLock lock(mutex_);
      held = shelf_.bytes();
    }
    const bool fits = held + segment_bytes <= options_.bytes_max;
    if (fits && space->free_bytes - segment_bytes >= options_.free_bytes_min) return ok();
    const auto oldest = take_oldest_settled();
    if (!oldest)
      return Error{
          ErrorCode::kUnavailable,
          fits ? "the disk is nearly full: " + std::to_string(space->free_bytes) + " bytes free"
               : "full of captions that PostgreSQL has not taken and audio of the last minutes"};
    if (Status removed = disk_->remove(*oldest); !removed) return removed;
  }
}

std::optional<std::uint64_t> Spool::take_oldest_settled() {
  const std::int64_t keep_ms = std::min(options_.audio_keep_ms, kPromisedAudioMs);
  const std::int64_t closed_before_us = clock_.monotonic_us() - keep_ms * 1000;
  const MutexLock lock(mutex_);
  return shelf_.take_oldest_settled(settled_, closed_before_us);
}

void Spool::close() {
  if (segment_) shelve_segment(segment_->used_bytes());
}

void Spool::shelve_segment(std::size_t bytes) {
  const std::uint64_t number = segment_->number();
  segment_.reset();
  const MutexLock lock(mutex_);
  shelf_.close(number, static_cast<std::int64_t>(bytes), clock_.monotonic_us());
}

// --- Tidying. ---

void Spool::tidy() {
  const std::int64_t now_us = clock_.monotonic_us();
  if (now_us - tidied_at_us_ < kTidyIntervalUs) return;
  tidied_at_us_ = now_us;
  remove_expired(now_us);
  measure_room();
}

void Spool::remove_expired(std::int64_t now_us) {
  std::vector<std::uint64_t> expired;
  {
    const MutexLock lock(mutex_);
    expired = shelf_.take_expired(settled_, now_us - options_.audio_keep_ms * 1000);
    std::erase_if(settled_, [this](const auto& last) QYLON_REQUIRES(mutex_) {
      return !shelf_.mentions(last.first);
    });
    bytes_.set(shelf_.bytes());
  }
  remove(expired);
  forget_keys();
}

/// Meetings that no segment mentions any more: what copies of segments hold of them is erased so.
void Spool::forget_keys() {
  if (keys_ == nullptr) return;
  std::vector<MeetingId> unused = keys_->meetings();
  {
    const MutexLock lock(mutex_);
    std::erase_if(unused, [this](MeetingId meeting) QYLON_REQUIRES(mutex_) {
      return shelf_.mentions(meeting);
    });
  }
  for (const MeetingId meeting : unused) {
    if (const Status forgotten = keys_->forget(meeting); !forgotten)
      log_.warn("journal_key_not_removed", {{"message", forgotten.error().message}});
  }
}

void Spool::remove(const std::vector<std::uint64_t>& numbers) {
  for (const std::uint64_t number : numbers) {
    std::erase(doubtful_, number);
    if (const Status removed = disk_->remove(number); !removed)
      log_.warn("journal_remove_failed", {{"message", removed.error().message}});
  }
}

void Spool::measure_room() {
  const auto space = disk_->space();
  if (space) free_bytes_.set(space->free_bytes);
  const bool roomy =
      space && space->free_bytes >= options_.stream_free_bytes_min &&
      space->free_bytes >= space->total_bytes / 100 * options_.stream_free_percent_min;
  const bool before = roomy_.exchange(roomy, std::memory_order_acq_rel);
  const auto free = space ? std::to_string(space->free_bytes) : space.error().message;
  if (before && !roomy) log_.error("disk_nearly_full", {{"free_bytes", free}});
  if (!before && roomy) log_.info("disk_has_room");
}

// --- Any thread. ---

void Spool::settle(MeetingId meeting, std::uint64_t offset) {
  const MutexLock lock(mutex_);
  std::uint64_t& last = settled_[meeting];
  last = std::max(last, offset);
}

std::uint64_t Spool::last_caption(MeetingId meeting) const {
  const MutexLock lock(mutex_);
  return shelf_.last_caption(meeting);
}

void Spool::read_audio(MeetingId meeting, const OnRecord& on_record) const {
  std::vector<Place> places;
  {
    const MutexLock lock(mutex_);
    places = shelf_.audio_of(meeting);
  }
  read(places, meeting, true, on_record);
}

void Spool::read_captions(MeetingId meeting, std::uint64_t after, const OnRecord& on_record) const {
  std::vector<Place> places;
  {
    const MutexLock lock(mutex_);
    places = shelf_.captions_of(meeting, after);
  }
  read(places, meeting, false, [&](const Record& record) {
    return record.type != RecordType::kCaption || record.seq <= after || on_record(record);
  });
}

void Spool::read_unsettled(const OnRecord& on_record) const {
  std::vector<MeetingId> meetings;
  SettledOffsets settled;
  {
    const MutexLock lock(mutex_);
    meetings = shelf_.meetings_with_captions();
    settled = settled_;
  }
  bool more = true;
  for (auto meeting = meetings.begin(); more && meeting != meetings.end(); ++meeting) {
    read_captions(*meeting, settled[*meeting], [&](const Record& record) {
      more = on_record(record);
      return more;
    });
  }
}

bool Spool::unseal(Record& record) const {
  if (!record.sealed) return true;
  const auto key = keys_ == nullptr ? nullptr : keys_->find(record.meeting);
  if (key != nullptr && unseal_record(*key, record)) return true;
  unreadable_.add();
  return false;
}

/// A segment that was deleted meanwhile held nothing that is still needed: it is passed over.
void Spool::read(std::span<const Place> places,
                 MeetingId meeting,
                 bool audio,
                 const OnRecord& on_record) const {
  bool more = true;
  for (auto place = places.begin(); more && place != places.end(); ++place) {
    const auto bytes = disk_->read(place->segment, place->extent.offset, place->extent.bytes);
    if (!bytes) continue;
    scan_records(*bytes, 0, place->seed, [&](Record& record, std::size_t) {
      const bool wanted =
          more && record.meeting == meeting && (record.type == RecordType::kAudio) == audio;
      if (wanted && unseal(record)) more = on_record(record);
    });
  }
}

}  // namespace qylon::storage
