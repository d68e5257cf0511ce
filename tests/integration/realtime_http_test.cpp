// HTTP as no well-behaved client would speak it, over real sockets.
#include <cstdio>
#include <fstream>
#include <string>

#include "realtime/edge_server.hpp"
#include "tests/support/edge_fixture.hpp"

namespace qylon {
namespace {

using EdgeHttp = test::EdgeFixture;

int status_of(const std::string& response) {
  return response.size() > 12 ? std::stoi(response.substr(9, 3)) : 0;
}

// How many responses there are: more than requests means that a smuggled one was answered.
int count_responses(const std::string& text) {
  int count = 0;
  for (std::size_t at = text.find("HTTP/1.1 "); at != std::string::npos;
       at = text.find("HTTP/1.1 ", at + 1))
    ++count;
  return count;
}

TEST_F(EdgeHttp, AnswersAGetWithSecurityHeaders) {
  const std::string answer =
      exchange("GET /a%20b?x=1&y=%C3%A4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_NE(answer.find("GET /a b [] x=1 y=ä"), std::string::npos) << answer;
  EXPECT_NE(answer.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
  EXPECT_NE(answer.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_NE(answer.find("Connection: keep-alive\r\n"), std::string::npos);
}

TEST_F(EdgeHttp, PassesOnTheHeadersOnItsListAndNoOther) {
  const std::string answer = exchange(
      "GET /headers HTTP/1.1\r\nHost: localhost\r\nX-Org-Id:  o1\r\nX-Evil: e\r\nAPIKEY: k\r\n"
      "If-None-Match: \"t\"\r\nIdempotency-Key: i-1\r\ntraceparent: 00-a-b-01\r\nX-Request-Id: "
      "7\r\n"
      "Prefer: return=minimal\r\nX-Client-Info: supabase-js/2\r\nRange: bytes=0-1\r\n\r\n");
  EXPECT_NE(answer.find("[] apikey=k host=localhost idempotency-key=i-1 if-none-match=\"t\" "
                        "prefer=return=minimal range=bytes=0-1 traceparent=00-a-b-01 "
                        "x-client-info=supabase-js/2 x-org-id=o1 x-request-id=7"),
            std::string::npos)
      << answer;
}

TEST_F(EdgeHttp, AnswersPipelinedRequestsInOrder) {
  const std::string post = "POST /1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
  const std::string get = "GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answer = exchange(post + get + get);
  EXPECT_EQ(count_responses(answer), 3) << answer;
  EXPECT_NE(answer.find("POST /1 [abc]"), std::string::npos);
  EXPECT_EQ(http_.handled, 3);
}

// libwebsockets 4.1.6 would take the header for the body, and never come back.
TEST_F(EdgeHttp, APipelinedBodyClosesTheConnection) {
  const std::string get = "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string post = "POST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
  EXPECT_EQ(count_responses(exchange(get + post + get)), 1);
  EXPECT_EQ(http_.handled, 1);
  EXPECT_EQ(status_of(exchange(post)), 200);
}

TEST_F(EdgeHttp, ABodyMayFollowAnAnswer) {
  test::RawSocket socket(edge_->port());
  for (const std::string body : {"one", "two", ""}) {
    const std::string length = std::to_string(body.size());
    socket.send("GET /g HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(socket.read_until("GET /g []"));
    socket.send("POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + "\r\n\r\n" +
                body);
    ASSERT_TRUE(socket.read_until("POST /p [" + body + "]"));
    for (const std::string method : {"PUT", "DELETE"}) {
      socket.send(method + " /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length +
                  "\r\n\r\n" + body);
      ASSERT_TRUE(socket.read_until(method + " /p [" + body + "]"));
    }
    socket.forget(socket.received().size());
  }
}

TEST_F(EdgeHttp, HeadHasTheLengthButNoBody) {
  const std::string answer = exchange("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 9\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
}

TEST_F(EdgeHttp, OptionsIsAnsweredByTheEdge) {
  const std::string answer = exchange("OPTIONS /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(answer), 204);
  EXPECT_NE(answer.find("Allow: GET"), std::string::npos);
  EXPECT_EQ(http_.handled, 0);
}

TEST_F(EdgeHttp, APageOfAListedOriginMayAskAndReadTheAnswer) {
  realtime::EdgeServer::Options options;
  options.allowed_origins = {"https://app.example"};
  start(options);
  const std::string from = "Host: localhost\r\nOrigin: https://app.example\r\n";
  const std::string preflight =
      exchange("OPTIONS /a HTTP/1.1\r\n" + from +
               "Access-Control-Request-Method: PUT\r\n"
               "Access-Control-Request-Headers: apikey,authorization\r\n\r\n");
  EXPECT_EQ(status_of(preflight), 204);
  EXPECT_NE(preflight.find("Access-Control-Allow-Origin: https://app.example\r\n"),
            std::string::npos);
  EXPECT_NE(preflight.find("Access-Control-Allow-Headers: apikey,authorization\r\n"),
            std::string::npos);
  EXPECT_NE(preflight.find("Access-Control-Allow-Methods: GET, HEAD, POST, PUT"),
            std::string::npos);
  const std::string answer = exchange("GET /a HTTP/1.1\r\n" + from + "\r\n");
  EXPECT_NE(answer.find("Access-Control-Allow-Origin: https://app.example\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Vary: Origin\r\n"), std::string::npos);
  const std::string foreign =
      exchange("GET /a HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n");
  EXPECT_EQ(status_of(foreign), 403);
  EXPECT_EQ(foreign.find("Access-Control-Allow"), std::string::npos);
}

TEST_F(EdgeHttp, APostWithoutALengthHasNoBodyAndIsTheLastOfItsConnection) {
  const std::string answer = exchange("POST /n HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_NE(answer.find("POST /n []"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
}

TEST_F(EdgeHttp, NothingThatFollowsAPostWithoutALengthIsARequest) {
  const std::string answer = exchange(
      "POST /n HTTP/1.1\r\nHost: localhost\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n");
  EXPECT_EQ(answer.find("smuggled"), std::string::npos) << answer;
  EXPECT_LE(http_.handled, 1);
}

TEST_F(EdgeHttp, DecodesAChunkedBody) {
  const std::string answer = exchange(
      "POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_NE(answer.find("POST /c [abcde]"), std::string::npos) << answer;
}

TEST_F(EdgeHttp, DecodesAChunkedBodyThatComesByteByByte) {
  test::RawSocket socket(edge_->port());
  const std::string request =
      "POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n";
  for (const char c : request)
    socket.send(std::string_view(&c, 1));
  EXPECT_TRUE(socket.read_until("POST /c [abc]"));
}

TEST_F(EdgeHttp, AnswersExpectContinueAtOnce) {
  test::RawSocket socket(edge_->port());
  socket.send(
      "POST /e HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(socket.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
  socket.send("ok");
  EXPECT_TRUE(socket.read_until("POST /e [ok]"));
}

TEST_F(EdgeHttp, SendsABigBodyWhole) {
  const std::string answer =
      exchange("GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::size_t body = answer.find("\r\n\r\n") + 4;
  EXPECT_EQ(answer.size() - body, std::size_t{16} << 20);
}

TEST_F(EdgeHttp, StreamsAFile) {
  http_.file_path = ::testing::TempDir() + "realtime_http_test.bin";
  std::ofstream(http_.file_path) << std::string(200'000, 'f');
  const std::string answer =
      exchange("GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 200'000U);
  std::remove(http_.file_path.c_str());
}

TEST_F(EdgeHttp, APartOfAFileComesAlone) {
  http_.file_path = ::testing::TempDir() + "realtime_http_part_test.bin";
  std::ofstream(http_.file_path) << "0123456789";
  const std::string request = " /file HTTP/1.1\r\nHost: localhost\r\nRange: bytes=3-5\r\n\r\n";
  const std::string answer = exchange("GET" + request);
  EXPECT_EQ(status_of(answer), 206);
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), "345");
  EXPECT_EQ(status_of(exchange("HEAD" + request)), 200);  // RFC 9110 section 14.2: only of GET.
  std::remove(http_.file_path.c_str());
}

TEST_F(EdgeHttp, AFileThatIsGoneIsNotFound) {
  http_.file_path = "/nowhere/at/all";
  EXPECT_EQ(status_of(exchange("GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n")), 404);
}

TEST_F(EdgeHttp, ALateReplyFromAnotherThreadArrives) {
  test::RawSocket socket(edge_->port());
  socket.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::vector<HttpReply> replies;
  while (replies.empty())
    replies = http_.take_later();
  HttpResponse response;
  response.body = "at last";
  replies[0](response);
  replies[0](response);  // A second answer is dropped.
  EXPECT_TRUE(socket.read_until("at last"));
  socket.forget(socket.received().size());
  socket.send("GET /again HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(socket.read_until("GET /again"));
}

TEST_F(EdgeHttp, AReplyAfterThePeerHasGoneIsDropped) {
  {
    test::RawSocket socket(edge_->port());
    socket.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  std::vector<HttpReply> replies;
  while (replies.empty())
    replies = http_.take_later();
  edge_.reset();
  replies[0]({});
}

struct BadRequest {
  const char* name;
  int status;
  std::string bytes;
};

class EdgeRefusal : public test::EdgeFixture, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(EdgeRefusal, IsAnsweredOnceAndClosed) {
  test::RawSocket socket(edge_->port());
  socket.send(GetParam().bytes);
  const std::string answer = socket.read_all(2500);
  EXPECT_EQ(status_of(answer), GetParam().status) << answer;
  EXPECT_EQ(count_responses(answer), 1) << answer;
  EXPECT_TRUE(socket.closed());
  EXPECT_EQ(http_.handled, 0);
}

std::string post(const std::string& headers, const std::string& body) {
  return "POST /a HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body;
}
const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string kHandshake =
    "GET /v1/subscribe HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

INSTANTIATE_TEST_SUITE_P(
    Table,
    EdgeRefusal,
    ::testing::Values(
        BadRequest{"NoHost", 400, "GET /a HTTP/1.1\r\n\r\n"},
        BadRequest{"TwoHosts", 400, "GET /a HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n"},
        BadRequest{"ForeignOrigin",
                   403,
                   "GET /a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n"},
        BadRequest{"NullOrigin", 403, "GET /a HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n"},
        BadRequest{
            "LengthAndChunked",
            400,
            post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nX" + kSmuggled)},
        BadRequest{"TwoLengths",
                   400,
                   post("Content-Length: 3\r\nContent-Length: 10\r\n", "abc" + kSmuggled)},
        BadRequest{"TwoEqualLengths",
                   400,
                   post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc" + kSmuggled)},
        BadRequest{"NegativeLength", 400, post("Content-Length: -5\r\n", "abc")},
        BadRequest{"PlusLength", 400, post("Content-Length: +3\r\n", "abc")},
        BadRequest{"HexLength", 400, post("Content-Length: 0x3\r\n", "abc")},
        BadRequest{"ListLength", 400, post("Content-Length: 3, 3\r\n", "abc")},
        BadRequest{"HugeLength", 413, post("Content-Length: 99999999999999999999\r\n", "abc")},
        BadRequest{"TooLong", 413, post("Content-Length: 1048577\r\n", "abc")},
        BadRequest{"UnknownCoding", 501, post("Transfer-Encoding: gzip\r\n", "abc")},
        BadRequest{"TwoCodings", 501, post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
        BadRequest{"ChunkedOverHttp10",
                   501,
                   "POST /a HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "0\r\n\r\n"},
        BadRequest{"BadChunkSize",
                   400,
                   post("Transfer-Encoding: chunked\r\n", "zz\r\nabc\r\n" + kSmuggled)},
        BadRequest{"ChunkWithoutCrLf",
                   400,
                   post("Transfer-Encoding: chunked\r\n", "3\nabc\n0\n\n" + kSmuggled)},
        BadRequest{"ChunkTooLong", 413, post("Transfer-Encoding: chunked\r\n", "FFFFFFF\r\nabc")},
        BadRequest{
            "GetWithBody",
            400,
            "GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc" + kSmuggled},
        BadRequest{"GetChunked",
                   400,
                   "GET /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "0\r\n\r\n"},
        BadRequest{"DeleteChunked",
                   400,
                   "DELETE /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n0\r\n\r\n" +
                       kSmuggled},
        BadRequest{"NulInPath", 400, "GET /a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        BadRequest{"NulInQuery", 400, "GET /a?b=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        BadRequest{"BadUtf8InPath", 400, "GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        BadRequest{"Connect", 405, "CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        BadRequest{"H2c",
                   400,
                   "GET /a HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n"
                   "Connection: Upgrade, HTTP2-Settings\r\n"
                   "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"},
        BadRequest{"UpgradeWithoutKey",
                   400,
                   "GET /v1/subscribe HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"},
        BadRequest{"UpgradeVersion12", 426, kHandshake + "Sec-WebSocket-Version: 12\r\n\r\n"},
        BadRequest{
            "UpgradeForeignOrigin",
            403,
            kHandshake + "Sec-WebSocket-Version: 13\r\nOrigin: https://evil.example\r\n\r\n"},
        BadRequest{"UpgradeUnknownSubprotocol",
                   400,
                   kHandshake + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: zzz\r\n\r\n"},
        BadRequest{"UpgradeWithBody",
                   400,
                   kHandshake + "Sec-WebSocket-Version: 13\r\nContent-Length: 3\r\n\r\nabc"},
        BadRequest{"UpgradeElsewhere",
                   404,
                   "GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n\r\n"}),
    [](const auto& row) { return std::string(row.param.name); });

// What libwebsockets refuses before we are asked: no answer of ours, but no service either.
class EdgeDropped : public test::EdgeFixture, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(EdgeDropped, ReachesNobody) {
  const std::string answer = exchange(GetParam().bytes, 1500);
  EXPECT_EQ(answer.find(" 200 "), std::string::npos) << answer;
  EXPECT_EQ(answer.find(" 101 "), std::string::npos) << answer;
  EXPECT_EQ(http_.handled, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    EdgeDropped,
    ::testing::Values(
        BadRequest{"Http2Preface", 0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        BadRequest{"AbsoluteUri", 0, "GET http://localhost/a HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        BadRequest{"UnknownMethod", 0, "BREW /a HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        BadRequest{"TlsHello", 0, std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
        BadRequest{"HeadersTooLong",
                   0,
                   "GET /a HTTP/1.1\r\nHost: localhost\r\nAuthorization: " +
                       std::string(9000, 'y') + "\r\n\r\n"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(EdgeHttp, DotDotNeverLeavesTheRoot) {
  for (const std::string path :
       {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/a/..", "/a/%2e%2e"}) {
    const std::string answer = exchange("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(answer.find(".."), std::string::npos) << answer;
  }
}

TEST_F(EdgeHttp, ATokenLiftsTheHostRule) {
  const std::string answer =
      exchange("GET /a HTTP/1.1\r\nHost: app.example\r\nAuthorization: Bearer secret\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
}

TEST_F(EdgeHttp, ItsOwnOriginAndAListedOneAreWelcome) {
  realtime::EdgeServer::Options options;
  options.allowed_origins = {"https://app.example"};
  start(options);
  for (const std::string origin : {"http://localhost:8080", "https://app.example"}) {
    const std::string answer =
        exchange("GET /a HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: " + origin + "\r\n\r\n");
    EXPECT_EQ(status_of(answer), 200) << answer;
  }
}

TEST_F(EdgeHttp, APipelinerBehindALongAnswerIsCutOff) {
  test::RawSocket socket(edge_->port());
  const int small = 4096;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  socket.send("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n" + kSmuggled);
  // It reads nothing, and is gone from the edge before the 10 s that a slow reader has.
  const Gauge& connections = counters_.gauge("qylon_edge_connections", "");
  const std::int64_t began_us = clock_.monotonic_us();
  while (http_.handled == 0 || connections.value() > 0) {
    ASSERT_LT(clock_.monotonic_us() - began_us, 8'000'000);
    ::poll(nullptr, 0, 20);
  }
  EXPECT_EQ(http_.handled, 1);
}

TEST_F(EdgeHttp, ATooLongBodyStillGetsItsAnswer) {
  test::RawSocket socket(edge_->port());
  socket.send("POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n");
  socket.send(std::string(2'000'000, 'x'));
  EXPECT_EQ(status_of(socket.read_all()), 413);
}

TEST_F(EdgeHttp, TwoThreadsShareTheConnections) {
  realtime::EdgeServer::Options options;
  options.net_threads = 2;
  start(options);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(status_of(exchange("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n", 100)), 200);
}

TEST(EdgeServer, SaysWhatIsWrongWithAnAddress) {
  SystemClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  test::EchoHandler http;
  test::TestAccess access;
  test::TestGate gate;
  test::TestIngress ingress;
  test::TestHistory history;
  realtime::EdgeServer::Options options;
  options.host = "not an address";
  const auto edge = realtime::EdgeServer::start(
      options, {http, access, ingress, history, log, counters, clock, gate});
  ASSERT_FALSE(edge);
  EXPECT_NE(edge.error().message.find("not an address"), std::string::npos);
}

}  // namespace
}  // namespace qylon
