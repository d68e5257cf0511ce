// Uploads to /v1/ingest as source clients send them, over real sockets.
#include <chrono>
#include <string>

#include "tests/support/edge_fixture.hpp"

namespace qylon {
namespace {

using Posted = media::TrackUplink::Posted;

class EdgeIngest : public test::EdgeFixture {
 protected:
  std::string head(std::string_view method, std::string_view more, std::string_view query = "") {
    return std::string(method) + " /v1/ingest/" + history_.meeting.to_string() +
           "?codec=pcm_s16le&rate=16000" + std::string(query) + " HTTP/1.1\r\nHost: localhost\r\n" +
           std::string(more) + "\r\n";
  }
  static std::string chunk(std::string_view bytes) {
    char size[16];
    std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
    return size + std::string(bytes) + "\r\n";
  }
  /// Waits until the track has so many frames.
  bool wait_for_frames(std::size_t frames) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < until) {
      const auto track = ingress_.track(0);
      if (track != nullptr && track->frames() >= frames) return true;
      test::RawSocket pause(edge_->port());
      pause.read_some(10);
    }
    return false;
  }
  /// The answer needs all on disk.
  void make_durable() { ingress_.track(0)->durable = 1'000'000; }

  const std::string packet_ = std::string(640, 'p');
};

int status_of(const std::string& response) {
  return response.size() > 12 ? std::stoi(response.substr(9, 3)) : 0;
}

TEST_F(EdgeIngest, AChunkedBodyBecomesPacketsAndAnAnswer) {
  test::RawSocket socket(edge_->port());
  socket.send(head("POST", "Transfer-Encoding: chunked\r\n"));
  socket.send(chunk(packet_ + packet_.substr(0, 100)));
  ASSERT_TRUE(wait_for_frames(1));
  make_durable();
  ingress_.track(0)->heard = 40;
  socket.send(chunk(packet_.substr(100)) + "0\r\n\r\n");
  const std::string answer = socket.read_all();
  EXPECT_EQ(status_of(answer), 200) << answer;
  EXPECT_NE(answer.find(R"("track":0,"seconds":0.04,"packets":2,"bytes":1280,"durable":true})"),
            std::string::npos)
      << answer;
  EXPECT_NE(answer.find("Location: /api/meetings/" + history_.meeting.to_string() + "\r\n"),
            std::string::npos);
  EXPECT_TRUE(socket.closed());
}

TEST_F(EdgeIngest, ABodyWithALengthEndsWithIt) {
  ingress_.track(0);
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Content-Length: 1280\r\n") + packet_);
  ASSERT_TRUE(wait_for_frames(1));
  make_durable();
  socket.send(packet_);
  EXPECT_EQ(status_of(socket.read_all()), 200);
}

TEST_F(EdgeIngest, AnEmptyBodyEndsAtOnce) {
  ingress_.track(0);
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Content-Length: 0\r\nAuthorization: Basic c291cmNlOnNlY3JldA==\r\n"));
  ASSERT_TRUE(wait_for_frames(1));  // The end.
  make_durable();
  EXPECT_EQ(status_of(socket.read_all(2000)), 200);
}

TEST_F(EdgeIngest, ABodyThatCameWithItsHeaderIsTaken) {
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Content-Length: 1280\r\n") + packet_ + packet_);
  ASSERT_TRUE(wait_for_frames(3));
  make_durable();
  EXPECT_EQ(status_of(socket.read_all()), 200);
}

