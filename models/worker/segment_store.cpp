#include "models/worker/segment_store.hpp"

#include <algorithm>

namespace qylon::models {
namespace {

constexpr float kMeanFramesMax = 3000.0F;  // Half a minute: older speech fades.

void blend(CepstralMean& known, const CepstralMean& fresh) {
  if (known.values.size() != fresh.values.size()) {
    known = fresh;
    return;
  }
  const float total = known.frames + fresh.frames;
  if (total <= 0) return;
  for (std::size_t i = 0; i < known.values.size(); ++i) {
    known.values[i] = (known.values[i] * known.frames + fresh.values[i] * fresh.frames) / total;
  }
  known.frames = std::min(total, kMeanFramesMax);
}

}  // namespace

SessionKey SegmentStore::open_session(std::shared_ptr<const Vocabulary> vocabulary,
                                      std::shared_ptr<RecogniserSink> sink) {
  const MutexLock lock(mutex_);
  sessions_[++last_session_] = Session{std::move(vocabulary), std::move(sink), {}, {}};
  return last_session_;
}

void SegmentStore::close_session(SessionKey session) {
  {
    const MutexLock lock(mutex_);
    sessions_.erase(session);
    for (auto& [key, segment] : segments_) {
      if (segment.view.session == session) segment.view.abandoned = true;
    }
  }
  wake_();
}

SegmentKey SegmentStore::begin(SessionKey session,
                               std::uint64_t segment,
                               std::int64_t start_sample,
                               std::string_view speaker_key) {
  const MutexLock lock(mutex_);
  Segment& fresh = segments_[++last_segment_];
  fresh.view.key = last_segment_;
  fresh.view.session = session;
  fresh.view.vocabulary = sessions_.at(session).vocabulary;
  fresh.id = segment;
  fresh.start_sample = start_sample;
  fresh.speaker_key = speaker_key;
  return last_segment_;
}

void SegmentStore::append(SegmentKey key, std::span<const std::int16_t> samples) {
  {
    const MutexLock lock(mutex_);
    const auto found = segments_.find(key);
    if (found == segments_.end() || found->second.view.refused) return;
    Segment& segment = found->second;
    const auto count = static_cast<std::int64_t>(samples.size());
    if (segment.view.samples + count > options_.segment_samples_max || !budget_.try_take(count)) {
      refuse(segment);
      return;
    }
    segment.samples.insert(segment.samples.end(), samples.begin(), samples.end());
    segment.view.samples += count;
  }
  wake_();
}

void SegmentStore::refuse(Segment& segment) {
  budget_.give_back(static_cast<std::int64_t>(segment.samples.size()));
  segment.samples = {};
  segment.view.samples = 0;
  segment.view.refused = true;
}

void SegmentStore::end(SegmentKey key, std::int64_t end_sample) {
  {
    const MutexLock lock(mutex_);
    const auto found = segments_.find(key);
    if (found == segments_.end()) return;
    Segment& segment = found->second;
    segment.view.samples = std::clamp<std::int64_t>(
        end_sample - segment.start_sample, 0, static_cast<std::int64_t>(segment.samples.size()));
    segment.view.ended = true;
    segment.view.ended_us = clock_.monotonic_us();
  }
  wake_();
}

std::vector<SegmentView> SegmentStore::views() const {
  const MutexLock lock(mutex_);
  std::vector<SegmentView> list;
  list.reserve(segments_.size());
  for (const auto& [key, segment] : segments_)
    list.push_back(segment.view);
  return list;
}

std::string SegmentStore::audio(SegmentKey key, std::int64_t from, std::int64_t to) const {
  const MutexLock lock(mutex_);
  const auto found = segments_.find(key);
  if (found == segments_.end()) return {};
  const std::vector<std::int16_t>& samples = found->second.samples;
  const auto end = std::clamp<std::int64_t>(to, 0, static_cast<std::int64_t>(samples.size()));
  const auto start = std::clamp<std::int64_t>(from, 0, end);
  return std::string(reinterpret_cast<const char*>(samples.data() + start),
                     static_cast<std::size_t>(end - start) * sizeof(std::int16_t));
}

CepstralMean SegmentStore::expected_mean(SegmentKey key) const {
  const MutexLock lock(mutex_);
  const auto segment = segments_.find(key);
  if (segment == segments_.end() || segment->second.speaker_key.empty()) return {};
  const auto session = sessions_.find(segment->second.view.session);
  if (session == sessions_.end()) return {};
  const auto known = session->second.means.find(segment->second.speaker_key);
  return known == session->second.means.end() ? CepstralMean{} : known->second;
}

void SegmentStore::learn_mean(SegmentKey key, const CepstralMean& mean) {
  const MutexLock lock(mutex_);
  const auto segment = segments_.find(key);
  if (segment == segments_.end() || segment->second.speaker_key.empty()) return;
  const auto session = sessions_.find(segment->second.view.session);
  if (session == sessions_.end() || mean.values.empty()) return;
  auto& [vocabulary, sink, means, order] = session->second;
  const std::string& speaker = segment->second.speaker_key;
  const auto known = means.find(speaker);
  if (known != means.end()) {
    blend(known->second, mean);
    return;
  }
  if (order.size() >= options_.speakers_max) {
    means.erase(order.front());
    order.erase(order.begin());
  }
  means[speaker] = mean;
  order.push_back(speaker);
}

std::optional<SegmentOwner> SegmentStore::next_revision(SegmentKey key) {
  const MutexLock lock(mutex_);
  const auto found = segments_.find(key);
  if (found == segments_.end()) return std::nullopt;
  Segment& segment = found->second;
  SegmentOwner owner;
  const auto session = sessions_.find(segment.view.session);
  if (session != sessions_.end()) owner.sink = session->second.sink;
  owner.segment = segment.id;
  owner.start_sample = segment.start_sample;
  owner.revision = ++segment.revision;
  return owner;
}

void SegmentStore::remove(SegmentKey key) {
  const MutexLock lock(mutex_);
  const auto found = segments_.find(key);
  if (found == segments_.end()) return;
  budget_.give_back(static_cast<std::int64_t>(found->second.samples.size()));
  segments_.erase(found);
}

std::int64_t SegmentStore::waiting_samples() const {
  const MutexLock lock(mutex_);
  std::int64_t waiting = 0;
  for (const auto& [key, segment] : segments_) {
    if (segment.view.ended) waiting += segment.view.samples;
  }
  return waiting;
}

}  // namespace qylon::models
