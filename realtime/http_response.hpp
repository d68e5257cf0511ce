#pragma once
/// An HttpResponse on its way to the wire, piece by piece.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/http.hpp"

namespace qylon::realtime {

struct ResponseOptions {
  bool keep_alive = true;
  bool head_only = false;  ///< The request was HEAD: length without body.
  bool is_tls = false;     ///< Adds Strict-Transport-Security.
  /// As sent; of files only, see resolve_range().
  std::optional<std::string> range = std::nullopt;
  std::optional<std::string> if_range = std::nullopt;
  /// A page of this origin, which check_request() took, may read the answer (CORS).
  std::optional<std::string> origin = std::nullopt;
};

/// Status line and headers: type, length, connection, security headers, then the response's own,
/// which replace a default of the same name. Header values with control characters are left out.
/// Source: RFC 9112 sections 4 and 5; OWASP secure headers.
std::string render_response_head(const HttpResponse& response,
                                 std::uint64_t body_bytes,
                                 const ResponseOptions& options);

/// JSON problem of RFC 9457, for refusals that the edge decides itself.
HttpResponse make_problem(int status, std::string_view detail);

/// To OPTIONS of any path, also to a preflight that asks for `requested_headers` (Fetch standard,
/// section 3.2): whether a header or a method is taken is said by the request itself.
HttpResponse make_options_answer(const std::optional<std::string>& requested_headers);

/// Head and body as a stream of pieces. A small body comes in the same piece as the head, because
/// one write costs less than two. Owns the open file.
///
/// Of a file a part can be asked for, with an entity tag that changes when the file does
/// (RFC 9110 sections 8.8.3, 13.1.5 and 14): 206, or 416 when there is no such part.
///
/// Threads : one object per response, its net thread. Reading a file may wait for the disk.
class ResponseStream {
 public:
  static constexpr std::size_t kPieceBytes = 64 << 10;

  /// A file that cannot be read becomes a 404.
  ResponseStream(HttpResponse response, const ResponseOptions& options);
  ~ResponseStream();
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;
  ResponseStream(ResponseStream&&) = delete;
  ResponseStream& operator=(ResponseStream&&) = delete;

  /// Fills `piece` with the next bytes. False when the file broke off: the connection must close,
  /// because the promised length cannot be kept.
  bool next(std::string& piece);
  bool done() const noexcept { return head_.empty() && body_left_ == 0; }

 private:
  void open_file(const ResponseOptions& options);
  void choose_part(const ResponseOptions& options, const std::string& tag);
  bool append_file(std::string& piece, std::size_t bytes);

  HttpResponse response_;
  std::string head_;
  int file_ = -1;
  std::uint64_t body_left_ = 0;
  std::uint64_t body_at_ = 0;  // Where the next byte lies.
};

}  // namespace qylon::realtime
