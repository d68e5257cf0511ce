// The WebSocket client against our own server.
#include <chrono>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "realtime/ws_connector.hpp"
#include "tests/support/edge_fixture.hpp"

// libwebsockets 4.1.6 loses the TLS context of all but the newest of its contexts when they are
// destroyed, which a server does once, at its end.
extern "C" const char* __lsan_default_suppressions();   // NOLINT: the sanitizer's name.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT
  return "leak:libcrypto.so\nleak:libssl.so\nleak:libwebsockets.so";
}

namespace qylon {
namespace {

using realtime::WsConnector;

/// Everything a channel said, in order: "open", "text ...", "close 1000 ...".
class Said {
 public:
  MessageChannel::Events events() {
    MessageChannel::Events events;
    events.on_open = [this] { add("open"); };
    events.on_text = [this](std::string_view text) { add("text " + std::string(text)); };
    events.on_close = [this](int code, std::string_view reason) {
      add("close " + std::to_string(code) + " " + std::string(reason));
    };
    return events;
  }
  /// The next thing said, or empty after 10 s.
  std::string next() {
    const MutexLock lock(mutex_);
    for (int i = 0; i < 100 && said_.empty(); ++i)
      changed_.wait_for(mutex_, std::chrono::milliseconds(100));
    if (said_.empty()) return {};
    std::string first = std::move(said_.front());
    said_.pop_front();
    return first;
  }
  bool is_silent() {
    const MutexLock lock(mutex_);
    return said_.empty();
  }

 private:
  void add(std::string what) {
    const MutexLock lock(mutex_);
    said_.push_back(std::move(what));
    changed_.notify_all();
  }
  Mutex mutex_;
  Condition changed_;
  std::deque<std::string> said_ QYLON_GUARDED_BY(mutex_);
};

class Connector : public test::EdgeFixture {
 protected:
  void SetUp() override {
    EdgeFixture::SetUp();
    auto connector = WsConnector::create({});
    ASSERT_TRUE(connector);
    connector_ = *std::move(connector);
  }
  MessageChannel::Options to(const std::string& path) const {
    MessageChannel::Options options;
    options.url = "ws://127.0.0.1:" + std::to_string(edge_->port()) + path;
    options.subprotocol = "qylon.v1";
    return options;
  }
  std::unique_ptr<MessageChannel> connect(const MessageChannel::Options& options) {
    auto channel = connector_->connect(options, said_.events());
    EXPECT_TRUE(channel);
    return *std::move(channel);
  }

