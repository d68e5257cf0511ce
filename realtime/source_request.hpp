#pragma once
/// The request of an Icecast source client of the old kind, `SOURCE /mount HTTP/1.0`, whose method
/// libwebsockets does not know.

#include <optional>
#include <string>
#include <string_view>

#include "realtime/ingest_request.hpp"

namespace qylon::realtime {

/// Collects the head of a request from pieces of any size.
///
/// Bounds  : 8 KiB.
/// Threads : one object per connection, its net thread.
class SourceRequest {
 public:
  enum class State : std::uint8_t { kMore, kWhole, kOther };

  /// kOther: this is another method, or nothing that a source client says.
  State feed(std::string_view bytes);
  /// REQUIRES: feed() said kWhole.
  const UploadHead& head() const noexcept { return head_; }
  /// What came behind the head. REQUIRES: as head().
  std::string_view rest() const noexcept { return std::string_view(text_).substr(head_bytes_); }

 private:
  bool parse(std::string_view lines);
  bool take_field(std::string_view line);

  std::string text_;
  std::size_t head_bytes_ = 0;
  UploadHead head_;
};

}  // namespace qylon::realtime
