// RFC 6455 as a client's bytes see it, on an echo that only this program serves. The cases and
// their numbers are those of the Autobahn test suite (categories 1 to 7), which is the field's
// yardstick.
#include <string>
#include <string_view>
#include <vector>

#include "realtime/session.hpp"
#include "tests/support/edge_fixture.hpp"

namespace qylon {
namespace {

using test::client_frame;
using test::read_frame;
using test::ServerFrame;

constexpr int kContinuation = 0;
constexpr int kText = 1;
constexpr int kBinary = 2;
constexpr int kClose = 8;
constexpr int kPing = 9;
constexpr int kPong = 10;

class EchoSession final : public realtime::Session {
 public:
  using Session::Session;
  void on_text(std::string_view text) override { port_.send(realtime::make_text_frame(text)); }
  void on_binary(std::span<const std::uint8_t> bytes) override {
    std::string frame =
        *realtime::make_text_frame({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    frame[0] = static_cast<char>(0x80 | kBinary);
    port_.send(std::make_shared<const std::string>(std::move(frame)));
  }
  void on_tick() override {}
  bool identified() const noexcept override { return true; }
};

class Conformance : public test::EdgeFixture {
 protected:
  void SetUp() override {
    realtime::EdgeServer::Options options;
    options.further_sessions["/echo"] = [](realtime::SessionPort& port,
                                           const realtime::SessionParts& parts) {
      return std::make_shared<EchoSession>(port, parts);
    };
    start(options);
  }

  /// What the server says to `pieces`, each sent on its own: "text:...", "pong:...", "close:CODE",
  /// and at the end "gone" when it closed the connection.
  std::vector<std::string> answers(const std::vector<std::string>& pieces) const {
    auto socket = open_websocket("/echo");
    for (const std::string& piece : pieces)
      socket->send(piece);
    std::vector<std::string> heard;
    for (;;) {
      const ServerFrame frame = read_frame(*socket, 150);
      if (frame.opcode < 0) break;
      heard.push_back(name(frame));
      // The closing handshake, RFC 6455 section 5.5.1; after a client's close it is done already.
      if (frame.opcode == kClose) socket->send(client_frame(kClose, frame.payload));
    }
    if (socket->closed()) heard.emplace_back("gone");
    return heard;
  }
  static std::string name(const ServerFrame& frame) {
    switch (frame.opcode) {
      case kText:
        return "text:" + frame.payload;
      case kBinary:
        return "binary:" + frame.payload;
      case kPong:
        return "pong:" + frame.payload;
      case kClose:
        return "close:" + std::to_string(frame.close_code());
      default:
        return "opcode:" + std::to_string(frame.opcode);
    }
  }
  static std::vector<std::string> chopped(const std::string& bytes, std::size_t each) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += each)
      pieces.push_back(bytes.substr(at, each));
    return pieces;
  }
  /// True when the server ended the connection and echoed nothing, an error frame apart; its close,
  /// if any, had `code`.
  static bool failed(const std::vector<std::string>& heard, int code = 0) {
    if (heard.empty() || heard.back() != "gone") return false;
    for (const std::string& word : heard) {
      const bool is_error = word.find(R"("type":"error")") != std::string::npos;
      const bool is_echo = word.compare(0, 5, "text:") == 0 || word.compare(0, 7, "binary:") == 0;
      if (is_echo && !is_error) return false;
      const bool is_close = word.compare(0, 6, "close:") == 0;
      if (is_close && code != 0 && word != "close:" + std::to_string(code)) return false;
    }
    return true;
  }
};

using Heard = std::vector<std::string>;

std::string close_payload(int code, std::string_view reason = "") {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)} +
         std::string(reason);
}

// 1.1 and 1.2
TEST_F(Conformance, EchoesTextAndBinaryOfEveryLengthForm) {
  for (const std::size_t length : {0U, 125U, 126U, 127U, 128U, 65'535U, 65'536U}) {
    const std::string text(length, '*');
    EXPECT_EQ(answers({client_frame(kText, text)}), Heard{"text:" + text}) << length;
    const std::string bytes(length, '\xFE');
    EXPECT_EQ(answers({client_frame(kBinary, bytes)}), Heard{"binary:" + bytes}) << length;
  }
}

