#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/sync.hpp"
#include "media/containers/stream_messages.hpp"
#include "media/ingress.hpp"

namespace qylon::media {

/// A track that comes as a stream of bytes: its pieces on the way to a worker, its packets on the
/// way to the track behind it, and what another worker needs to go on with it.
///
/// Bounds  : `kWaitingBytesMax` of pieces (post() says kBusy); of what a lost worker would have to
///           see again, `kKeptBytesMax` (then the stream cannot survive its worker until the next
///           place where a reader can begin); one piece with a worker, and the packets of that
///           piece.
/// Threads : post() to durable_seq() from any thread, the rest on the thread of the StreamService.
class Stream {
 public:
  static constexpr std::size_t kWaitingBytesMax = 256U << 10;
  static constexpr std::size_t kKeptBytesMax = 256U << 10;
  static constexpr std::size_t kHeaderBytesMax = 64U << 10;
  static constexpr int kLossesMax = 2;

  using Opened = std::function<void(Result<std::shared_ptr<TrackUplink>>)>;
  /// Opens the track behind the stream, once its format is known.
  using OpenTrack = std::function<void(const AudioFormat&, Opened)>;

  struct Key {  ///< A new clock is a new stream.
    MeetingId meeting;
    TrackId track = 0;
    ClockId clock;
    bool operator==(const Key&) const = default;
  };
  Stream(StreamId id, const Key& key, const AudioFormat& declared, OpenTrack open_track)
      : id_(id),
        key_(key),
        declared_(declared),
        open_track_(std::move(open_track)),
        codec_(declared.codec) {}

  StreamId id() const noexcept { return id_; }
  const Key& key() const noexcept { return key_; }

  // --- Any thread ---

  /// A newer connection feeds the stream from now on; its number.
  std::uint64_t attach() QYLON_EXCLUDES(mutex_);
  void detach(std::uint64_t owner) QYLON_EXCLUDES(mutex_);
  bool attached() const QYLON_EXCLUDES(mutex_);
  TrackUplink::Posted post(std::uint64_t owner, UplinkFrame&& frame) QYLON_EXCLUDES(mutex_);
  TrackUplink::Posted standing(std::uint64_t owner) const QYLON_EXCLUDES(mutex_);
  std::string refusal() const QYLON_EXCLUDES(mutex_);
  std::uint64_t next_seq() const QYLON_EXCLUDES(mutex_);
  std::optional<std::uint64_t> durable_seq() QYLON_EXCLUDES(mutex_);
  std::int64_t heard_ms() const QYLON_EXCLUDES(mutex_);
  /// The answer to open_track().
  void on_track_opened(Result<std::shared_ptr<TrackUplink>> opened) QYLON_EXCLUDES(mutex_);
  std::atomic<bool> queued{false};  ///< The service knows that there is something to do.

  // --- The service's thread ---

  struct Outgoing {
    std::optional<OpenStream> open;  ///< Goes first, when the worker does not know the stream.
    StreamPiece piece;               ///< Valid until the next call.
  };
  /// The next piece for the worker; nothing while there is none, or while one is with it, or while
  /// packets of the last one wait.
  std::optional<Outgoing> next_piece() QYLON_EXCLUDES(mutex_);
  void on_format(const AudioFormat& packets);
  void on_packets(const StreamPackets& packets);
  /// The answer to the piece that is with the worker.
  void on_done(const PieceDone& done) QYLON_EXCLUDES(mutex_);
  enum class Loss : std::uint8_t { kAgain, kQuarantined, kRefused };
  /// The worker is gone; `guilty`: it was busy with this stream's piece.
  Loss on_worker_lost(bool guilty) QYLON_EXCLUDES(mutex_);
  void refuse(std::string why) QYLON_EXCLUDES(mutex_);

  /// Gives packets to the track behind. False while it is busy: try again later.
  bool deliver() QYLON_EXCLUDES(mutex_);
  /// Opens the track behind when there is something for it and it is not open.
  void open_track(const Opened& opened) QYLON_EXCLUDES(mutex_);
  /// No connection feeds the stream: lets go of the track behind.
  void release_track() QYLON_EXCLUDES(mutex_);

  /// Nothing is under way or waits.
  bool idle() const QYLON_EXCLUDES(mutex_);
  /// Refused, or ended with everything delivered.
  bool over() const QYLON_EXCLUDES(mutex_);

  // The service's own notes.
  std::uint32_t worker = 0;      ///< That has it; 0: none.
  std::int64_t detached_us = 0;  ///< Since when nobody feeds it; 0: somebody does.

 private:
  struct Piece {
    std::uint64_t seq = 0;
    std::uint64_t offset = 0;  // Of its first byte in the stream.
    bool last = false;
    std::string bytes;

    std::uint64_t end() const noexcept { return offset + bytes.size(); }
  };
  struct Mark {  // Pieces below `piece_seq` are the packets below `packet_seq`.
    std::uint64_t piece_seq;
    std::uint64_t packet_seq;
  };

  TrackUplink::Posted standing_of(std::uint64_t owner) const QYLON_REQUIRES(mutex_);
  bool take_waiting() QYLON_EXCLUDES(mutex_);
  bool take_restart(const PieceDone& done);
  bool keep_header(std::uint64_t header_bytes);
  void forget_settled() QYLON_EXCLUDES(mutex_);
  void drop_front() QYLON_EXCLUDES(mutex_);
  bool resumable() const noexcept;
  bool skips_broken_bytes() const noexcept;
  void skip_piece(std::size_t index) QYLON_EXCLUDES(mutex_);
  OpenStream opening() const;

  const StreamId id_;
  const Key key_;
  const AudioFormat declared_;
  const OpenTrack open_track_;

  mutable Mutex mutex_;
  std::uint64_t owner_ QYLON_GUARDED_BY(mutex_) = 0;
  bool attached_ QYLON_GUARDED_BY(mutex_) = false;
  std::deque<Piece> waiting_ QYLON_GUARDED_BY(mutex_);  // Not taken by the service's thread.
  std::size_t waiting_bytes_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t next_seq_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t offset_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t capture_us_ QYLON_GUARDED_BY(mutex_) = 0;  // Of the first sample.
  std::string refusal_ QYLON_GUARDED_BY(mutex_);
  std::deque<Mark> marks_ QYLON_GUARDED_BY(mutex_);
  std::uint64_t durable_ QYLON_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<TrackUplink> track_ QYLON_GUARDED_BY(mutex_);  // Null: not open.
  bool opening_ QYLON_GUARDED_BY(mutex_) = false;

  // Owned by the service's thread.
  std::deque<Piece> pieces_;  // From the last restart on: answered ones, then the next ones.
  std::size_t answered_ = 0;  // Of pieces_.
  std::size_t kept_bytes_ = 0;
  bool with_worker_ = false;  // pieces_[answered_] is.
  bool opened_ = false;       // The worker knows the stream.
  bool lost_place_ = false;   // pieces_ no longer begins at or before restart_.offset.
  Codec codec_;
  std::optional<std::string> header_;
  Unpacker::Restart restart_;
  std::uint64_t units_ = 0;  // Found so far by all workers; what a new one may skip.
  std::uint64_t base_units_ = 0;
  std::optional<AudioFormat> format_;
  std::vector<UplinkFrame> found_;   // In the piece that is with the worker.
  std::deque<UplinkFrame> packets_;  // Not delivered.
  std::uint64_t packet_seq_ = 0;
  bool ended_ = false;
  std::uint64_t lost_seq_ = 0;  // Of the piece that the last worker was lost with.
  int losses_ = 0;
};

}  // namespace qylon::media
