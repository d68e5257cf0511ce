// Uplink and subscribe sessions over real sockets.
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "media/uplink_frame.hpp"
#include "realtime/edge_server.hpp"
#include "realtime/memory_watch.hpp"
#include "tests/support/edge_fixture.hpp"

namespace qylon {
namespace {

using realtime::Topic;
using test::client_frame;
using test::read_frame;
using test::ServerFrame;

constexpr int kText = 1;
constexpr int kBinary = 2;
constexpr int kClose = 8;

class EdgeUplink : public test::EdgeFixture {
 protected:
  static std::string audio(std::uint64_t seq, TrackId track = 0) {
    const auto bytes = media::encode_uplink({0, track, seq, seq * 20'000, {1, 2, 3}});
    return client_frame(kBinary, std::string(bytes.begin(), bytes.end()));
  }
  std::unique_ptr<test::RawSocket> open_uplink() {
    auto socket = open_websocket("/v1/uplink");
    socket->send(hello());
    const ServerFrame welcome = read_frame(*socket);
    EXPECT_NE(welcome.payload.find(R"("type":"welcome")"), std::string::npos) << welcome.payload;
    return socket;
  }
  static std::uint64_t wait_for_ack(test::RawSocket& socket, const std::string& text) {
    for (int i = 0; i < 100; ++i) {
      const ServerFrame frame = read_frame(socket);
      if (frame.opcode < 0) return 0;
      if (frame.payload.find(text) != std::string::npos) return 1;
    }
    return 0;
  }
};

/// The error frame's text and the close code that follow.
struct End {
  std::string error;
  int code = 0;
};

End read_end(test::RawSocket& socket) {
  End end;
  for (;;) {
    const ServerFrame frame = read_frame(socket);
    if (frame.opcode < 0) return end;
    if (frame.opcode == kClose) {
      end.code = frame.close_code();
      return end;
    }
    if (frame.payload.find(R"("type":"error")") != std::string::npos) end.error = frame.payload;
  }
}

TEST_F(EdgeUplink, AcknowledgesWhatIsSettledAndWhatIsDurable) {
  auto socket = open_uplink();
  for (std::uint64_t seq = 0; seq < 5; ++seq)
    socket->send(audio(seq));
  EXPECT_TRUE(wait_for_ack(*socket, R"({"type":"ack","track":0,"next_seq":5,"durable":0})"));
  ingress_.track(0)->durable = 5;
  EXPECT_TRUE(wait_for_ack(*socket, R"({"type":"ack","track":0,"next_seq":5,"durable":5})"));
}

TEST_F(EdgeUplink, ContinuesWhereTheTrackStands) {
  open_uplink()->send(audio(0));
  while (ingress_.track(0)->frames() == 0)
    ::poll(nullptr, 0, 5);
  auto socket = open_websocket("/v1/uplink");
  socket->send(hello());
  EXPECT_NE(read_frame(*socket).payload.find(R"("tracks":[{"track":0,"next_seq":1}])"),
            std::string::npos);
}

TEST_F(EdgeUplink, ABusyShardHoldsTheSenderBackAndLosesNothing) {
  auto socket = open_uplink();
  ingress_.track(0)->answer = media::TrackUplink::Posted::kBusy;
  constexpr std::uint64_t kFrames = 300;
  for (std::uint64_t seq = 0; seq < kFrames; ++seq)
    socket->send(audio(seq));
  ::poll(nullptr, 0, 100);
  EXPECT_EQ(ingress_.track(0)->frames(), 0U);
  ingress_.track(0)->answer = media::TrackUplink::Posted::kAccepted;
  EXPECT_TRUE(wait_for_ack(*socket, R"("next_seq":300)"));
  EXPECT_EQ(ingress_.track(0)->frames(), kFrames);
}

TEST_F(EdgeUplink, AnEndedMeetingClosesItsUplinks) {
  auto socket = open_uplink();
  edge_->hub().close_meeting_uplinks(MeetingId::random());
  edge_->hub().close_meeting_uplinks(history_.meeting);
  EXPECT_EQ(read_end(*socket).code, 4506);
}

TEST_F(EdgeUplink, DrainingTellsWhenToComeBack) {
  auto socket = open_uplink();
  edge_->drain();
  const End end = read_end(*socket);
  EXPECT_EQ(end.code, 4000);
  EXPECT_NE(end.error.find("retry_after_ms"), std::string::npos) << end.error;
}

TEST_F(EdgeUplink, AShutdownRightAfterTheDrainStillTellsIt) {
  auto socket = open_uplink();
  edge_->drain();
  edge_.reset();
  const End end = read_end(*socket);
  EXPECT_EQ(end.code, 4000);
  EXPECT_NE(end.error.find("retry_after_ms"), std::string::npos) << end.error;
}

// Else what is still on its way to the server would reset the connection before its peer has read.
TEST_F(EdgeUplink, AShutdownAfterTheDrainWaitsForTheAnswer) {
  auto socket = open_uplink();
  edge_->drain();
  auto ended = std::async(std::launch::async, [this] { edge_.reset(); });
  EXPECT_EQ(read_end(*socket).code, 4000);
  EXPECT_EQ(ended.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  socket->send(client_frame(kClose, std::string("\x0F\xA0", 2)));
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

TEST_F(EdgeUplink, AShutdownAfterTheDrainWaitsASecondAtMost) {
  auto socket = open_uplink();
  edge_->drain();
  clock_.ahead_us += 1'000'000;
  edge_.reset();
  EXPECT_EQ(read_end(*socket).code, 4000);
}

TEST_F(EdgeUplink, ShutdownSaysGoingAway) {
  auto socket = open_uplink();
  edge_.reset();
  EXPECT_EQ(read_end(*socket).code, 1001);
}

TEST_F(EdgeUplink, APingIsAnswered) {
  auto socket = open_uplink();
  socket->send(client_frame(kText, R"({"type":"ping"})"));
  EXPECT_EQ(read_frame(*socket).payload, R"({"type":"pong"})");
  socket->send(client_frame(9, "abc"));
  const ServerFrame pong = read_frame(*socket);
  EXPECT_EQ(pong.opcode, 10);
  EXPECT_EQ(pong.payload, "abc");
}

TEST_F(EdgeUplink, AMessageMayComeInFragments) {
  auto socket = open_websocket("/v1/uplink");
  const std::string ping = R"({"type":"ping"})";
  socket->send(client_frame(kText, ping.substr(0, 4), false));
  socket->send(client_frame(0, ping.substr(4, 4), false));
  socket->send(client_frame(0, ping.substr(8)));
  EXPECT_EQ(read_frame(*socket).payload, R"({"type":"pong"})");
}

TEST_F(EdgeUplink, ATokenInTheHelloOrTheHeaderIsAsked) {
  access_.token_required = true;
  auto socket = open_websocket("/v1/uplink");
  socket->send(hello());
  EXPECT_EQ(read_end(*socket).code, 4500);
  test::RawSocket with_header(edge_->port());
  with_header.send(upgrade("/v1/uplink", "Authorization: Bearer secret\r\n"));
  ASSERT_TRUE(with_header.read_until("\r\n\r\n"));
  with_header.send(hello());
  EXPECT_TRUE(with_header.read_until(R"("type":"welcome")"));
}

TEST_F(EdgeUplink, TheOfferedSubprotocolIsConfirmed) {
  test::RawSocket socket(edge_->port());
  socket.send(upgrade("/v1/uplink", "Sec-WebSocket-Protocol: other, qylon.v1\r\n"));
  ASSERT_TRUE(socket.read_until("\r\n\r\n"));
  EXPECT_NE(socket.received().find("Sec-WebSocket-Protocol: qylon.v1\r\n"), std::string::npos);
}

struct TrackEnd {
  media::TrackUplink::Posted answer;
  int close;
};
class EdgeTrackEnd : public EdgeUplink, public ::testing::WithParamInterface<TrackEnd> {};

TEST_P(EdgeTrackEnd, ClosesWithItsCode) {
  auto socket = open_uplink();
  ingress_.track(0)->answer = GetParam().answer;
  socket->send(audio(0));
  EXPECT_EQ(read_end(*socket).code, GetParam().close);
}

INSTANTIATE_TEST_SUITE_P(Table,
                         EdgeTrackEnd,
                         ::testing::Values(TrackEnd{media::TrackUplink::Posted::kSuperseded, 4501},
                                           TrackEnd{media::TrackUplink::Posted::kEnded, 4506},
                                           TrackEnd{media::TrackUplink::Posted::kBadSequence,
                                                    4503}));

// Every wrong message gets its error frame and its close code, while a good uplink beside it loses
// nothing.
struct BadMessage {
  const char* name;
  int close;
  const char* path;
  std::string bytes;
  bool after_hello = false;
};
class EdgeBadMessage : public EdgeUplink, public ::testing::WithParamInterface<BadMessage> {};

TEST_P(EdgeBadMessage, GetsItsErrorAndItsCloseCode) {
  auto good = open_uplink();
  const BadMessage& row = GetParam();
  auto socket = open_websocket(row.path);
  if (row.after_hello) {
    socket->send(hello(R"({"track":7,"codec":"opus","sample_rate_hz":48000,"channels":1})"));
    read_frame(*socket);
  }
  std::string bytes = row.bytes;
  const std::string meeting = history_.meeting.to_string();
  if (const auto at = bytes.find("@MEETING"); at != std::string::npos)
    bytes.replace(at, 8, meeting);
  // A message in the table is text unless it is framed already.
  socket->send(bytes[0] == '{' || bytes[0] == '[' ? client_frame(kText, bytes) : bytes);
  good->send(audio(0) + audio(1));
  const End end = read_end(*socket);
  EXPECT_EQ(end.code, row.close) << end.error;
  const std::string told = R"("close":)" + std::to_string(row.close);
  // libwebsockets' own: a close code without an error frame, or just the end.
  const bool is_framing = row.close == 1002 || row.close == 1007 || row.close == 0;
  EXPECT_TRUE(is_framing || end.error.find(told) != std::string::npos) << end.error;
  EXPECT_TRUE(wait_for_ack(*good, R"("next_seq":2)"));
}

std::string hello_with(const std::string& fields) {
  return R"({"type":"hello",)" + fields + "}";
}
const std::string kMeeting = R"("meeting":"@MEETING",)";
const std::string kClock = R"("clock":{"id":"11111111-2222-4333-8444-555555555555"},)";
std::string tracks(const std::string& track) {
  return hello_with(kMeeting + kClock + R"("tracks":[)" + track + "]");
}
std::string raw_audio(std::string bytes) {
  return client_frame(kBinary, std::move(bytes));
}
const char* const kUp = "/v1/uplink";
const char* const kSub = "/v1/subscribe";
const std::string kTopic = R"("meeting/@MEETING/captions")";

INSTANTIATE_TEST_SUITE_P(
    Table,
    EdgeBadMessage,
    ::testing::Values(
        BadMessage{"NotAnObject", 4503, kUp, "[1]"},
        BadMessage{"BrokenJson", 4503, kUp, "{\"type\":"},
        BadMessage{"NoType", 4503, kUp, "{}"},
        BadMessage{"UnknownType", 4503, kUp, R"({"type":"nonsense"})"},
        BadMessage{"TypeIsANumber", 4503, kUp, R"({"type":1})"},
        BadMessage{"DepthBomb", 4503, kUp, std::string(5000, '[')},
        BadMessage{"DeepObject", 4503, kUp, R"({"a":)" + std::string(40, '[')},
        BadMessage{"TooLongText", 4503, kUp, "{\"a\":\"" + std::string(17'000, 'x') + "\"}"},
        BadMessage{"NotUtf8", 1007, kUp, client_frame(kText, "\xff\xfe")},
        BadMessage{"OverlongUtf8", 1007, kUp, client_frame(kText, "\xc0\xaf")},
        BadMessage{"TooLongMessage", 1009, kUp, client_frame(kBinary, std::string(66'000, 'x'))},
        BadMessage{"ManyFragments",
                   1009,
                   kUp,
                   client_frame(kBinary, std::string(40'000, 'x'), false) +
                       client_frame(0, std::string(40'000, 'x'))},
        BadMessage{"EnormousLength",
                   1009,
                   kUp,
                   client_frame(kBinary, "x", true, std::uint64_t{1} << 62)},
        BadMessage{"ReservedOpcode", 1002, kUp, client_frame(3, "hi")},
        BadMessage{"ReservedBit", 1002, kUp, client_frame(0x40 | 1, "hi")},
        BadMessage{"FragmentedPing", 1002, kUp, client_frame(9, "x", false)},
        BadMessage{"LongPing", 0, kUp, client_frame(9, std::string(126, 'x'))},
        BadMessage{"ContinuationFirst", 1002, kUp, client_frame(0, "x")},
        BadMessage{"NestedMessage",
                   1002,
                   kUp,
                   client_frame(kText, "x", false) + client_frame(kText, "y")},
        BadMessage{"AudioBeforeHello", 4503, kUp, raw_audio(std::string(24, '\1'))},
        BadMessage{"NoMeeting", 4503, kUp, hello_with(kClock + R"("tracks":[])")},
        BadMessage{"MeetingIsNoUuid", 4503, kUp, hello_with(R"("meeting":"x",)" + kClock)},
        BadMessage{
            "UnknownMeeting",
            4507,
            kUp,
            R"({"type":"hello","meeting":"11111111-2222-4333-8444-555555555555",)" + kClock +
                R"("tracks":[{"track":0,"codec":"opus","sample_rate_hz":48000,"channels":1}]})"},
        BadMessage{"NoClock", 4503, kUp, hello_with(kMeeting + R"("tracks":[])")},
        BadMessage{"NoTracks", 4503, kUp, hello_with(kMeeting + kClock + R"("tracks":[])")},
        BadMessage{"TrackOutOfRange",
                   4503,
                   kUp,
                   tracks(R"({"track":65536,"codec":"opus","sample_rate_hz":48000,"channels":1})")},
        BadMessage{"SameTrackTwice",
                   4503,
                   kUp,
                   tracks(R"({"track":1,"codec":"opus","sample_rate_hz":48000,"channels":1},)"
                          R"({"track":1,"codec":"opus","sample_rate_hz":48000,"channels":1})")},
        BadMessage{"UnknownCodec",
                   4504,
                   kUp,
                   tracks(R"({"track":1,"codec":"mp7","sample_rate_hz":48000,"channels":1})")},
        BadMessage{"OddRate",
                   4504,
                   kUp,
                   tracks(R"({"track":1,"codec":"pcm_s16le","sample_rate_hz":1234,"channels":1})")},
        BadMessage{
            "ThreeChannels",
            4504,
            kUp,
            tracks(R"({"track":1,"codec":"pcm_s16le","sample_rate_hz":16000,"channels":3})")},
        BadMessage{"RateIsText",
                   4503,
                   kUp,
                   tracks(R"({"track":1,"codec":"opus","sample_rate_hz":"48000","channels":1})")},
        BadMessage{"ControlInLabel",
                   4503,
                   kUp,
                   tracks(R"({"track":1,"codec":"opus","sample_rate_hz":48000,"channels":1,)"
                          R"("label":"a\u0000b"})")},
        BadMessage{"SecondHello", 4503, kUp, tracks(R"({"track":1})"), true},
        BadMessage{"EmptyFrame", 4503, kUp, raw_audio(""), true},
        BadMessage{"TruncatedFrame", 4503, kUp, raw_audio(std::string(19, '\1')), true},
        BadMessage{"WrongVersion", 4503, kUp, raw_audio("\x02" + std::string(30, '\0')), true},
        BadMessage{"UnknownFlags",
                   4503,
                   kUp,
                   raw_audio(std::string("\x01\x80\x00\x07", 4) + std::string(30, '\0')),
                   true},
        BadMessage{"ForeignTrack",
                   4503,
                   kUp,
                   raw_audio(std::string("\x01\x00\x00\x09", 4) + std::string(30, '\0')),
                   true},
        BadMessage{"PayloadTooLong",
                   4503,
                   kUp,
                   raw_audio(std::string("\x01\x00\x00\x07", 4) + std::string(33'000, '\0')),
                   true},
        BadMessage{"BinaryToSubscribe", 4503, kSub, client_frame(kBinary, "x")},
        BadMessage{"NoTopics", 4503, kSub, R"({"type":"subscribe","topics":[]})"},
        BadMessage{"TopicIsANumber", 4503, kSub, R"({"type":"subscribe","topics":[1]})"},
        BadMessage{"UnknownTopic",
                   4503,
                   kSub,
                   R"({"type":"subscribe","topics":["meeting/@MEETING/secrets"]})"},
        BadMessage{"TopicWithoutUuid",
                   4503,
                   kSub,
                   R"({"type":"subscribe","topics":["meeting/x/captions"]})"},
        BadMessage{"SubscribeToNothing",
                   4507,
                   kSub,
                   R"({"type":"subscribe","topics":)"
                   R"(["meeting/11111111-2222-4333-8444-555555555555/captions"]})"},
        BadMessage{"NegativeOffset",
                   4503,
                   kSub,
                   R"({"type":"subscribe","topics":[)" + kTopic +
                       R"(],"from":{"epoch":"11111111-2222-4333-8444-555555555555","offset":-1}})"},
        BadMessage{"OffsetBeyond53Bits",
                   4503,
                   kSub,
                   R"({"type":"subscribe","topics":[)" + kTopic +
                       R"(],"from":{"epoch":"11111111-2222-4333-8444-555555555555",)"
                       R"("offset":18446744073709551615}})"},
        BadMessage{"HelloToSubscribe", 4503, kSub, R"({"type":"hello"})"}),
    [](const auto& row) { return std::string(row.param.name); });

class EdgeSubscribe : public test::EdgeFixture {
 protected:
  std::string position(std::uint64_t offset, bool recovered = true) const {
    return R"({"type":"position","topic":"meeting/)" + history_.meeting.to_string() +
           R"(/captions","epoch":")" + history_.epoch.to_string() + R"(","offset":)" +
           std::to_string(offset) + R"(,"recovered":)" + (recovered ? "true}" : "false}");
  }
  void store(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t offset = first; offset <= last; ++offset)
      history_.add(test::final_json(offset));
  }
  std::string from(std::uint64_t offset) const {
    return R"(,"from":{"epoch":")" + history_.epoch.to_string() + R"(","offset":)" +
           std::to_string(offset) + "}";
  }
  static void expect_finals(test::RawSocket& socket, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t offset = first; offset <= last; ++offset)
      ASSERT_EQ(read_frame(socket).payload, test::final_json(offset));
  }
  void publish(Topic topic, std::uint64_t key, const std::string& json) {
    edge_->hub().publish({history_.meeting,
                          history_.epoch,
                          topic,
                          std::make_shared<const std::string>(json),
                          std::nullopt,
                          key});
  }
};

TEST_F(EdgeSubscribe, SendsPositionThenThePastThenLive) {
  store(1, 200);  // Several pages.
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe());
  EXPECT_EQ(read_frame(*socket).payload, position(200));
  expect_finals(*socket, 1, 200);
  publish_final(201);
  publish_final(202);
  expect_finals(*socket, 201, 202);
}

TEST_F(EdgeSubscribe, ResumesAfterTheOffsetItWasTold) {
  store(1, 10);
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe(from(7)));
  EXPECT_EQ(read_frame(*socket).payload, position(10));
  expect_finals(*socket, 8, 10);
}

TEST_F(EdgeSubscribe, AnotherEpochStartsAnew) {
  store(1, 3);
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe(R"(,"from":{"epoch":"11111111-2222-4333-8444-555555555555","offset":2})"));
  EXPECT_EQ(read_frame(*socket).payload, position(3, false));
  expect_finals(*socket, 1, 3);
}

TEST_F(EdgeSubscribe, AnOffsetThatHasNotHappenedIsRefused) {
  store(1, 3);
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe(from(9)));
  EXPECT_EQ(read_end(*socket).code, 4004);
}

TEST_F(EdgeSubscribe, TheRingCoversWhatIsNotStoredYet) {
  store(1, 5);
  for (std::uint64_t offset = 6; offset <= 9; ++offset)
    publish_final(offset);
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe());
  EXPECT_EQ(read_frame(*socket).payload, position(9));
  expect_finals(*socket, 1, 9);
}

TEST_F(EdgeSubscribe, AResumeInsideTheRingAsksNoDatabase) {
  history_.failing = true;
  for (std::uint64_t offset = 41; offset <= 60; ++offset)
    publish_final(offset);
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe(from(50)));
  EXPECT_EQ(read_frame(*socket).payload, position(60));
  expect_finals(*socket, 51, 60);
  EXPECT_EQ(history_.reads, 0);
}

TEST_F(EdgeSubscribe, ADatabaseThatComesBackIsAskedAgain) {
  store(1, 3);
  history_.failing = true;
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe());
  while (history_.reads < 2)
    ::poll(nullptr, 0, 10);
  history_.failing = false;
  EXPECT_EQ(read_frame(*socket).payload, position(3));
  expect_finals(*socket, 1, 3);
}

TEST_F(EdgeSubscribe, AReaderThatPausesLosesNoFinal) {
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe());
  EXPECT_EQ(read_frame(*socket).payload, position(0));
  constexpr std::uint64_t kFinals = 8000;  // 16 MB: more than the kernel buffers.
  const std::string padding(2000, ' ');
  for (std::uint64_t offset = 1; offset <= kFinals; ++offset) {
    const std::string json = test::final_json(offset) + padding;
    history_.add(json);
    edge_->hub().publish({history_.meeting,
                          history_.epoch,
                          Topic::kCaptions,
                          std::make_shared<const std::string>(json),
                          offset,
                          0});
  }
  for (std::uint64_t offset = 1; offset <= kFinals; ++offset) {
    const std::string wanted = test::final_json(offset);
    ASSERT_EQ(read_frame(*socket).payload.substr(0, wanted.size()), wanted);
  }
}

TEST_F(EdgeSubscribe, TheNewestStatusComesFirstThenEveryChange) {
  history_.set_status(R"({"type":"status","state":"ended"})");
  auto socket = open_websocket("/v1/subscribe");
  const std::string topic = R"(["meeting/)" + history_.meeting.to_string() + R"(/status"])";
  socket->send(client_frame(kText, R"({"type":"subscribe","topics":)" + topic + "}"));
  EXPECT_EQ(read_frame(*socket).payload, R"({"type":"status","state":"ended"})");
  publish(Topic::kStatus, 1, R"({"type":"status","state":"live"})");
  EXPECT_EQ(read_frame(*socket).payload, R"({"type":"status","state":"live"})");
  publish(Topic::kLevels, 1, "{}");
  socket->send(client_frame(kText, R"({"type":"unsubscribe","topics":)" + topic + "}"));
  socket->send(client_frame(kText, R"({"type":"ping"})"));
  EXPECT_EQ(read_frame(*socket).payload, R"({"type":"pong"})");
  publish(Topic::kStatus, 1, R"({"type":"status","state":"gone"})");
  socket->send(client_frame(kText, R"({"type":"ping"})"));
  EXPECT_EQ(read_frame(*socket).payload, R"({"type":"pong"})");
}

TEST_F(EdgeSubscribe, AMeetingsCaptionsReachOnlyItsSubscribers) {
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe());
  EXPECT_EQ(read_frame(*socket).payload, position(0));
  edge_->hub().publish({MeetingId::random(),
                        Epoch::random(),
                        Topic::kCaptions,
                        std::make_shared<const std::string>("{}"),
                        1,
                        1});
  publish(Topic::kCaptions, 5, R"({"interim":1})");
  EXPECT_EQ(read_frame(*socket).payload, R"({"interim":1})");
}

TEST_F(EdgeSubscribe, TooManyControlMessagesClose) {
  auto socket = open_websocket("/v1/subscribe");
  for (int i = 0; i < 60; ++i)
    socket->send(client_frame(kText, R"({"type":"ping"})"));
  EXPECT_EQ(read_end(*socket).code, 4005);
}

TEST_F(EdgeSubscribe, EverySubscriberOfTwoThreadsGetsEveryFinal) {
  realtime::EdgeServer::Options options;
  options.net_threads = 2;
  start(options);
  std::vector<std::unique_ptr<test::RawSocket>> sockets;
  for (int i = 0; i < 10; ++i) {
    sockets.push_back(open_websocket("/v1/subscribe"));
    sockets.back()->send(subscribe());
    EXPECT_EQ(read_frame(*sockets.back()).payload, position(0));
  }
  for (std::uint64_t offset = 1; offset <= 50; ++offset)
    publish_final(offset);
  for (const auto& socket : sockets)
    expect_finals(*socket, 1, 50);
}

TEST_F(EdgeSubscribe, ASessionEndsAfterTwelveHours) {
  auto socket = open_websocket("/v1/subscribe");
  socket->send(subscribe());
  EXPECT_NE(read_frame(*socket).payload.find(R"("type":"position")"), std::string::npos);
  clock_.ahead_us = 12LL * 3600 * 1'000'000;
  const End end = read_end(*socket);
  EXPECT_EQ(end.code, 4000);
  EXPECT_NE(end.error.find("retry_after_ms"), std::string::npos) << end.error;
}

class EdgeMemory : public EdgeSubscribe {
 protected:
  static constexpr std::size_t kRoomBytes = 100 << 20;

  void SetUp() override {
    realtime::EdgeServer::Options options;
    options.memory_bytes_max = realtime::resident_bytes() + kRoomBytes;
    start(options);
  }
  /// Takes memory until 99 % of the limit are in use.
  void take_memory() { taken_.assign(kRoomBytes / 100 * 99, 'x'); }

  void publish_padded(std::uint64_t offset, std::size_t bytes) {
    const std::string json = R"({"offset":)" + std::to_string(offset) + R"(,"padding":")" +
                             std::string(bytes, 'x') + "\"}";
    edge_->hub().publish({history_.meeting,
                          history_.epoch,
                          Topic::kCaptions,
                          std::make_shared<const std::string>(json),
                          offset,
                          0});
  }

  std::string taken_;
};

TEST_F(EdgeMemory, NobodyNewIsLetInWhileItIsShort) {
  take_memory();
  EXPECT_EQ(exchange("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 5000), "");
  EXPECT_EQ(counters_.counter("qylon_edge_memory_refusals_total", "").value(), 1U);
}

TEST_F(EdgeMemory, TheSlowReaderIsLetGoAndTheGoodOneStays) {
  auto slow = open_websocket("/v1/subscribe");
  slow->send(subscribe());
  read_frame(*slow);
  auto good = open_websocket("/v1/subscribe");
  good->send(subscribe());
  read_frame(*good);
  for (std::uint64_t offset = 1; offset <= 300; ++offset) {
    publish_padded(offset, 60'000);
    EXPECT_NE(read_frame(*good).opcode, -1);
  }
  take_memory();
  const Counter& shed = counters_.counter("qylon_edge_shed_readers_total", "");
  for (int i = 0; i < 500 && shed.value() == 0; ++i)
    ::poll(nullptr, 0, 10);
  EXPECT_EQ(shed.value(), 1U);
  EXPECT_EQ(read_end(*slow).code, 4006);
  publish_padded(301, 10);
  EXPECT_NE(read_frame(*good).payload.find(R"("offset":301)"), std::string::npos);
}

}  // namespace
}  // namespace qylon
