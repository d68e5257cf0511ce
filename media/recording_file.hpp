#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.hpp"

namespace qylon::media {

/// One Ogg Opus file that grows page by page and survives being cut off anywhere.
///
/// Time    : a packet begins where the one before it ended, in samples at 48 kHz.
/// Errors  : kUnavailable naming the path and the system's reason. After a failed write the file
///           ends with its last whole page; open it anew to go on.
/// Threads : one thread at a time.
/// Source  : RFC 3533 (Ogg), RFC 7845 (Opus in Ogg).
class RecordingFile {
 public:
  struct Head {
    int channels = 1;           ///< 1 or 2.
    int pre_skip_48k = 0;       ///< What a player drops at the begin: the encoder's look-ahead.
    int input_rate_hz = 48000;  ///< For information.
  };

  /// Opens the file at its end, or makes it with `head`. An incomplete last page is cut off; a file
  /// that is no Ogg Opus is moved to "PATH.damaged" first.
  static Result<std::unique_ptr<RecordingFile>> open(const std::string& path, const Head& head);
  /// Where the file at `path` ends; 0 when there is none, or no Ogg Opus.
  static std::int64_t end_48k(const std::string& path);
  /// Closes without finish(): what waits for its page is lost.
  ~RecordingFile();
  RecordingFile(const RecordingFile&) = delete;
  RecordingFile& operator=(const RecordingFile&) = delete;
  RecordingFile(RecordingFile&&) = delete;
  RecordingFile& operator=(RecordingFile&&) = delete;

  /// Appends one packet; whole pages are written as they fill.
  Status append(std::span<const std::uint8_t> packet, std::int64_t samples_48k);
  /// Writes the page that is begun, if any.
  Status flush();
  /// flush(), marks the last page as the end of the stream and waits for the disk; a later open()
  /// takes the mark back.
  Status finish();

  /// Where the next packet begins.
  std::int64_t end_48k() const noexcept { return end_48k_; }
  /// Of that, how much is not in the file yet.
  std::int64_t unwritten_48k() const noexcept { return end_48k_ - written_48k_; }

 private:
  struct Stream;
  struct LastPage {
    std::int64_t offset = 0;
    std::int64_t size = 0;
  };

  RecordingFile(std::string path, int descriptor);
  Status create(const Head& head);
  Status recover();
  Status write_pages(bool flush);
  Status write_bytes(std::span<const std::uint8_t> header, std::span<const std::uint8_t> body);
  Status mark_end(bool ends);
  Error failed(const char* verb) const;

  const std::string path_;  // Constant after construction.
  const int descriptor_;
  std::unique_ptr<Stream> stream_;  // libogg's, which stays behind the wall.
  LastPage last_page_;
  std::int64_t end_48k_ = 0;
  std::int64_t written_48k_ = 0;
};

}  // namespace qylon::media
