#include "api/insight/meeting_insights.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "api/insight/sentiment.hpp"
#include "api/insight/summary.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kSentimentParts = 10;
constexpr std::array<std::string_view, 12> kDecided{"we decided",
                                                    "we've decided",
                                                    "we have decided",
                                                    "we agreed",
                                                    "we've agreed",
                                                    "we have agreed",
                                                    "we agree to",
                                                    "it is decided",
                                                    "the decision is",
                                                    "decision is to",
                                                    "let's go with",
                                                    "we'll go with"};

/// A mean in which long sentences count for more.
struct Mean {
  double sum = 0;
  double weight = 0;

  void add(double value, std::size_t words) {
    sum += value * static_cast<double>(words);
    weight += static_cast<double>(words);
  }
  double value() const { return weight > 0 ? sum / weight : 0; }
};

Quote quote_of(const Sentence& sentence, std::span<const SpokenLine> lines) {
  const SpokenLine& line = lines[sentence.line];
  return {line.offset, line.start_ms, line.speaker, sentence.text};
}

bool is_decision(const Sentence& sentence) {
  std::string words = " ";
  for (const SpokenWord& word : sentence.words)
    words += word.text + " ";
  return !sentence.question &&
         std::any_of(kDecided.begin(), kDecided.end(), [&words](std::string_view phrase) {
           return words.find(" " + std::string(phrase) + " ") != std::string::npos;
         });
}

std::vector<std::string> keywords_of(std::span<const Sentence> sentences) {
  std::map<std::string, int> counts;
  for (const Sentence& sentence : sentences) {
    for (const SpokenWord& word : sentence.words) {
      const bool meaningful = word.text.size() > 2 && (word.text[0] < '0' || word.text[0] > '9');
      if (meaningful && !is_stop_word(word.text)) ++counts[word.text];
    }
  }
  std::vector<std::pair<int, std::string>> ranked;
  for (const auto& [word, count] : counts) {
    if (count > 1) ranked.emplace_back(-count, word);
  }
  std::sort(ranked.begin(), ranked.end());
  ranked.resize(std::min(ranked.size(), kKeywordsMax));
  std::vector<std::string> keywords;
  for (auto& [count, word] : ranked)
    keywords.push_back(std::move(word));
  return keywords;
}

/// Sums over sentences and lines, by speaker and by part of the meeting.
class Sums {
 public:
  explicit Sums(std::span<const SpokenLine> lines) : lines_(lines) {
    for (const SpokenLine& line : lines) {
      speakers_[line.speaker].insight.talk_ms +=
          std::max<std::int64_t>(line.end_ms - line.start_ms, 0);
      end_ms_ = std::max(end_ms_, line.end_ms);
    }
    if (!lines.empty()) start_ms_ = lines.front().start_ms;
  }

  void add(const Sentence& sentence) {
    const SpokenLine& line = lines_[sentence.line];
    const double value = sentiment(sentence.words);
    const std::size_t words = sentence.words.size();
    whole_.add(value, words);
    words_ += words;
    parts_.at(part_of(line.start_ms)).add(value, words);
    Speaker& speaker = speakers_[line.speaker];
    speaker.mean.add(value, words);
    speaker.insight.words += words;
    if (sentence.question) ++speaker.insight.questions;
  }
  void write(MeetingInsights& insights) const {
    insights.sentiment = whole_.value();
    insights.words = words_;
    for (const auto& [name, speaker] : speakers_) {
      insights.speakers.push_back(speaker.insight);
      insights.speakers.back().name = name;
      insights.speakers.back().sentiment = speaker.mean.value();
    }
    std::stable_sort(insights.speakers.begin(),
                     insights.speakers.end(),
                     [](const auto& a, const auto& b) { return a.talk_ms > b.talk_ms; });
    if (lines_.empty()) return;
    for (std::size_t i = 0; i < kSentimentParts; ++i)
      insights.sentiments.push_back({edge(i), edge(i + 1), parts_.at(i).value()});
  }

 private:
  struct Speaker {
    SpeakerInsight insight;
    Mean mean;
  };
  std::int64_t edge(std::size_t part) const {
    return start_ms_ + (end_ms_ - start_ms_) * static_cast<std::int64_t>(part) /
                           static_cast<std::int64_t>(kSentimentParts);
  }
  std::size_t part_of(std::int64_t start_ms) const {
    std::size_t part = kSentimentParts - 1;
    while (part > 0 && edge(part) > start_ms)
      --part;
    return part;
  }

  const std::span<const SpokenLine> lines_;
  std::map<std::string, Speaker> speakers_;
  std::array<Mean, kSentimentParts> parts_;
  Mean whole_;
  std::size_t words_ = 0;
  std::int64_t start_ms_ = 0;
  std::int64_t end_ms_ = 0;
};

}  // namespace

MeetingInsights read_insights(std::span<const SpokenLine> lines,
                              std::chrono::year_month_day said_on) {
  const std::vector<Sentence> sentences = split_sentences(lines);
  MeetingInsights insights;
  Sums sums(lines);
  for (const Sentence& sentence : sentences) {
    sums.add(sentence);
    if (insights.decisions.size() < kDecisionsMax && is_decision(sentence))
      insights.decisions.push_back(quote_of(sentence, lines));
  }
  sums.write(insights);
  for (const std::size_t index : summarise(sentences, kSummaryMax))
    insights.summary.push_back(quote_of(sentences[index], lines));
  insights.keywords = keywords_of(sentences);
  insights.action_items = find_action_items(lines, said_on);
  return insights;
}

}  // namespace qylon::api
