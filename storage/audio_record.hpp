#pragma once
/// An uplink frame as the journal keeps it.

#include <cstdint>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "storage/journal_record.hpp"

namespace qylon::storage {

struct AudioFrame {
  MeetingId meeting;
  TrackId track = 0;
  ClockId clock;  ///< Whose numbering `seq` is.
  std::uint64_t seq = 0;
  std::int64_t capture_us = 0;
  std::vector<std::uint8_t> payload;  ///< As it was sent; may be empty.
};

/// The payload with the clock's 16 bytes behind it.
Record make_audio_record(AudioFrame frame);
/// Errors: kInvalidArgument when the type is wrong or the clock is cut off.
Result<AudioFrame> parse_audio_record(const Record& record);

}  // namespace qylon::storage
