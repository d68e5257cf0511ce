#include "realtime/chunk_decoder.hpp"

#include <algorithm>

namespace qylon::realtime {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkDecoder::State ChunkDecoder::skip_until_cr(char c, Part next) {
  if (c == '\r') {
    part_ = next;
    return State::kMore;
  }
  if (c == '\n' || c == '\0') return State::kBad;
  return ++skipped_bytes_ > kSkippedBytesMax ? State::kBad : State::kMore;
}

ChunkDecoder::State ChunkDecoder::step_size(char c) {
  const int value = hex_value(c);
  if (value >= 0) {
    if (++digits_ > 8) return State::kBad;
    chunk_left_ = chunk_left_ * 16 + static_cast<std::uint64_t>(value);
    return State::kMore;
  }
  if (digits_ == 0) return State::kBad;
  if (c == '\r') {
    part_ = Part::kSizeLf;
    return State::kMore;
  }
  if (c != ';') return State::kBad;
  part_ = Part::kExtension;
  return State::kMore;
}

ChunkDecoder::State ChunkDecoder::end_size() {
  digits_ = 0;
  line_is_empty_ = true;
  part_ = chunk_left_ == 0 ? Part::kTrailer : Part::kData;
  return body_bytes_ + chunk_left_ > body_bytes_max_ ? State::kTooLong : State::kMore;
}

ChunkDecoder::State ChunkDecoder::step(char c) {
  switch (part_) {
    case Part::kSize:
      return step_size(c);
    case Part::kExtension:
      return skip_until_cr(c, Part::kSizeLf);
    case Part::kSizeLf:
      return c == '\n' ? end_size() : State::kBad;
    case Part::kDataCr:
      part_ = Part::kDataLf;
      return c == '\r' ? State::kMore : State::kBad;
    case Part::kDataLf:
      part_ = Part::kSize;
      return c == '\n' ? State::kMore : State::kBad;
    case Part::kTrailer:
      if (c != '\r') line_is_empty_ = false;
      return skip_until_cr(c, Part::kTrailerLf);
    case Part::kTrailerLf:
      if (c != '\n') return State::kBad;
      part_ = line_is_empty_ ? Part::kDone : Part::kTrailer;
      line_is_empty_ = true;
      return part_ == Part::kDone ? State::kDone : State::kMore;
    case Part::kData:
    case Part::kDone:
      break;
  }
  return State::kBad;
}

ChunkDecoder::State ChunkDecoder::feed(std::string_view bytes, std::string& body) {
  while (state_ == State::kMore && !bytes.empty()) {
    if (part_ != Part::kData) {
      state_ = step(bytes.front());
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t run = std::min<std::uint64_t>(chunk_left_, bytes.size());
    body.append(bytes.substr(0, run));
    bytes.remove_prefix(run);
    body_bytes_ += run;
    chunk_left_ -= run;
    if (chunk_left_ == 0) part_ = Part::kDataCr;
  }
  return state_;
}

}  // namespace qylon::realtime
