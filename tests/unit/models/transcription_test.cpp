#include "models/transcription.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "models/pcm16.hpp"

namespace qylon::models {
namespace {

std::string joined(const std::vector<DecodedWord>& words) {
  std::string text;
  for (const DecodedWord& word : words)
    text += (text.empty() ? "" : " ") + word.text;
  return text;
}

TEST(SpreadWords, SharesTheTimeByLetters) {
  const auto words = spread_words("  go  forward\n", 1000, 2800, 0.5F);
  ASSERT_EQ(joined(words), "go forward");
  EXPECT_EQ(words[0].start_ms, 1000);
  EXPECT_EQ(words[0].end_ms, 1400);  // Two letters of nine in 1800 ms.
  EXPECT_EQ(words[1].end_ms, 2800);
  EXPECT_TRUE(spread_words(" \n", 0, 10, 0.5F).empty());
}

TEST(ParseVosk, ReadsAFinalWithTimesAndConfidence) {
  // As in vosk-api's src/recognizer.cc.
  const auto heard = parse_vosk(
      R"({"result":[{"conf":0.9,"end":1.11,"start":0.84,"word":"one"}],"text":"one"})", 5000);
  ASSERT_TRUE(heard);
  EXPECT_TRUE(heard->is_final);
  EXPECT_EQ(heard->words.at(0).start_ms, 840);
  EXPECT_EQ(heard->words.at(0).end_ms, 1110);
  EXPECT_FLOAT_EQ(heard->words.at(0).confidence, 0.9F);
}

TEST(ParseVosk, SpreadsPartialsWithoutTimes) {
  const auto heard = parse_vosk(R"({"partial" : "one two"})", 600);
  ASSERT_TRUE(heard);
  EXPECT_FALSE(heard->is_final);
  EXPECT_EQ(joined(heard->words), "one two");
  EXPECT_EQ(heard->words.back().end_ms, 600);
}

TEST(ParseVosk, RefusesWhatIsNotAnAnswer) {
  for (const char* text : {"", "[]", "{}", "{\"text\":", "null", "{\"txt\":\"x\"}"})
    EXPECT_FALSE(parse_vosk(text, 0)) << text;
}

TEST(ParseVosk, RefusesWhatIsTooDeepOrTooLarge) {
  const std::string deep =
      R"({"text":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_FALSE(parse_vosk(deep, 0));
  EXPECT_FALSE(parse_vosk(R"({"text":")" + std::string(2U << 20, 'a') + "\"}", 0));
}

TEST(ParseVosk, AWordThatIsNoWordFallsBackToTheText) {
  const auto heard = parse_vosk(R"({"result":[{"word":"a","start":"x"}],"text":"a b"})", 100);
  ASSERT_TRUE(heard);
  EXPECT_EQ(joined(heard->words), "a b");
}

TEST(VoskConfig, AsksForWordsAndExpectsPhrases) {
  EXPECT_EQ(vosk_config({"Ann"}),
            R"({"config":{"phrase_list":["Ann"],"sample_rate":16000,"words":true}})");
  EXPECT_EQ(vosk_config({}), R"({"config":{"sample_rate":16000,"words":true}})");
}

TEST(ParseSherpa, JoinsTokensIntoTimedWords) {
  // As in sherpa-onnx's online-websocket-server-impl.cc.
  const auto result = parse_sherpa(
      R"({"text":" AFTER EARLY","tokens":[" AF","TER"," E","AR","LY"],)"
      R"("timestamps":[0.64,0.72,1.0,1.08,1.2],"segment":2,"start_time":10.0,"is_final":true})",
      20'000);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->segment, 2);
  EXPECT_TRUE(result->transcription.is_final);
  ASSERT_EQ(joined(result->transcription.words), "AFTER EARLY");
  EXPECT_EQ(result->transcription.words[0].start_ms, 10'640);
  EXPECT_EQ(result->transcription.words[0].end_ms, 11'000);
  EXPECT_EQ(result->transcription.words[1].start_ms, 11'000);
}

TEST(ParseSherpa, SpreadsATextWithoutTokens) {
  const auto result = parse_sherpa(R"({"text":"one two"})", 600);
  ASSERT_TRUE(result);
  EXPECT_EQ(joined(result->transcription.words), "one two");
}

TEST(ParseOpenAi, ReadsWordsInsideSegments) {
  // As whisper.cpp's server prints verbose_json.
  const auto heard = parse_openai(
      R"({"text":" And so","segments":[{"id":0,"text":" And so","start":0.0,"end":1.0,)"
      R"("words":[{"word":" And","start":0.2,"end":0.5,"probability":0.7},)"
      R"({"word":" so","start":0.5,"end":1.0,"probability":0.9}]}]})",
      1000);
  ASSERT_TRUE(heard);
  ASSERT_EQ(joined(heard->words), "And so");
  EXPECT_EQ(heard->words[0].start_ms, 200);
  EXPECT_FLOAT_EQ(heard->words[1].confidence, 0.9F);
}

TEST(ParseOpenAi, SpreadsASegmentsTextOverTheSegment) {
  const auto heard = parse_openai(R"({"text":"a b","segments":[{"text":"a","start":0,"end":1},)"
                                  R"({"text":"b","start":2,"end":3}]})",
                                  9000);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->words.at(1).start_ms, 2000);
  EXPECT_EQ(heard->words.at(1).end_ms, 3000);
}

TEST(ParseOpenAi, TimesOutsideOfADayAreClamped) {
  const auto heard =
      parse_openai(R"({"text":"a","words":[{"word":"a","start":-5,"end":1e300}]})", 1000);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->words.at(0).start_ms, 0);
  EXPECT_EQ(heard->words.at(0).end_ms, 86'400'000);
}

TEST(Pcm16, RoundsAndClips) {
  std::vector<std::int16_t> pcm;
  append_pcm16(std::vector<float>{0.0F, 1.0F, -1.0F, 7.0F, 0.5F, std::nanf("")}, pcm);
  EXPECT_EQ(pcm, (std::vector<std::int16_t>{0, 32767, -32767, 32767, 16384, 0}));
}

TEST(Pcm16, WavHeaderSaysMono16Kilohertz) {
  const std::string wav = wav_file(std::vector<std::int16_t>{1, -2});
  ASSERT_EQ(wav.size(), 48U);
  EXPECT_EQ(wav.substr(0, 4) + wav.substr(8, 8), "RIFFWAVEfmt ");
  EXPECT_EQ(wav.substr(22, 6), std::string("\x01\x00\x80\x3e\x00\x00", 6));
  EXPECT_EQ(wav.substr(40), std::string("\x04\x00\x00\x00\x01\x00\xfe\xff", 8));
}

}  // namespace
}  // namespace qylon::models
