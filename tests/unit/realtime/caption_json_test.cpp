#include "realtime/caption_json.hpp"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

const MeetingId kMeeting = *MeetingId::parse("11111111-2222-4333-8444-555555555555");

Caption caption() {
  Caption caption;
  caption.meeting = kMeeting;
  caption.track = 3;
  caption.segment = 12;
  caption.revision = 9;
  caption.start_ms = 81'230;
  caption.end_ms = 83'910;
  caption.speaker = {"s2", "Speaker 2", Provenance::kCluster, 0.81F};
  caption.text = "hello";
  caption.stable_words = 1;
  caption.words = {{"hello", 81'230, 83'910, 0.9F}};
  caption.confidence = 0.9F;
  caption.language = "en";
  caption.engine = "pocketsphinx";
  return caption;
}

// Field by field as docs/PROTOCOL.md lists them.
TEST(CaptionJson, AFinalHasItsOffset) {
  Caption final_caption = caption();
  final_caption.offset = 58;
  EXPECT_EQ(encode_caption(final_caption),
            R"({"type":"caption","meeting":"11111111-2222-4333-8444-555555555555","final":true,)"
            R"("offset":58,"segment":12,"revision":9,"track":3,"start_ms":81230,"end_ms":83910,)"
            R"("speaker":{"key":"s2","name":"Speaker 2","confidence":0.81,"provenance":"cluster"},)"
            R"("text":"hello","stable_words":1,"words":[{"text":"hello","start_ms":81230,)"
            R"("end_ms":83910,"confidence":0.9}],"confidence":0.9,"language":"en",)"
            R"("engine":"pocketsphinx"})");
}

TEST(CaptionJson, AnInterimHasNone) {
  EXPECT_EQ(encode_caption(caption()).find("offset"), std::string::npos);
}

TEST(CaptionJson, ACorrectionIsARevisionWithItsOffset) {
  Caption correction;
  correction.meeting = kMeeting;
  correction.offset = 59;
  SpeakerChange change{
      SpeakerChange::Kind::kSplit, {"s3", "Speaker 3", Provenance::kCluster, 0.75F}, {}, {41, 42}};
  correction.change = std::make_shared<const SpeakerChange>(change);
  EXPECT_EQ(encode_caption(correction),
            R"({"type":"revision","meeting":"11111111-2222-4333-8444-555555555555","offset":59,)"
            R"("kind":"split","speaker":{"key":"s3","name":"Speaker 3","confidence":0.75,)"
            R"("provenance":"cluster"},"captions":[41,42]})");
  change.kind = SpeakerChange::Kind::kMerge;
  change.from = "s4";
  change.captions.clear();
  correction.change = std::make_shared<const SpeakerChange>(change);
  EXPECT_NE(encode_caption(correction).find(R"("kind":"merge")"), std::string::npos);
  EXPECT_NE(encode_caption(correction).find(R"("from":"s4"})"), std::string::npos);
}

TEST(CaptionJson, BytesThatAreNotUtf8BecomeTheReplacementCharacter) {
  Caption broken = caption();
  broken.text =
      "a\xff"
      "b";
  EXPECT_NE(encode_caption(broken).find("\"text\":\"a\xEF\xBF\xBD"
                                        "b\""),
            std::string::npos);
}

TEST(CaptionJson, AConfidenceThatIsNoNumberIsZero) {
  Caption odd = caption();
  odd.confidence = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(encode_caption(odd).find(R"("confidence":0.0,"language")"), std::string::npos)
      << encode_caption(odd);
}

TEST(CaptionJson, StatusNamesItsState) {
  media::MeetingStatus status;
  status.meeting = kMeeting;
  status.state = MeetingState::kEnding;
  status.position_ms = 5;
  status.lag_ms = 6;
  status.captions = "full";
  status.tracks = {{0, "Room", "Ann", true, false}};
  status.speaking = {"t0"};
  status.hints = {{VoiceHint::Kind::kShared, {0}}};
  EXPECT_EQ(encode_status(status),
            R"({"type":"status","meeting":"11111111-2222-4333-8444-555555555555",)"
            R"("state":"ending","position_ms":5,"lag_ms":6,"captions":"full","tracks":[)"
            R"({"track":0,"label":"Room","speaker":"Ann","connected":true,"speaking":false}],)"
            R"("speakers":[],"speaking":["t0"],)"
            R"("hints":[{"kind":"shared","tracks":[0]}]})");
}

TEST(CaptionJson, LevelsHaveOneDecimal) {
  EXPECT_EQ(encode_levels(kMeeting, {{2, -31.26F, -12.0F, -28.0F, true, true, false}}),
            R"({"type":"levels","meeting":"11111111-2222-4333-8444-555555555555","levels":[)"
            R"({"track":2,"rms_dbfs":-31.3,"peak_dbfs":-12.0,"lufs":-28.0,"speech":true,)"
            R"("clipped":true,"silent":false}]})");
}

}  // namespace
}  // namespace qylon::realtime
