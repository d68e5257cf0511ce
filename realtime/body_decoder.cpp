#include "realtime/body_decoder.hpp"

#include <algorithm>

namespace qylon::realtime {

BodyDecoder::BodyDecoder(const BodyPlan& plan, std::uint64_t body_bytes_max)
    : until_close_(plan.until_close), left_(plan.length) {
  if (plan.chunked) chunks_.emplace(body_bytes_max);
}

BodyDecoder::State BodyDecoder::feed(std::string_view bytes, std::string& body) {
  if (chunks_) return chunks_->feed(bytes, body);
  if (until_close_) {
    body.append(bytes);
    return State::kMore;
  }
  const std::string_view wanted = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
  body.append(wanted);
  left_ -= wanted.size();
  return left_ == 0 ? State::kDone : State::kMore;
}

}  // namespace qylon::realtime