  Said said_;
  std::unique_ptr<WsConnector> connector_;
};

TEST_F(Connector, OpensSendsReceivesAndCloses) {
  const auto channel = connect(to("/v1/subscribe"));
  EXPECT_TRUE(channel->send_text(R"({"type":"ping"})"));  // Queued until it is open.
  EXPECT_EQ(said_.next(), "open");
  EXPECT_EQ(said_.next(), R"(text {"type":"pong"})");
  channel->close();
  EXPECT_EQ(said_.next(), "close 1000 ");
  EXPECT_FALSE(channel->send_text("late"));
}

TEST_F(Connector, KeepsTheOrderOfManyMessages) {
  const auto channel = connect(to("/v1/subscribe"));
  EXPECT_EQ(said_.next(), "open");
  const std::string topic = "meeting/" + history_.meeting.to_string() + "/captions";
  channel->send_text(R"({"type":"subscribe","topics":[")" + topic + R"("]})");
  EXPECT_EQ(said_.next().substr(0, 23), R"(text {"type":"position")");
  for (std::uint64_t offset = 1; offset <= 500; ++offset)
    publish_final(offset);
  for (std::uint64_t offset = 1; offset <= 500; ++offset)
    ASSERT_EQ(said_.next(), "text " + test::final_json(offset));
}

TEST_F(Connector, TellsTheServersCloseCode) {
  const auto channel = connect(to("/v1/uplink"));
  EXPECT_EQ(said_.next(), "open");
  const std::vector<std::uint8_t> junk(10);
  channel->send_binary(junk);
  EXPECT_NE(said_.next().find("4503"), std::string::npos);  // The error frame.
  EXPECT_EQ(said_.next(), "close 4503 ");
}

TEST_F(Connector, SendsItsHeaders) {
  access_.token_required = true;
  auto options = to("/v1/subscribe");
  options.headers["Authorization"] = "Bearer secret";
  const auto channel = connect(options);
  EXPECT_EQ(said_.next(), "open");
  const std::string topic = "meeting/" + history_.meeting.to_string() + "/captions";
  channel->send_text(R"({"type":"subscribe","topics":[")" + topic + R"("]})");
  EXPECT_EQ(said_.next().substr(0, 23), R"(text {"type":"position")");
}

TEST_F(Connector, SaysWhyTheServerRefused) {
  const auto channel = connect(to("/v1/nothing"));
  const std::string said = said_.next();
  EXPECT_EQ(said.substr(0, 11), "close 1006 ") << said;
  EXPECT_NE(said.find("404"), std::string::npos) << said;
}

TEST_F(Connector, APortWithoutAServerIsAClose) {
  const int port = edge_->port();
  auto options = to("/v1/uplink");
  edge_.reset();
  options.url = "ws://127.0.0.1:" + std::to_string(port) + "/v1/uplink";
  const auto channel = connect(options);
  EXPECT_EQ(said_.next().substr(0, 11), "close 1006 ");
}

TEST_F(Connector, AServerThatDoesNotAnswerTimesOut) {
  // A socket that listens and never accepts what the kernel took.
  const test::LoopbackListener listener(1);
  MessageChannel::Options options;
  options.url = "ws://" + listener.authority() + "/";
  options.connect_timeout_ms = 200;
  const auto channel = connect(options);
  EXPECT_EQ(said_.next(), "close 1006 the connection was not open in time");
}

TEST_F(Connector, TheServersShutdownIsAClose) {
  const auto channel = connect(to("/v1/subscribe"));
  EXPECT_EQ(said_.next(), "open");
  edge_.reset();
  EXPECT_EQ(said_.next(), "close 1001 ");
  EXPECT_TRUE(said_.is_silent());
}

TEST_F(Connector, AFullBufferRefusesTheMessage) {
  auto options = to("/v1/subscribe");
  options.send_buffer_bytes_max = 100;
  const auto channel = connect(options);
  EXPECT_FALSE(channel->send_text(std::string(101, 'x')));
  EXPECT_TRUE(channel->send_text(R"({"type":"ping"})"));
  EXPECT_EQ(said_.next(), "open");
  EXPECT_EQ(said_.next(), R"(text {"type":"pong"})");
}

TEST_F(Connector, NothingIsSaidAfterTheChannelIsGone) {
  for (int i = 0; i < 20; ++i) {
    auto said = std::make_unique<Said>();
    auto channel = connector_->connect(to("/v1/subscribe"), said->events());
    ASSERT_TRUE(channel);
    EXPECT_TRUE(i % 2 == 0 || said->next() == "open");
    (*channel)->send_text(R"({"type":"ping"})");
    (*channel).reset();
    said.reset();  // A late callback would touch freed memory.
  }
}

TEST_F(Connector, AChannelMayBeDestroyedInsideItsCallback) {
  std::unique_ptr<MessageChannel> channel;
  Mutex mutex;
  Condition changed;
  bool opened = false;
  MessageChannel::Events events;
  events.on_open = [&] {
    const MutexLock lock(mutex);
    opened = true;
    channel.reset();
    changed.notify_all();
  };
  {
    const MutexLock lock(mutex);
    channel = *connector_->connect(to("/v1/subscribe"), std::move(events));
  }
  const MutexLock lock(mutex);
  for (int i = 0; i < 100 && !opened; ++i)
    changed.wait_for(mutex, std::chrono::milliseconds(100));
  EXPECT_TRUE(opened);
  EXPECT_EQ(channel, nullptr);
}

TEST_F(Connector, AWrongUrlIsRefusedAtOnce) {
  MessageChannel::Options options;
  options.url = "http://localhost/";
  const auto channel = connector_->connect(options, {});
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().code, ErrorCode::kInvalidArgument);
}

// wss:// with a certificate that openssl(1) makes on the spot.
class TlsConnector : public Connector {
 protected:
  void SetUp() override {
    Connector::SetUp();
    if (!make_certificate()) GTEST_SKIP() << "openssl(1) is not installed";
    realtime::EdgeServer::Options options;
    options.tls_certificate_path = certificate_;
    options.tls_key_path = key_;
    start(options);
    secure_.url = "wss://localhost:" + std::to_string(edge_->port()) + "/v1/subscribe";
  }
  void TearDown() override {
    std::remove(key_.c_str());
    std::remove(certificate_.c_str());
  }
  /// A new key and certificate in the place of the old ones.
  bool make_certificate() const {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout " +
        key_ + " -out " + certificate_ + " 2>/dev/null";
    return std::system(command.c_str()) == 0;
  }
  /// What openssl s_client says of a connection with these options.
  std::string s_client(const std::string& options) const {
    const std::string command =
        "openssl s_client -connect 127.0.0.1:" + std::to_string(edge_->port()) + " " + options +
        " </dev/null 2>&1";
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    std::string said;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
      said.push_back(static_cast<char>(c));
    ::pclose(pipe);
    return said;
  }
  bool shakes_hands(const std::string& options) const {
    const std::string said = s_client(options);
    return said.find("Cipher is (NONE)") == std::string::npos &&
           said.find("Cipher is ") != std::string::npos;
  }

