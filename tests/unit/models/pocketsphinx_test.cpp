// The default engine on Debian's own test recordings (package pocketsphinx-testdata).
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "models/pocketsphinx/arpa.hpp"
#include "models/pocketsphinx/letter_to_sound.hpp"
#include "models/recogniser_factory.hpp"
#include "tests/support/asr_answers.hpp"

namespace qylon::models {
namespace {

using test::speak;
using test::text_of;
using Kind = RecogniserResult::Kind;

constexpr const char* kTestData = "/usr/share/pocketsphinx/test/data";
constexpr const char* kDictionary = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict";

std::vector<float> read_samples(const std::string& path, std::size_t header_bytes) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> samples;
  for (std::size_t at = header_bytes; at + 1 < bytes.size(); at += 2) {
    std::int16_t sample = 0;
    std::memcpy(&sample, bytes.data() + at, sizeof sample);
    samples.push_back(static_cast<float>(sample) / 32768.0F);
  }
  return samples;
}

class PocketSphinxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kTestData)) GTEST_SKIP() << "no pocketsphinx-testdata here";
    settings_.worker_program = QYLON_ASR_WORKER;
    settings_.workers = 1;
    go_forward_ = read_samples(std::string(kTestData) + "/goforward.raw", 0);
  }

  void start(const std::vector<std::string>& vocabulary = {}) {
    auto made = make_recogniser(settings_, {log_, counters_, clock_});
    ASSERT_TRUE(made) << made.error().message;
    recogniser_ = std::move(*made);
    session_ = recogniser_->open({vocabulary}, answers_);
  }

  RecogniserResult hear(std::uint64_t segment, const std::vector<float>& speech) {
    speak(*session_, segment, 0, speech);
    return answers_->answer(segment);
  }

  const SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  RecogniserSettings settings_;
  std::vector<float> go_forward_;
  std::shared_ptr<test::Answers> answers_ = std::make_shared<test::Answers>();
  std::unique_ptr<Recogniser> recogniser_;
  std::unique_ptr<RecogniserSession> session_;
};

TEST_F(PocketSphinxTest, UnderstandsARobotsOrder) {
  start();
  const RecogniserResult result = hear(1, go_forward_);
  ASSERT_EQ(result.kind, Kind::kFinal) << result.reason;
  EXPECT_EQ(text_of(result), "go forward ten meters");
  EXPECT_EQ(result.engine, "pocketsphinx");
  for (const Word& word : result.words) {
    EXPECT_GE(word.confidence, 0.0F);
    EXPECT_LE(word.confidence, 1.0F);
    EXPECT_LT(word.start_ms, word.end_ms);
  }
}

TEST_F(PocketSphinxTest, ALivePassBeforeDoesNotChangeTheFinal) {
  start();
  const RecogniserResult before = hear(1, go_forward_);
  session_->begin_segment(2, 0, "");
  session_->push(go_forward_);
  EXPECT_FALSE(text_of(answers_->partial(2)).empty());
  session_->end_segment(static_cast<std::int64_t>(go_forward_.size()));
  const RecogniserResult after = answers_->answer(2);
  ASSERT_EQ(text_of(after), text_of(before));
  for (std::size_t i = 0; i < after.words.size(); ++i) {
    EXPECT_EQ(after.words[i].start_ms, before.words[i].start_ms);
    EXPECT_NEAR(after.words[i].confidence, before.words[i].confidence, 0.05);
  }
}

TEST_F(PocketSphinxTest, WordTimesStandAfterFourSecondsOfInnerSilence) {
  start();
  const RecogniserResult alone = hear(1, go_forward_);
  std::vector<float> twice = go_forward_;
  twice.insert(twice.end(), 4 * kRecogniserRateHz, 0.0F);
  const auto second_ms = static_cast<std::int64_t>(twice.size()) * 1000 / kRecogniserRateHz;
  twice.insert(twice.end(), go_forward_.begin(), go_forward_.end());
  const RecogniserResult both = hear(2, twice);
  ASSERT_EQ(text_of(alone), "go forward ten meters");
  ASSERT_EQ(text_of(both), "go forward ten meters go forward ten meters");
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LE(std::abs(both.words[i].start_ms - (alone.words[i].start_ms)), 60) << i;
    EXPECT_LE(std::abs(both.words[4 + i].start_ms - (second_ms + alone.words[i].start_ms)), 60)
        << i;
    EXPECT_LE(std::abs(both.words[4 + i].end_ms - (second_ms + alone.words[i].end_ms)), 60) << i;
  }
}

