#include "models/websocket_dialect.hpp"

#include <utility>

#include "models/transcription.hpp"

namespace qylon::models {
namespace {

class VoskDialect final : public WebSocketDialect {
 public:
  explicit VoskDialect(std::vector<std::string> phrases) : phrases_(std::move(phrases)) {}

  std::string greeting() const override { return vosk_config(phrases_); }

  std::string encode(std::span<const std::int16_t> samples) override {
    ++awaited_replies_;
    return {reinterpret_cast<const char*>(samples.data()), samples.size_bytes()};
  }

  /// With exactly this spacing: the server compares text.
  std::string farewell() override {
    ++awaited_replies_;
    said_farewell_ = true;
    return R"({"eof" : 1})";
  }

  Heard hear(std::string_view text, std::int64_t span_ms) override {
    const auto heard = parse_vosk(text, span_ms);
    if (!heard) return Heard::kBroken;
    --awaited_replies_;
    if (!heard->is_final) {
      partial_ = heard->words;
      return Heard::kPartial;
    }
    finished_.insert(finished_.end(), heard->words.begin(), heard->words.end());
    partial_.clear();
    // Each message gets one reply, so the last reply is the answer to the farewell.
    if (said_farewell_ && awaited_replies_ <= 0) return Heard::kComplete;
    final_after_farewell_ = said_farewell_;
    return Heard::kPartial;
  }

  bool close_completes() const override { return final_after_farewell_; }

  std::vector<DecodedWord> words() const override {
    std::vector<DecodedWord> all = finished_;
    all.insert(all.end(), partial_.begin(), partial_.end());
    return all;
  }

 private:
  const std::vector<std::string> phrases_;
  std::int64_t awaited_replies_ = 0;
  bool said_farewell_ = false;
  bool final_after_farewell_ = false;
  std::vector<DecodedWord> finished_;
  std::vector<DecodedWord> partial_;
};

class SherpaDialect final : public WebSocketDialect {
 public:
  std::string greeting() const override { return {}; }

  std::string encode(std::span<const std::int16_t> samples) override {
    std::string bytes;
    bytes.reserve(samples.size() * sizeof(float));
    for (const std::int16_t sample : samples) {
      const float value = static_cast<float>(sample) / 32768.0F;
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    return bytes;
  }

  std::string farewell() override { return "Done"; }

  Heard hear(std::string_view text, std::int64_t span_ms) override {
    if (text == "Done!") return Heard::kComplete;
    auto result = parse_sherpa(text, span_ms);
    if (!result) return Heard::kBroken;
    constexpr std::size_t kUtterancesMax = 1000;
    if (utterances_.size() >= kUtterancesMax && !utterances_.contains(result->segment))
      return Heard::kBroken;
    utterances_[result->segment] = std::move(result->transcription.words);
    return Heard::kPartial;
  }

  bool close_completes() const override { return false; }

  std::vector<DecodedWord> words() const override {
    std::vector<DecodedWord> all;
    for (const auto& [segment, words] : utterances_)
      all.insert(all.end(), words.begin(), words.end());
    return all;
  }

 private:
  std::map<std::int64_t, std::vector<DecodedWord>> utterances_;  // By the server's segment number.
};

}  // namespace

std::unique_ptr<WebSocketDialect> make_vosk_dialect(std::vector<std::string> phrases) {
  return std::make_unique<VoskDialect>(std::move(phrases));
}

std::unique_ptr<WebSocketDialect> make_sherpa_dialect() {
  return std::make_unique<SherpaDialect>();
}

}  // namespace qylon::models
