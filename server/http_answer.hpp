#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace qylon::server {

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

/// Reads one HTTP/1.1 answer from pieces of any size.
///
/// Bounds  : 64 KiB of head, Options::body_bytes_max of body.
/// Threads : one thread at a time.
/// Errors  : feed() and finish() kInvalidArgument for what is not HTTP/1.x, kOverloaded beyond a
///           bound; after an error nothing may be fed.
/// Source  : RFC 9112 sections 4, 6 and 7.
class HttpAnswerParser {
 public:
  struct Options {
    std::size_t body_bytes_max = std::size_t{256} << 20U;
  };
  explicit HttpAnswerParser(const Options& options) : options_(options) {}

  Status feed(std::string_view bytes);
  /// The peer has closed. Errors: kUnavailable when the answer is not whole.
  Status finish();
  bool complete() const noexcept { return state_ == State::kDone; }
  /// REQUIRES: complete().
  HttpAnswer take();

 private:
  enum class State : std::uint8_t {
    kStatus,
    kHeader,
    kLength,
    kUntilClose,
    kChunkSize,
    kChunkData,
    kChunkEnd,
    kTrailer,
    kDone,
  };
  Status take_line_part(std::string_view& bytes);
  Status take_line(std::string_view line);
  Status take_status(std::string_view line);
  Status take_header(std::string_view line);
  Status take_chunk_size(std::string_view line);
  Status begin_body();
  Status take_body(std::string_view& bytes);

  const Options options_;
  State state_ = State::kStatus;
  std::string line_;            // The begun line.
  std::size_t head_bytes_ = 0;  // Lines so far.
  std::size_t left_ = 0;        // Of the body or the chunk.
  bool has_length_ = false;
  bool chunked_ = false;
  HttpAnswer answer_;
};

}  // namespace qylon::server
