#include "server/http_answer.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/check.hpp"

namespace qylon::server {
namespace {

constexpr std::size_t kHeadBytesMax = 65'536;

Error not_http(const std::string& what) {
  return {ErrorCode::kInvalidArgument, "the peer does not speak HTTP/1.1: " + what};
}
Error too_long(const std::string& what) {
  return {ErrorCode::kOverloaded, "the answer's " + what + " is too long"};
}

std::string lower(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return copy;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// The whole of `text` as a number, or nothing.
bool read_number(std::string_view text, int base, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Status HttpAnswerParser::feed(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::kDone) {
    const bool in_body =
        state_ == State::kLength || state_ == State::kUntilClose || state_ == State::kChunkData;
    Status status = in_body ? take_body(bytes) : take_line_part(bytes);
    if (!status) return status;
  }
  return ok();
}

/// Up to the end of the line, or everything.
Status HttpAnswerParser::take_line_part(std::string_view& bytes) {
  const std::size_t newline = bytes.find('\n');
  const std::string_view part = bytes.substr(0, newline);
  // Every chunk has a line of its own, so only lines between two chunks are counted together.
  head_bytes_ += part.size() + 1;
  if (head_bytes_ > kHeadBytesMax) return too_long("head");
  line_ += part;
  const bool whole = newline != std::string_view::npos;
  bytes.remove_prefix(whole ? newline + 1 : bytes.size());
  if (!whole) return ok();
  if (line_.ends_with('\r')) line_.pop_back();
  return take_line(std::exchange(line_, {}));
}

Status HttpAnswerParser::finish() {
  if (state_ == State::kUntilClose) state_ = State::kDone;
  if (state_ == State::kDone) return ok();
  return Error{ErrorCode::kUnavailable, "the server closed before its answer was whole"};
}

HttpAnswer HttpAnswerParser::take() {
  QYLON_CHECK(complete());
  return std::move(answer_);
}

Status HttpAnswerParser::take_line(std::string_view line) {
  switch (state_) {
    case State::kStatus:
      return take_status(line);
    case State::kHeader:
      return line.empty() ? begin_body() : take_header(line);
    case State::kChunkSize:
      return take_chunk_size(line);
    case State::kChunkEnd:
      if (!line.empty()) return not_http("a chunk is longer than it said");
      state_ = State::kChunkSize;
      return ok();
    case State::kTrailer:
      if (line.empty()) state_ = State::kDone;
      return ok();
    default:
      return ok();
  }
}

Status HttpAnswerParser::take_status(std::string_view line) {
  // "HTTP/1.1 200 OK"
  std::size_t status = 0;
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' ||
      !read_number(line.substr(9, 3), 10, status) || status < 100 || status > 599) {
    return not_http("\"" + std::string(line.substr(0, 40)) + "\"");
  }
  answer_.status = static_cast<int>(status);
  state_ = State::kHeader;
  return ok();
}

Status HttpAnswerParser::take_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return not_http("a header without a colon");
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  if (name == "content-type") answer_.content_type = value;
  if (name == "transfer-encoding") {
    if (lower(value) != "chunked") return not_http("transfer encoding " + std::string(value));
    chunked_ = true;
  }
  if (name == "content-length") {
    if (!read_number(value, 10, left_)) return not_http("content length " + std::string(value));
    has_length_ = true;
  }
  return ok();
}

Status HttpAnswerParser::begin_body() {
  const bool interim = answer_.status < 200;
  if (interim) {  // 100 Continue: the real answer follows.
    state_ = State::kStatus;
    return ok();
  }
  head_bytes_ = 0;
  const bool no_body = answer_.status == 204 || answer_.status == 304;
  if (no_body) {
    state_ = State::kDone;
  } else if (chunked_) {
    state_ = State::kChunkSize;
  } else if (has_length_) {
    if (left_ > options_.body_bytes_max) return too_long("body");
    state_ = left_ == 0 ? State::kDone : State::kLength;
  } else {
    state_ = State::kUntilClose;
  }
  return ok();
}

Status HttpAnswerParser::take_chunk_size(std::string_view line) {
  const std::string_view digits = trim(line.substr(0, line.find(';')));
  if (!read_number(digits, 16, left_)) return not_http("a chunk without a size");
  if (left_ > options_.body_bytes_max - answer_.body.size()) return too_long("body");
  head_bytes_ = 0;
  state_ = left_ == 0 ? State::kTrailer : State::kChunkData;
  return ok();
}

Status HttpAnswerParser::take_body(std::string_view& bytes) {
  if (state_ == State::kUntilClose) left_ = options_.body_bytes_max - answer_.body.size();
  const std::size_t count = std::min(left_, bytes.size());
  if (count == 0) return too_long("body");
  answer_.body += bytes.substr(0, count);
  bytes.remove_prefix(count);
  left_ -= count;
  if (left_ == 0 && state_ == State::kLength) state_ = State::kDone;
  if (left_ == 0 && state_ == State::kChunkData) state_ = State::kChunkEnd;
  return ok();
}

}  // namespace qylon::server
