#pragma once
/// The part of a file that a request asks for.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qylon::realtime {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;  ///< 0: nothing of the file lies in the range that was asked for.

  bool operator==(const ByteRange&) const = default;
};

/// Reads a Range header against a file of `file_bytes`. Nothing: the whole file is to be sent, for
/// want of a header, for one that is no single range of bytes, or for several ranges, which a
/// server may answer so. Source: RFC 9110 sections 14.1.2 and 14.2.
std::optional<ByteRange> resolve_range(const std::optional<std::string>& range,
                                       std::uint64_t file_bytes);

/// "bytes 0-9/100", or for an empty range "bytes */100".
std::string content_range(const ByteRange& range, std::uint64_t file_bytes);

}  // namespace qylon::realtime
