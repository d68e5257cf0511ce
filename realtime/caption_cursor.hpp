#pragma once
/// Where one subscriber stands in one meeting's finals: no final skipped, none sent twice.

#include <cstdint>
#include <optional>

#include "core/ids.hpp"

namespace qylon::realtime {

/// What a subscriber says it has.
struct ResumeFrom {
  Epoch epoch;
  std::uint64_t offset = 0;
};

/// Finals may be offered from History, from the ring and live, in any mixture; next_is() says
/// which one is due.
///
/// Threads : one object per subscription, its net thread.
/// Source  : position first, then the past, then live (docs/PROTOCOL.md, Subscribe).
class CaptionCursor {
 public:
  struct Position {
    Epoch epoch;
    std::uint64_t offset = 0;  ///< Newest final of the meeting.
    bool recovered = true;     ///< False: the asked epoch is not the meeting's.
    bool unknown = false;      ///< The asked offset has not happened: refuse with 4004.
  };

  explicit CaptionCursor(std::optional<ResumeFrom> from) : from_(from) {
    if (from) sent_ = from->offset;
  }

  bool positioned() const noexcept { return epoch_.has_value(); }
  /// Everything up to this offset was sent, or the subscriber said it has it.
  std::uint64_t sent() const noexcept { return sent_; }
  bool is_epoch(const Epoch& epoch) const noexcept { return epoch_ == epoch; }

  /// Where the subscriber would stand in a meeting whose numbering is `epoch`.
  std::uint64_t sent_in(const Epoch& epoch) const noexcept {
    const bool other = positioned() ? epoch_ != epoch : from_.has_value() && from_->epoch != epoch;
    return other ? 0 : sent_;
  }

  /// The meeting's numbering is `epoch`, and its newest final `last`. Called once at first, and
  /// again when the numbering changed.
  Position settle(const Epoch& epoch, std::uint64_t last) {
    const std::uint64_t sent = sent_in(epoch);
    const bool same_numbering = positioned() ? epoch_ == epoch : !from_ || from_->epoch == epoch;
    epoch_ = epoch;
    sent_ = sent;
    from_.reset();
    return {epoch, last, same_numbering, sent > last};
  }

  bool next_is(std::uint64_t offset) const noexcept { return offset == sent_ + 1; }
  /// REQUIRES: next_is(offset).
  void advance_to(std::uint64_t offset) noexcept { sent_ = offset; }

 private:
  std::optional<ResumeFrom> from_;
  std::optional<Epoch> epoch_;
  std::uint64_t sent_ = 0;
};

}  // namespace qylon::realtime