TEST_F(Conformance, EchoesWhatComesInChopsOf997Bytes) {
  const std::string text(65'536, '*');
  EXPECT_EQ(answers(chopped(client_frame(kText, text), 997)), Heard{"text:" + text});
  EXPECT_EQ(answers(chopped(client_frame(kBinary, text), 997)), Heard{"binary:" + text});
}

// 2
TEST_F(Conformance, APongRepeatsThePing) {
  const std::string bytes("\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
  for (const std::string& payload :
       {std::string(), std::string("Hello, world!"), bytes, std::string(125, '\xFE')}) {
    EXPECT_EQ(answers({client_frame(kPing, payload)}), Heard{"pong:" + payload});
    EXPECT_EQ(answers(chopped(client_frame(kPing, payload), 1)), Heard{"pong:" + payload});
  }
}

TEST_F(Conformance, APingOfMoreThan125BytesFails) {
  EXPECT_TRUE(failed(answers({client_frame(kPing, std::string(126, '\xFE'))}), 1002));
}

TEST_F(Conformance, PongsNobodyAskedForAreNothing) {
  EXPECT_EQ(answers({client_frame(kPong, "")}), Heard{});
  EXPECT_EQ(answers({client_frame(kPong, "unsolicited"), client_frame(kPing, "asked")}),
            Heard{"pong:asked"});
}

// RFC 6455 section 5.5.3 lets pongs be left out, and would answer the newest; libwebsockets 4.1.6
// answers those that come while no pong waits.
TEST_F(Conformance, OfTenPingsAtLeastTheFirstIsAnswered) {
  std::vector<std::string> pings;
  for (int i = 0; i < 10; ++i)
    pings.push_back(client_frame(kPing, "payload-" + std::to_string(i)));
  const Heard heard = answers(pings);
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard.front(), "pong:payload-0");
}

// 3
TEST_F(Conformance, ReservedBitsFail) {
  for (const int bits : {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70}) {
    for (const int opcode : {kText, kBinary, kPing, kClose}) {
      EXPECT_TRUE(failed(answers({client_frame(opcode | bits, "")}), 1002))
          << bits << ' ' << opcode;
    }
  }
}

// 3.5 and 3.7; RFC 6455 section 7.1.1 wants the server to close TCP though the client does not
// answer.
TEST_F(Conformance, AFailedConnectionIsClosedThoughItsPeerSaysNoMore) {
  auto socket = open_websocket("/echo");
  socket->send(client_frame(kBinary | 0x50, std::string("\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8)));
  EXPECT_EQ(name(read_frame(*socket)), "close:1002");
  EXPECT_FALSE(socket->read_some(8'000));
  EXPECT_TRUE(socket->closed());
}

// 4
TEST_F(Conformance, ReservedOpcodesFail) {
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    EXPECT_TRUE(failed(answers({client_frame(opcode, "")}), 1002)) << opcode;
    EXPECT_TRUE(failed(answers({client_frame(opcode, "payload")}), 1002)) << opcode;
  }
}

// 5
TEST_F(Conformance, FragmentsBecomeOneMessage) {
  const std::string first = client_frame(kText, "fragment1", false);
  const std::string second = client_frame(kContinuation, "fragment2");
  const Heard whole{"text:fragment1fragment2"};
  EXPECT_EQ(answers({first, second}), whole);
  EXPECT_EQ(answers({first + second}), whole);
  EXPECT_EQ(answers(chopped(first + second, 1)), whole);
}

TEST_F(Conformance, APingBetweenFragmentsIsAnsweredAtOnce) {
  const Heard heard = answers({client_frame(kText, "fragment1", false),
                               client_frame(kPing, "ping"),
                               client_frame(kContinuation, "fragment2")});
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_TRUE((heard == Heard{"pong:ping", "text:fragment1fragment2"}) ||
              (heard == Heard{"text:fragment1fragment2", "pong:ping"}));
}

TEST_F(Conformance, ControlFramesAreNeverFragmented) {
  EXPECT_TRUE(
      failed(answers({client_frame(kPing, "f", false), client_frame(kContinuation, "g")}), 1002));
  EXPECT_TRUE(
      failed(answers({client_frame(kPong, "f", false), client_frame(kContinuation, "g")}), 1002));
}

TEST_F(Conformance, AContinuationOfNothingFails) {
  for (const bool is_final : {true, false}) {
    EXPECT_TRUE(failed(
        answers({client_frame(kContinuation, "x", is_final), client_frame(kText, "Hello, world!")}),
        1002))
        << is_final;
  }
  const Heard after_a_message = answers({client_frame(kText, "a", false),
                                         client_frame(kContinuation, "b"),
                                         client_frame(kContinuation, "c", false)});
  EXPECT_EQ(after_a_message.back(), "gone");
}

TEST_F(Conformance, ANewMessageInsideAFragmentedOneFails) {
  EXPECT_TRUE(failed(
      answers({client_frame(kText, "fragment1", false), client_frame(kText, "fragment2")}), 1002));
}

// 6
TEST_F(Conformance, ValidUtf8IsEchoedHoweverItIsCut) {
  const std::vector<std::string> texts{
      "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!",
      "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5",
      "\xC2\x80",
      "\xDF\xBF",
      "\xE0\xA0\x80",
      "\xEF\xBF\xBF",
      "\xED\x9F\xBF",
      "\xEE\x80\x80",
      "\xF0\x90\x80\x80",
      "\xF4\x8F\xBF\xBF"};
  for (const std::string& text : texts) {
    EXPECT_EQ(answers({client_frame(kText, text)}), Heard{"text:" + text});
    std::vector<std::string> bytes{client_frame(kText, "", false)};
    for (const char byte : text)
      bytes.push_back(client_frame(kContinuation, std::string(1, byte), false));
    bytes.push_back(client_frame(kContinuation, ""));
    EXPECT_EQ(answers(bytes), Heard{"text:" + text});
  }
}

TEST_F(Conformance, InvalidUtf8FailsWith1007) {
  const std::vector<std::string> texts{
      "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80"
      "edited",
      "\x80",
      "\xBF",
      "\x80\xBF\x80",
      "\xC0 ",
      "\xFD ",
      "\xE0\x80",
      "\xDF",
      "\xEF\xBF",
      "\xF7\xBF\xBF",
      "\xFE",
      "\xFF",
      "\xC0\xAF",
      "\xE0\x80\xAF",
      "\xF0\x80\x80\xAF",
      "\xC1\xBF",
      "\xE0\x9F\xBF",
      "\xF0\x8F\xBF\xBF",
      "\xED\xA0\x80",
      "\xED\xBF\xBF",
      "\xED\xA0\x80\xED\xB0\x80",
      "\xF4\x90\x80\x80",
      "\xF8\x88\x80\x80\x80",
      "\xFC\x84\x80\x80\x80\x80"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_TRUE(failed(answers({client_frame(kText, texts[i])}), 1007)) << i;
    EXPECT_TRUE(failed(
        answers({client_frame(kText, texts[i], false), client_frame(kContinuation, "")}), 1007))
        << i;
  }
}

// 7
TEST_F(Conformance, ACloseIsAnsweredAndNothingAfterItIsHeard) {
  const std::string close = client_frame(kClose, close_payload(1000));
  EXPECT_EQ(answers({client_frame(kText, "Hello"), close}),
            (Heard{"text:Hello", "close:1000", "gone"}));
  for (const std::string& after : {close, client_frame(kPing, ""), client_frame(kText, "late")})
    EXPECT_EQ(answers({close, after}), (Heard{"close:1000", "gone"}));
  EXPECT_TRUE(failed(answers({client_frame(kText, "fragment1", false), close})));
}

TEST_F(Conformance, ACloseMayBeEmptyOrCarryAReason) {
  EXPECT_TRUE(failed(answers({client_frame(kClose, "")})));
  for (const std::string& reason : {std::string("Hello"), std::string(123, '*')}) {
    EXPECT_EQ(answers({client_frame(kClose, close_payload(1000, reason))}),
              (Heard{"close:1000", "gone"}));
  }
}

TEST_F(Conformance, AMalformedCloseFails) {
  EXPECT_TRUE(failed(answers({client_frame(kClose, "a")})));
  EXPECT_TRUE(
      failed(answers({client_frame(kClose, close_payload(1000, std::string(124, '*')))}), 1002));
  EXPECT_TRUE(failed(answers({client_frame(kClose, close_payload(1000, "\xCE\xBA\xED\xA0\x80"))})));
}

TEST_F(Conformance, CloseCodesThatMayBeSentAreEchoed) {
  for (const int code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999}) {
    EXPECT_EQ(answers({client_frame(kClose, close_payload(code))}),
              (Heard{"close:" + std::to_string(code), "gone"}));
  }
}

TEST_F(Conformance, CloseCodesThatMayNotBeSentFail) {
  for (const int code : {0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999})
    EXPECT_TRUE(failed(answers({client_frame(kClose, close_payload(code))}), 1002)) << code;
}

}  // namespace
}  // namespace qylon