  const std::string key_ = ::testing::TempDir() + "realtime_connector_test_key.pem";
  const std::string certificate_ = ::testing::TempDir() + "realtime_connector_test_cert.pem";
  MessageChannel::Options secure_;
};

TEST_F(TlsConnector, SpeaksToATrustedServerOnly) {
  const auto untrusting = connect(secure_);
  EXPECT_EQ(said_.next().substr(0, 11), "close 1006 ");

  connector_ = *WsConnector::create({certificate_});
  const auto channel = connect(secure_);
  EXPECT_EQ(said_.next(), "open");
  channel->send_text(R"({"type":"ping"})");
  EXPECT_EQ(said_.next(), R"(text {"type":"pong"})");
}

TEST_F(TlsConnector, TheServerSpeaksForwardSecretAeadOnly) {
  EXPECT_TRUE(shakes_hands("-tls1_3"));
  EXPECT_TRUE(shakes_hands("-tls1_2"));
  EXPECT_FALSE(shakes_hands("-tls1_1 -cipher DEFAULT@SECLEVEL=0"));
  EXPECT_FALSE(shakes_hands("-tls1 -cipher DEFAULT@SECLEVEL=0"));
  for (const std::string cipher : {"ECDHE-ECDSA-AES128-SHA256",
                                   "ECDHE-ECDSA-AES256-SHA",
                                   "AES128-GCM-SHA256",
                                   "DHE-RSA-AES128-GCM-SHA256"})
    EXPECT_FALSE(shakes_hands("-tls1_2 -cipher " + cipher + "@SECLEVEL=0")) << cipher;
}

TEST_F(TlsConnector, TheServerAgreesOnHttp11Only) {
  EXPECT_NE(s_client("-alpn h2,http/1.1").find("ALPN protocol: http/1.1"), std::string::npos);
}

TEST_F(TlsConnector, ANewCertificateIsForNewConnectionsAndOpenOnesStay) {
  connector_ = *WsConnector::create({certificate_});
  const auto channel = connect(secure_);
  EXPECT_EQ(said_.next(), "open");
  const auto certificate_of = [this] {
    const std::string said = s_client("");
    const std::size_t begin = said.find("-----BEGIN CERTIFICATE");
    return said.substr(begin, said.find("-----END", begin) - begin);
  };
  const std::string before = certificate_of();
  ASSERT_TRUE(make_certificate());
  ASSERT_TRUE(edge_->reload_tls());
  EXPECT_NE(certificate_of(), before);
  channel->send_text(R"({"type":"ping"})");
  EXPECT_EQ(said_.next(), R"(text {"type":"pong"})");
}

TEST_F(TlsConnector, ACertificateThatIsBrokenIsRefusedAndTheOldOneStays) {
  std::FILE* const file = std::fopen(certificate_.c_str(), "w");
  std::fputs("-----BEGIN CERTIFICATE-----\nnonsense\n", file);
  std::fclose(file);
  const Status reloaded = edge_->reload_tls();
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().message.find(certificate_), std::string::npos);
  EXPECT_TRUE(shakes_hands("-tls1_3"));
}

TEST_F(Connector, ACertificateThatIsMissingStopsTheStart) {
  realtime::EdgeServer::Options options;
  options.port = 0;
  options.tls_certificate_path = "/nowhere/cert.pem";
  options.tls_key_path = "/nowhere/key.pem";
  const auto edge = realtime::EdgeServer::start(
      options, {http_, access_, ingress_, history_, log_, counters_, clock_, gate_});
  ASSERT_FALSE(edge);
  EXPECT_NE(edge.error().message.find("certificate"), std::string::npos);
}

}  // namespace
}  // namespace qylon
