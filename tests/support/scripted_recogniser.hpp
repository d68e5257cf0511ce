#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/recogniser.hpp"

namespace qylon::test {

/// A recogniser whose answers the test gives by hand: it remembers what it was fed.
class ScriptedRecogniser final : public models::Recogniser {
 public:
  struct Segment {
    std::int64_t start = 0;
    std::int64_t end = -1;
    std::size_t samples = 0;
    std::shared_ptr<models::RecogniserSink> sink;
  };

  models::RecogniserCaps caps() const override {
    models::RecogniserCaps caps;
    caps.engine = "scripted";
    caps.partials = true;
    return caps;
  }
  std::int64_t lag_ms() const override { return 0; }
  std::unique_ptr<models::RecogniserSession> open(
      const models::RecogniserSessionOptions& options,
      std::shared_ptr<models::RecogniserSink> sink) override {
    vocabulary = options.vocabulary;
    return std::make_unique<Session>(*this, std::move(sink));
  }

  /// Answers `segment` with `words`, each 100 ms long from the segment's start.
  void answer(std::uint64_t segment,
              const std::vector<std::string>& words,
              models::RecogniserResult::Kind kind = models::RecogniserResult::Kind::kFinal) {
    const Segment& at = segments.at(segment);
    models::RecogniserResult result;
    result.segment = segment;
    result.kind = kind;
    result.engine = "scripted";
    std::int64_t start_ms = at.start / 16;
    for (const std::string& word : words) {
      result.words.push_back({word, start_ms, start_ms + 100, 0.5F});
      start_ms += 100;
    }
    at.sink->on_result(std::move(result));
  }

  std::map<std::uint64_t, Segment> segments;
  std::vector<std::string> vocabulary;

 private:
  class Session final : public models::RecogniserSession {
   public:
    Session(ScriptedRecogniser& owner, std::shared_ptr<models::RecogniserSink> sink)
        : owner_(owner), sink_(std::move(sink)) {}
    void begin_segment(std::uint64_t segment, std::int64_t start, std::string_view) override {
      open_ = segment;
      owner_.segments[segment] = {start, -1, 0, sink_};
    }
    void push(std::span<const float> samples) override {
      owner_.segments[open_].samples += samples.size();
    }
    void end_segment(std::int64_t end) override { owner_.segments[open_].end = end; }

   private:
    ScriptedRecogniser& owner_;
    std::shared_ptr<models::RecogniserSink> sink_;
    std::uint64_t open_ = 0;
  };
};

}  // namespace qylon::test