TEST_F(EdgeIngest, APutWithoutALengthLastsUntilItsConnectionEnds) {
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Expect: 100-continue\r\nAuthorization: Basic c291cmNlOnNlY3JldA==\r\n"));
  ASSERT_TRUE(socket.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
  socket.forget(socket.received().size());
  socket.send(packet_);
  ASSERT_TRUE(wait_for_frames(1));
  make_durable();
  ::shutdown(socket.fd(), SHUT_WR);
  EXPECT_EQ(status_of(socket.read_all()), 200);
}

TEST_F(EdgeIngest, ASourceClientIsWelcomedAndThenOnlySends) {
  access_.token_required = true;
  test::RawSocket socket(edge_->port());
  socket.send("SOURCE /v1/ingest/" + history_.meeting.to_string() +
              "?rate=16000 HTTP/1.0\r\nAuthorization: Basic c291cmNlOnNlY3JldA==\r\n"
              "Content-Type: audio/pcm\r\nIce-Name: x\r\n\r\n");
  ASSERT_TRUE(socket.read_until("HTTP/1.0 200 OK\r\n\r\n"));
  socket.forget(socket.received().size());
  socket.send(packet_);
  ASSERT_TRUE(wait_for_frames(1));
  make_durable();
  ::shutdown(socket.fd(), SHUT_WR);
  EXPECT_EQ(socket.read_all(), "");
  EXPECT_TRUE(socket.closed());
  EXPECT_TRUE(wait_for_frames(2));
}

// ffmpeg's -legacy_icecast: what it left unread when it closes would reset the connection.
TEST_F(EdgeIngest, ASourceClientThatSendsAtOnceIsAnsweredAtItsEnd) {
  test::RawSocket socket(edge_->port());
  socket.send("SOURCE /v1/ingest/" + history_.meeting.to_string() +
              "?rate=16000 HTTP/1.0\r\nContent-Type: audio/pcm\r\n\r\n" + packet_);
  ASSERT_TRUE(wait_for_frames(1));
  EXPECT_EQ(socket.received(), "");
  make_durable();
  ::shutdown(socket.fd(), SHUT_WR);
  EXPECT_EQ(status_of(socket.read_all()), 200);
}

// What libshout 2.4.6 (GStreamer's shout2send) sends, each on a connection of its own.
TEST_F(EdgeIngest, LibshoutIsToldTheMethodsAskedForItsPasswordAndThenHeard) {
  const std::string agent = "Host: 127.0.0.1:8080\r\nUser-Agent: GStreamer 1.22.0\r\n";
  const std::string options =
      exchange("OPTIONS * HTTP/1.1\r\n" + agent +
                   "Connection: Upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1\r\n\r\n",
               2000);
  EXPECT_EQ(status_of(options), 204);
  EXPECT_NE(options.find("\r\nAllow: GET, HEAD, POST, PUT,"), std::string::npos) << options;
  EXPECT_NE(options.find("\r\nConnection: close\r\n"), std::string::npos) << options;

  const std::string put =
      "PUT /v1/ingest/" + history_.meeting.to_string() + "?codec=pcm_s16le&rate=16000 HTTP/1.1\r\n";
  const std::string ice = "ice-public: 0\r\nice-name: \r\nPrefer: return=minimal\r\n\r\n";
  EXPECT_EQ(status_of(exchange(put + agent +
                                   "Content-Type: application/ogg\r\nContent-Length: 0\r\n"
                                   "Connection: Keep-Alive\r\n" +
                                   ice,
                               2000)),
            401);

  test::RawSocket socket(edge_->port());
  socket.send(put + "Authorization: Basic c291cmNlOnNlY3JldA==\r\n" + agent +
              "Content-Type: application/ogg\r\nExpect: 100-continue\r\n" + ice);
  ASSERT_TRUE(socket.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
  socket.send(packet_);
  EXPECT_TRUE(wait_for_frames(1));
}

TEST_F(EdgeIngest, ASourceClientThatIsRefusedIsToldInFull) {
  access_.token_required = true;
  const std::string host = " HTTP/1.0\r\nHost: localhost\r\n\r\n";
  const std::string path = "SOURCE /v1/ingest/" + history_.meeting.to_string();
  EXPECT_EQ(status_of(exchange(path + "?codec=wav" + host, 2000)), 401);
  EXPECT_EQ(status_of(exchange(path + "?codec=midi" + host, 2000)), 415);
  EXPECT_EQ(status_of(exchange("SOURCE /elsewhere" + host, 2000)), 405);
  EXPECT_EQ(status_of(exchange("BREW /pot" + host, 2000)), 405);
}

TEST_F(EdgeIngest, MoreThanLibwebsocketsCountsOfABodyWithoutALengthIsTaken) {
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Transfer-Encoding: chunked\r\n"));
  ASSERT_TRUE(socket.connected());
  const std::string big = chunk(std::string(1 << 20, 'p'));
  ASSERT_TRUE(wait_for_frames(0));
  constexpr std::size_t kMebibytes = 110;
  for (std::size_t i = 0; i < kMebibytes; ++i)
    socket.send(big);
  ASSERT_TRUE(wait_for_frames((kMebibytes << 20) / 640));
  make_durable();
  socket.send("0\r\n\r\n");
  EXPECT_EQ(status_of(socket.read_all()), 200);
}

TEST_F(EdgeIngest, AShardThatIsBusyStopsTheReading) {
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Transfer-Encoding: chunked\r\n") + chunk(packet_));
  ASSERT_TRUE(wait_for_frames(1));
  ingress_.track(0)->answer = Posted::kBusy;
  // What the kernel's buffers hold is far less: the socket must block.
  const std::string big = chunk(std::string(1 << 20, 'p'));
  std::size_t sent = 0;
  for (int i = 0; i < 64; ++i) {
    const ssize_t now = ::send(socket.fd(), big.data(), big.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (now > 0) sent += static_cast<std::size_t>(now);
  }
  EXPECT_LT(sent, std::size_t{16} << 20);
  ingress_.track(0)->answer = Posted::kAccepted;
  EXPECT_TRUE(wait_for_frames(2));
}

TEST_F(EdgeIngest, ARefusalSaysWhatIsWrong) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  struct Case {
    std::string request;
    int status;
  };
  const std::string host = " HTTP/1.1\r\nHost: localhost\r\n" + chunked + "\r\n";
  const std::string path = "/v1/ingest/" + history_.meeting.to_string();
  for (const Case& refused : {
           Case{"POST " + path + "?codec=mp7" + host, 415},
           Case{"POST " + path + "?codec=opus" + host, 415},
           Case{"POST " + path + "?codec=pcm_s16le" + host, 400},
           Case{"POST " + path + "?codec=pcm_s16le&rate=16000&track=70000" + host, 400},
           Case{"POST /v1/ingest/nobody?codec=pcm_s16le&rate=16000" + host, 404},
           Case{"POST /v1/ingest/" + MeetingId::random().to_string() +
                    "?codec=pcm_s16le&rate=16000" + host,
                404},
           Case{head("POST", ""), 411},
           Case{head("POST", "Transfer-Encoding: gzip\r\n"), 501},
           Case{head("POST", chunked) + "zz\r\n", 400},
       }) {
    const std::string answer = exchange(refused.request, 2000);
    EXPECT_EQ(status_of(answer), refused.status) << refused.request << answer;
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos) << answer;
  }
}

TEST_F(EdgeIngest, WithoutATokenThePasswordIsAskedFor) {
  access_.token_required = true;
  const std::string answer = exchange(head("PUT", "Expect: 100-continue\r\n"), 2000);
  EXPECT_EQ(status_of(answer), 401);
  EXPECT_NE(answer.find("WWW-Authenticate: Basic"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("100 Continue"), std::string::npos);
}

TEST_F(EdgeIngest, ThePasswordOfBasicIsTheToken) {
  access_.token_required = true;
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Expect: 100-continue\r\nAuthorization: Basic c291cmNlOnNlY3JldA==\r\n"));
  EXPECT_TRUE(socket.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
}

TEST_F(EdgeIngest, AnEndedMeetingEndsTheUpload) {
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Transfer-Encoding: chunked\r\n") + chunk(packet_));
  ASSERT_TRUE(wait_for_frames(1));
  ingress_.track(0)->answer = Posted::kEnded;
  const std::string answer = socket.read_all();
  EXPECT_EQ(status_of(answer), 409) << answer;
  EXPECT_NE(answer.find("the meeting has ended"), std::string::npos) << answer;
}

TEST_F(EdgeIngest, ADrainAnswersTheUpload) {
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Transfer-Encoding: chunked\r\n") + chunk(packet_));
  ASSERT_TRUE(wait_for_frames(1));
  edge_->drain();
  EXPECT_EQ(status_of(socket.read_all()), 503);
}

TEST_F(EdgeIngest, AnUploadWhoseServerStopsIsClosed) {
  test::RawSocket socket(edge_->port());
  socket.send(head("PUT", "Transfer-Encoding: chunked\r\n") + chunk(packet_));
  ASSERT_TRUE(wait_for_frames(1));
  edge_.reset();
  socket.read_all();
  EXPECT_TRUE(socket.closed());
}

}  // namespace
}  // namespace qylon
