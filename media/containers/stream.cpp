#include "media/containers/stream.hpp"

#include <algorithm>
#include <utility>

namespace qylon::media {

using Posted = TrackUplink::Posted;

namespace {

constexpr std::size_t kMarksMax = 4096;

}  // namespace

// --- Any thread ---

std::uint64_t Stream::attach() {
  const MutexLock lock(mutex_);
  attached_ = true;
  return ++owner_;
}

void Stream::detach(std::uint64_t owner) {
  const MutexLock lock(mutex_);
  if (owner == owner_) attached_ = false;
}

bool Stream::attached() const {
  const MutexLock lock(mutex_);
  return attached_;
}

Posted Stream::standing_of(std::uint64_t owner) const {
  if (!refusal_.empty()) return Posted::kUndecodable;
  if (owner != owner_) return Posted::kSuperseded;
  return track_ ? track_->standing() : Posted::kAccepted;
}

Posted Stream::standing(std::uint64_t owner) const {
  const MutexLock lock(mutex_);
  return standing_of(owner);
}

Posted Stream::post(std::uint64_t owner, UplinkFrame&& frame) {
  const MutexLock lock(mutex_);
  const Posted now = standing_of(owner);
  if (now != Posted::kAccepted) return now;
  if (frame.seq < next_seq_) return Posted::kAccepted;
  if (frame.seq > next_seq_) {
    // What came before was for a server that has forgotten it.
    return next_seq_ == 0 ? Posted::kUnknownPosition : Posted::kBadSequence;
  }
  if (!waiting_.empty() && waiting_bytes_ + frame.payload.size() > kWaitingBytesMax)
    return Posted::kBusy;
  if (next_seq_ == 0) capture_us_ = frame.capture_us;
  ++next_seq_;
  waiting_.push_back({.seq = frame.seq,
                      .offset = offset_,
                      .last = frame.ends_track(),
                      .bytes = std::string(frame.payload.begin(), frame.payload.end())});
  offset_ += frame.payload.size();
  waiting_bytes_ += frame.payload.size();
  return Posted::kAccepted;
}

std::string Stream::refusal() const {
  const MutexLock lock(mutex_);
  return refusal_;
}

std::uint64_t Stream::next_seq() const {
  const MutexLock lock(mutex_);
  return next_seq_;
}

std::optional<std::uint64_t> Stream::durable_seq() {
  const MutexLock lock(mutex_);
  if (!track_) return durable_;
  const auto packets = track_->durable_seq();
  if (!packets) return std::nullopt;
  while (!marks_.empty() && marks_.front().packet_seq <= *packets) {
    durable_ = marks_.front().piece_seq;
    marks_.pop_front();
  }
  return durable_;
}

std::int64_t Stream::heard_ms() const {
  const MutexLock lock(mutex_);
  return track_ ? track_->heard_ms() : 0;
}

void Stream::on_track_opened(Result<std::shared_ptr<TrackUplink>> opened) {
  const MutexLock lock(mutex_);
  opening_ = false;
  if (opened) {
    track_ = *std::move(opened);
  } else {
    refusal_ = opened.error().message;
  }
}

// --- Pieces to the worker ---

bool Stream::take_waiting() {
  const MutexLock lock(mutex_);
  if (waiting_.empty() || !refusal_.empty()) return false;
  waiting_bytes_ -= waiting_.front().bytes.size();
  pieces_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  return true;
}

std::optional<Stream::Outgoing> Stream::next_piece() {
  if (with_worker_ || ended_ || !packets_.empty()) return std::nullopt;
  if (answered_ == pieces_.size() && !take_waiting()) return std::nullopt;
  Outgoing outgoing;
  if (!opened_) outgoing.open = opening();
  const Piece& piece = pieces_[answered_];
  std::string_view bytes = piece.bytes;
  if (restart_.offset > piece.offset)  // A new worker begins in its middle.
    bytes.remove_prefix(static_cast<std::size_t>(restart_.offset - piece.offset));
  outgoing.piece = {id_, piece.last, bytes};
  opened_ = true;
  with_worker_ = true;
  return outgoing;
}

OpenStream Stream::opening() const {
  OpenStream open;
  open.stream = id_;
  open.start.stream = declared_;
  open.start.stream.codec = codec_;
  if (restart_.offset == 0) return open;
  open.start.header.assign(header_->begin(), header_->end());
  open.start.offset = restart_.offset;
  open.start.cluster_time = restart_.cluster_time;
  open.start.resume = {restart_.time_us, units_ - std::min(units_, restart_.units)};
  return open;
}

// --- What comes back ---

void Stream::on_format(const AudioFormat& packets) {
  if (!format_) format_ = packets;
}

void Stream::on_packets(const StreamPackets& packets) {
  for (const StreamPackets::Packet& packet : packets.packets) {
    UplinkFrame frame;
    frame.track = key_.track;
    frame.capture_us = static_cast<std::uint64_t>(packet.time_us);
    frame.payload.assign(packet.bytes.begin(), packet.bytes.end());
    found_.push_back(std::move(frame));
  }
}

void Stream::on_done(const PieceDone& done) {
  if (!with_worker_) return;
  with_worker_ = false;
  const bool last = pieces_[answered_].last;
  kept_bytes_ += pieces_[answered_].bytes.size();
  ++answered_;
  if (declared_.codec == Codec::kAuto) codec_ = done.codec;
  const std::uint64_t capture_us = [this] {
    const MutexLock lock(mutex_);
    return capture_us_;
  }();
  if (last) {
    UplinkFrame end;
    end.flags = kUplinkFlagEnd;
    end.track = key_.track;
    end.capture_us = found_.empty() ? static_cast<std::uint64_t>(done.restart.time_us)
                                    : found_.back().capture_us;
    found_.push_back(std::move(end));
    ended_ = true;
  }
  for (UplinkFrame& frame : found_) {
    frame.seq = packet_seq_++;
    frame.capture_us = std::min(frame.capture_us + capture_us, kUplinkNumberMax);
    packets_.push_back(std::move(frame));
  }
  found_.clear();
  units_ = std::max(units_, base_units_ + done.units);
  if (!done.trouble.empty()) return refuse(done.trouble);
  if (last && !format_) return refuse("the stream ended, and no sound was found in it");
  if (!take_restart(done)) return refuse("the stream's decoder gave an impossible answer");
  forget_settled();
}

/// False when the worker claims what cannot be.
bool Stream::take_restart(const PieceDone& done) {
  const std::uint64_t answered_end = pieces_[answered_ - 1].end();
  const Unpacker::Restart& restart = done.restart;
  if (restart.offset > answered_end || restart.header_bytes > restart.offset) return false;
  if (restart.offset <= restart_.offset) return true;
  if (!header_ && !keep_header(restart.header_bytes)) return true;  // It cannot be resumed.
  restart_ = restart;
  restart_.units += base_units_;
  lost_place_ = lost_place_ && restart_.offset < pieces_.front().offset;
  return true;
}

bool Stream::keep_header(std::uint64_t header_bytes) {
  if (header_bytes > kHeaderBytesMax) return false;
  if (header_bytes > 0 && pieces_.front().offset != 0) return false;
  std::string header;
  for (const Piece& piece : pieces_) {
    if (header.size() >= header_bytes) break;
    header += piece.bytes;
  }
  header.resize(std::min<std::size_t>(header.size(), static_cast<std::size_t>(header_bytes)));
  header_ = std::move(header);
  return true;
}

void Stream::drop_front() {
  const Piece& front = pieces_.front();
  kept_bytes_ -= std::min(kept_bytes_, front.bytes.size());
  {
    const MutexLock lock(mutex_);
    marks_.push_back({front.seq + 1, packet_seq_});
    // Of marks for the same packets the last says all.
    while (marks_.size() > 1 && marks_[marks_.size() - 2].packet_seq == packet_seq_)
      marks_.erase(marks_.end() - 2);
    if (marks_.size() > kMarksMax) marks_.pop_front();  // The next one says more.
  }
  pieces_.pop_front();
  --answered_;
}

void Stream::forget_settled() {
  while (answered_ > 0 && (pieces_.front().end() <= restart_.offset || ended_))
    drop_front();
  while (answered_ > 0 && kept_bytes_ > kKeptBytesMax) {
    lost_place_ = true;
    drop_front();
  }
}

// --- A lost worker ---

bool Stream::resumable() const noexcept {
  return !lost_place_ && (restart_.offset == 0 || header_.has_value());
}

/// Decoders of these find the next frame behind any bytes.
bool Stream::skips_broken_bytes() const noexcept {
  switch (codec_) {
    case Codec::kOgg:
    case Codec::kFlac:
      return header_.has_value();
    case Codec::kAdts:
    case Codec::kMp3:
    case Codec::kMulaw:
    case Codec::kAlaw:
    case Codec::kG722:
      return true;
    default:
      return false;
  }
}

Stream::Loss Stream::on_worker_lost(bool guilty) {
  worker = 0;
  opened_ = false;
  found_.clear();
  const std::size_t broken = answered_;
  const bool busy = std::exchange(with_worker_, false);
  if (guilty && busy) {
    losses_ = pieces_[broken].seq == lost_seq_ ? losses_ + 1 : 1;
    lost_seq_ = pieces_[broken].seq;
  }
  if (!resumable()) {
    refuse("the stream's decoder was lost, and the stream has no place to take it up again");
    return Loss::kRefused;
  }
  base_units_ = restart_.units;
  answered_ = 0;
  kept_bytes_ = 0;
  if (losses_ < kLossesMax) return Loss::kAgain;
  losses_ = 0;
  if (!skips_broken_bytes()) {
    refuse("a piece of the stream breaks its decoder every time");
    return Loss::kRefused;
  }
  skip_piece(broken);
  return Loss::kQuarantined;
}

/// Goes on behind a piece that nobody survives.
void Stream::skip_piece(std::size_t index) {
  const Piece& piece = pieces_[index];
  const std::uint64_t end = piece.end();
  // How long it was can only be guessed: as long as so many bytes were so far.
  if (restart_.offset > 0) {
    const std::uint64_t skipped = end - restart_.offset;
    restart_.time_us += static_cast<std::int64_t>(
        skipped * static_cast<std::uint64_t>(restart_.time_us) / restart_.offset);
  }
  if (!header_) header_ = std::string();
  restart_.offset = end;
  restart_.units = units_;
  base_units_ = units_;
  answered_ = index + 1;
  forget_settled();
}

void Stream::refuse(std::string why) {
  ended_ = true;
  packets_.clear();
  const MutexLock lock(mutex_);
  if (refusal_.empty()) refusal_ = std::move(why);
  waiting_.clear();
  waiting_bytes_ = 0;
}

// --- The track behind ---

void Stream::open_track(const Opened& opened) {
  if (!format_ || packets_.empty()) return;
  {
    const MutexLock lock(mutex_);
    if (track_ || opening_ || !refusal_.empty()) return;
    opening_ = true;
  }
  open_track_(*format_, opened);
}

bool Stream::deliver() {
  std::shared_ptr<TrackUplink> track;
  {
    const MutexLock lock(mutex_);
    track = track_;
  }
  if (!track) return true;  // Opening it says when to go on.
  while (!packets_.empty()) {
    const Posted posted = track->post(std::move(packets_.front()));
    if (posted == Posted::kBusy) return false;
    if (posted != Posted::kAccepted) {  // standing() tells the sender why.
      packets_.clear();
      ended_ = true;
      return true;
    }
    packets_.pop_front();
  }
  return true;
}

void Stream::release_track() {
  std::shared_ptr<TrackUplink> track;
  const MutexLock lock(mutex_);
  track = std::exchange(track_, nullptr);
}

bool Stream::idle() const {
  if (with_worker_ || !packets_.empty() || answered_ < pieces_.size()) return false;
  const MutexLock lock(mutex_);
  return waiting_.empty() && !opening_;
}

bool Stream::over() const {
  if (ended_ && packets_.empty()) return true;
  const MutexLock lock(mutex_);
  return !refusal_.empty();
}

}  // namespace qylon::media
