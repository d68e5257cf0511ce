#include "storage/audio_record.hpp"

#include <algorithm>
#include <utility>

namespace qylon::storage {
namespace {

constexpr std::size_t kClockBytes = sizeof(Uuid::bytes);

}  // namespace

Record make_audio_record(AudioFrame frame) {
  Record record;
  record.type = RecordType::kAudio;
  record.meeting = frame.meeting;
  record.track = frame.track;
  record.seq = frame.seq;
  record.position = frame.capture_us;
  record.payload = std::move(frame.payload);
  const auto& clock = frame.clock.value.bytes;
  record.payload.insert(record.payload.end(), clock.begin(), clock.end());
  return record;
}

Result<AudioFrame> parse_audio_record(const Record& record) {
  if (record.type != RecordType::kAudio || record.payload.size() < kClockBytes)
    return Error{ErrorCode::kInvalidArgument, "audio record: not audio, or cut short"};
  AudioFrame frame;
  frame.meeting = record.meeting;
  frame.track = record.track;
  frame.seq = record.seq;
  frame.capture_us = record.position;
  const auto clock = record.payload.end() - static_cast<std::ptrdiff_t>(kClockBytes);
  std::copy(clock, record.payload.end(), frame.clock.value.bytes.begin());
  frame.payload.assign(record.payload.begin(), clock);
  return frame;
}

}  // namespace qylon::storage
