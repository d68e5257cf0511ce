#include "bench/loadgen/caption_oracle.hpp"

#include <algorithm>

namespace qylon::loadgen {
namespace {

constexpr std::uint64_t kOffsetMax = 10'000'000;

}  // namespace

CaptionUnion::Noted CaptionUnion::note(const ViewerMessage& final, std::int64_t now_us) {
  const std::uint64_t offset = final.position.offset;
  if (offset == 0 || offset > kOffsetMax) return {.agrees = false, .first_us = now_us};
  const MutexLock lock(mutex_);
  if (finals_.size() < offset) finals_.resize(static_cast<std::size_t>(offset));
  Heard& heard = finals_[static_cast<std::size_t>(offset - 1)];
  if (!heard.heard) heard = {true, final.text.empty(), final.content, now_us};
  return {.agrees = heard.content == final.content, .first_us = heard.first_us};
}

std::uint64_t CaptionUnion::size() const {
  const MutexLock lock(mutex_);
  return finals_.size();
}

Findings CaptionUnion::compare(const std::vector<ViewerMessage>& transcript) const {
  Findings findings;
  const MutexLock lock(mutex_);
  std::vector<bool> stored(finals_.size(), false);
  for (const ViewerMessage& caption : transcript) {
    const std::uint64_t offset = caption.position.offset;
    const std::string name = "transcript, offset " + std::to_string(offset);
    if (offset > finals_.size() || !finals_[static_cast<std::size_t>(offset - 1)].heard) {
      findings.add(name + ": no viewer ever heard it");
      continue;
    }
    const auto at = static_cast<std::size_t>(offset - 1);
    if (stored[at]) findings.add(name + ": stored twice");
    if (finals_[at].content != caption.content) findings.add(name + ": not what viewers heard");
    stored[at] = true;
  }
  for (std::size_t at = 0; at < finals_.size(); ++at) {
    if (finals_[at].heard && !finals_[at].empty && !stored[at])
      findings.add("offset " + std::to_string(at + 1) + ": heard, but not in the transcript");
  }
  return findings;
}

void ViewerOracle::on_message(const ViewerMessage& message, std::int64_t now_us) {
  switch (message.kind) {
    case ViewerMessage::Kind::kPosition:
      return on_position(message);
    case ViewerMessage::Kind::kFinal:
      return on_final(message, now_us);
    case ViewerMessage::Kind::kInterim:
      ++interims_;
      return;
    case ViewerMessage::Kind::kError:
    case ViewerMessage::Kind::kOther:
      return;
  }
}

void ViewerOracle::on_position(const ViewerMessage& message) {
  told_ = message.position.offset;
  if (!position_) {
    position_ = Position{message.position.epoch, 0};
    return;
  }
  if (message.position.epoch != position_->epoch || !message.recovered) {
    findings_.add(name_ + ": the meeting began anew at offset " +
                  std::to_string(position_->offset));
    position_ = Position{message.position.epoch, 0};
  }
  if (told_ < position_->offset) {
    findings_.add(name_ + ": the position went back from " + std::to_string(position_->offset) +
                  " to " + std::to_string(told_));
  }
}

void ViewerOracle::on_final(const ViewerMessage& message, std::int64_t now_us) {
  const std::uint64_t offset = message.position.offset;
  if (!position_) return findings_.add(name_ + ": a caption before the position");
  ++finals_;
  if (offset <= position_->offset) {
    findings_.add(name_ + ": duplicate of offset " + std::to_string(offset));
    return;
  }
  if (offset != position_->offset + 1) {
    findings_.add(name_ + ": gap between offset " + std::to_string(position_->offset) + " and " +
                  std::to_string(offset));
  }
  position_->offset = offset;
  const CaptionUnion::Noted noted = all_.note(message, now_us);
  if (!noted.agrees)
    findings_.add(name_ + ": offset " + std::to_string(offset) + " differs between viewers");
  if (offset <= told_) return;  // Of the past: late on purpose.
  spreads_.add(now_us - noted.first_us);
  delays_.add(now_us - audio_zero_us_ - message.end_ms * 1000);
}

}  // namespace qylon::loadgen