TEST_F(PocketSphinxTest, SilenceAndClicksHaveNoWords) {
  start();
  EXPECT_TRUE(hear(1, std::vector<float>(32'000, 0.0F)).words.empty());
  EXPECT_TRUE(hear(2, std::vector<float>(200, 0.5F)).words.empty());
  EXPECT_EQ(hear(3, std::vector<float>(1, 0.5F)).kind, Kind::kFinal);
  EXPECT_EQ(text_of(hear(4, go_forward_)), "go forward ten meters");
}

TEST_F(PocketSphinxTest, AMeetingsOwnWordsKeepTheOthersRightAndTheWorkersAlive) {
  start({"Kowalska", "Qylon roadmap", "kubernetes ingress", "forward", "\xE4\xBD\xA0\xE5\xA5\xBD"});
  for (std::uint64_t segment = 1; segment <= 4; ++segment)
    EXPECT_EQ(text_of(hear(segment, go_forward_)), "go forward ten meters");
  EXPECT_NE(counters_.render().find("qylon_recogniser_workers_lost_total 0"), std::string::npos);
  EXPECT_NE(counters_.render().find("qylon_recogniser_vocabulary_skipped_total 1"),
            std::string::npos);
}

TEST_F(PocketSphinxTest, OneMeetingsWordsNeverReachAnother) {
  // Both meetings want the one worker; the second must not inherit the first one's words.
  start({"gophor wordden meetares"});
  EXPECT_EQ(hear(1, go_forward_).kind, Kind::kFinal);
  const auto plain = recogniser_->open({}, answers_);
  speak(*plain, 2, 0, go_forward_);
  EXPECT_EQ(text_of(answers_->answer(2)), "go forward ten meters");
}

TEST_F(PocketSphinxTest, SentencesOfAnOrganisationAreExpected) {
  const std::string path = ::testing::TempDir() + "/qylon-asr-sentences.txt";
  std::ofstream(path) << "go forward ten meters\nturn left at the door\n";
  settings_.language_model = path;
  start();
  EXPECT_EQ(text_of(hear(1, go_forward_)), "go forward ten meters");
}

TEST_F(PocketSphinxTest, AMissingModelOrTextIsNamedAtTheStart) {
  settings_.model_dir = "/nowhere/xx-xx";
  auto made = make_recogniser(settings_, {log_, counters_, clock_});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("/nowhere/xx-xx"), std::string::npos) << made.error().message;
  settings_.model_dir = "";
  settings_.language_model = "/nowhere/sentences.txt";
  made = make_recogniser(settings_, {log_, counters_, clock_});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("/nowhere/sentences.txt"), std::string::npos);
}

TEST(DictionaryWords, AreLowerCaseLettersAndInnerApostrophes) {
  const std::vector<std::string> expected{"dr", "o'neill's", "q", "plan"};
  EXPECT_EQ(dictionary_words("Dr. O'Neill's Q3-plan'"), expected);
  EXPECT_TRUE(dictionary_words("12 -- ''").empty());
}

TEST(BuildArpa, GivesEveryNgramHalfOfItsShareAndBacksOffWithTheRest) {
  // Words a b: P(a) = P(b) = 0.5 / 2 = 10^-0.6021, P(b|a) = 0.5 = 10^-0.3010. After a, what is left
  // goes to what b does not use: 0.5 / (1 - 0.25) = 10^-0.1761; after b to all: 0.5 / 1.
  EXPECT_EQ(build_arpa({{"a", "b"}}, false),
            "\\data\\\nngram 1=2\nngram 2=1\n\n\\1-grams:\n-0.6021 a -0.1761\n"
            "-0.6021 b -0.3010\n\n\\2-grams:\n-0.3010 a b -0.3010\n\n\\end\\\n");
}

TEST(BuildArpa, MarksSentencesOnlyWhenAsked) {
  EXPECT_NE(build_arpa({{"hello"}}, true).find("-0.3010 <s> hello </s>"), std::string::npos);
  EXPECT_EQ(build_arpa({{"hello"}}, false).find("<s>"), std::string::npos);
  EXPECT_EQ(build_arpa({{}}, true), "");
}

int edit_distance(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<int> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j)
    row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int corner = row[0];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1)});
      corner = above;
    }
  }
  return row.back();
}

std::vector<std::string> split(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// Plain lower-case words of the CMU dictionary with all their pronunciations.
std::map<std::string, std::vector<std::vector<std::string>>> dictionary() {
  std::map<std::string, std::vector<std::vector<std::string>>> words;
  std::ifstream file(kDictionary);
  for (std::string line; std::getline(file, line);) {
    auto parts = split(line);
    if (parts.size() < 2) continue;
    const std::string word = parts.front().substr(0, parts.front().find('('));
    parts.erase(parts.begin());
    const bool plain = word.size() > 1 &&
                       word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
    if (plain) words[word].push_back(std::move(parts));
  }
  return words;
}

TEST(LettersToSound, SayHeldOutWordsWithFewerThanFourteenPercentWrongPhones) {
  const auto words = dictionary();
  if (words.empty()) GTEST_SKIP() << "no CMU dictionary here";
  int errors = 0;
  int phones = 0;
  int index = 0;
  for (const auto& [word, ways] : words) {
    if (index++ % 20 != 0) continue;  // What train_letters.py held out.
    const auto said = split(letters_to_sound(word).value_or(""));
    int best = 1 << 20;
    std::size_t length = 0;
    for (const auto& way : ways) {
      const int distance = edit_distance(said, way);
      if (distance >= best) continue;
      best = distance;
      length = way.size();
    }
    errors += best;
    phones += static_cast<int>(length);
  }
  EXPECT_LT(static_cast<double>(errors) / phones, 0.14);
}

TEST(LettersToSound, RefuseWhatIsNotAWord) {
  EXPECT_FALSE(letters_to_sound(""));
  EXPECT_FALSE(letters_to_sound("x2"));
  EXPECT_FALSE(letters_to_sound("\xC3\xA9t\xC3\xA9"));
  EXPECT_FALSE(letters_to_sound(std::string(1000, 'a')));
  EXPECT_TRUE(letters_to_sound("qylon"));
}

}  // namespace
}  // namespace qylon::models
