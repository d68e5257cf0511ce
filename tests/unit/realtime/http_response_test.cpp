#include "realtime/http_response.hpp"

#include <cstdio>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

std::string all_of(ResponseStream& stream, int* pieces = nullptr) {
  std::string all;
  std::string piece;
  while (!stream.done()) {
    if (!stream.next(piece)) break;
    all += piece;
    if (pieces != nullptr) ++*pieces;
  }
  return all;
}

TEST(HttpResponse, ASmallBodyComesWithItsHeadInOnePiece) {
  HttpResponse response;
  response.body = "{}";
  ResponseStream stream(response, {});
  int pieces = 0;
  const std::string all = all_of(stream, &pieces);
  EXPECT_EQ(pieces, 1);
  EXPECT_EQ(all.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(all.substr(all.size() - 6), "\r\n\r\n{}");
}

TEST(HttpResponse, ItsOwnHeadersReplaceTheDefaults) {
  HttpResponse response;
  response.headers = {{"cache-control", "max-age=60"},
                      {"Content-Security-Policy", "default-src x"}};
  const std::string head = render_response_head(response, 0, {});
  EXPECT_EQ(head.find("no-store"), std::string::npos);
  EXPECT_EQ(head.find("'self'"), std::string::npos);
  EXPECT_NE(head.find("cache-control: max-age=60\r\n"), std::string::npos);
}

TEST(HttpResponse, AHeaderWithALineEndIsLeftOut) {
  HttpResponse response;
  response.headers = {{"X-A", "b\r\nSet-Cookie: c"}};
  EXPECT_EQ(render_response_head(response, 0, {}).find("Set-Cookie"), std::string::npos);
}

TEST(HttpResponse, TransportSecurityIsPromisedOverTlsOnly) {
  EXPECT_EQ(render_response_head({}, 0, {}).find("Strict-Transport"), std::string::npos);
  EXPECT_NE(render_response_head({}, 0, {true, false, true}).find("Strict-Transport"),
            std::string::npos);
}

TEST(HttpResponse, NoContentHasNeitherBodyNorLength) {
  HttpResponse response;
  response.status = 204;
  response.body = "ignored";
  ResponseStream stream(response, {});
  const std::string all = all_of(stream);
  EXPECT_EQ(all.find("Content-Length"), std::string::npos);
  EXPECT_EQ(all.substr(all.size() - 4), "\r\n\r\n");
}

TEST(HttpResponse, AFileThatShrinksBreaksTheConnectionOff) {
  const std::string path = ::testing::TempDir() + "http_response_test.bin";
  std::ofstream(path) << std::string(300'000, 'x');
  HttpResponse response;
  response.file_path = path;
  ResponseStream stream(response, {});
  std::string piece;
  EXPECT_TRUE(stream.next(piece));
  std::ofstream(path, std::ios::trunc) << "y";
  EXPECT_FALSE(stream.next(piece));
  std::remove(path.c_str());
}

TEST(HttpResponse, AFolderIsNotAFile) {
  HttpResponse response;
  response.file_path = "/";
  ResponseStream stream(response, {});
  EXPECT_EQ(all_of(stream).substr(9, 3), "404");
}

TEST(HttpResponse, AProblemIsJsonWhateverTheDetail) {
  const HttpResponse problem = make_problem(405, "\xff\"");
  EXPECT_EQ(problem.content_type, "application/problem+json");
  EXPECT_EQ(problem.body,
            "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\",\"status\":405,"
            "\"detail\":\"\xEF\xBF\xBD\\\"\",\"code\":\"invalid_argument\","
            "\"error\":\"invalid_argument\",\"message\":\"\xEF\xBF\xBD\\\"\","
            "\"details\":null,\"hint\":null}");
}

/// A file of "0123456789", and what is answered of it.
class FileResponse : public ::testing::Test {
 protected:
  FileResponse() { std::ofstream(path_) << "0123456789"; }
  ~FileResponse() override { std::remove(path_.c_str()); }
  std::string get(std::optional<std::string> range,
                  std::optional<std::string> if_range = std::nullopt,
                  bool head_only = false) {
    HttpResponse response;
    response.file_path = path_;
    ResponseOptions options;
    options.range = std::move(range);
    options.if_range = std::move(if_range);
    options.head_only = head_only;
    ResponseStream stream(response, options);
    return all_of(stream);
  }
  static std::string body(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  static std::string tag(const std::string& answer) {
    const std::size_t at = answer.find("ETag: ") + 6;
    return answer.substr(at, answer.find("\r\n", at) - at);
  }

  const std::string path_ = ::testing::TempDir() + "file_response_test.bin";
};

TEST_F(FileResponse, APartComesAsPartialContent) {
  const std::string answer = get("bytes=2-4");
  EXPECT_EQ(answer.substr(0, 20), "HTTP/1.1 206 Partial");
  EXPECT_NE(answer.find("Content-Range: bytes 2-4/10\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(body(answer), "234");
  EXPECT_EQ(body(get("bytes=-3")), "789");
  EXPECT_EQ(body(get("bytes=8-")), "89");
}

TEST_F(FileResponse, TheWholeSaysThatPartsCanBeHad) {
  const std::string answer = get(std::nullopt);
  EXPECT_EQ(answer.substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_NE(answer.find("Accept-Ranges: bytes\r\n"), std::string::npos);
  EXPECT_EQ(body(answer), "0123456789");
}

TEST_F(FileResponse, APartThatIsNotThereIsRefusedWithTheSize) {
  const std::string answer = get("bytes=10-");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 416");
  EXPECT_NE(answer.find("Content-Range: bytes */10\r\n"), std::string::npos) << answer;
}

TEST_F(FileResponse, APartOfAnotherFileIsTheWholeOfThisOne) {
  const std::string before = tag(get(std::nullopt));
  EXPECT_EQ(body(get("bytes=0-0", before)), "0");
  std::ofstream(path_, std::ios::app) << "more";
  EXPECT_EQ(body(get("bytes=0-0", before)), "0123456789more");
}

TEST_F(FileResponse, HeadHasTheLengthAndTheTag) {
  const std::string answer = get(std::nullopt, std::nullopt, true);
  EXPECT_NE(answer.find("Content-Length: 10\r\n"), std::string::npos);
  EXPECT_NE(answer.find("ETag: "), std::string::npos);
  EXPECT_EQ(body(answer), "");
}

}  // namespace
}  // namespace qylon::realtime
