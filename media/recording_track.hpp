#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.hpp"
#include "media/audio_format.hpp"
#include "media/recording_file.hpp"

namespace qylon::media {

class PcmPacker;

/// One track's recording: packets with positions become a file without holes.
///
/// Time    : positions count samples at 48 kHz. A packet that begins before the file's end by half
///           its length or more was written already; nearer to the end it is the next one.
///           A packet after the end is preceded by exact silence.
/// Errors  : those of RecordingFile; the object is of no use after one.
/// Threads : one thread at a time.
class RecordingTrack {
 public:
  enum class Written : std::uint8_t {
    kYes,
    kOld,       ///< Before the file's end: a repetition.
    kNoPacket,  ///< Not of the format.
    kTooFar,    ///< More than a day after the file's end.
  };

  static Result<std::unique_ptr<RecordingTrack>> open(const std::string& path,
                                                      const AudioFormat& format);
  ~RecordingTrack();
  RecordingTrack(const RecordingTrack&) = delete;
  RecordingTrack& operator=(const RecordingTrack&) = delete;
  RecordingTrack(RecordingTrack&&) = delete;
  RecordingTrack& operator=(RecordingTrack&&) = delete;

  const AudioFormat& format() const noexcept { return format_; }
  Result<Written> write(std::int64_t position_48k, std::span<const std::uint8_t> packet);
  /// Brings what was written onto the disk, but for less than 20 ms of PCM.
  Status flush() { return file_->flush(); }
  /// flush() with all PCM, and the mark that the stream ends here.
  Status finish();

 private:
  RecordingTrack(const AudioFormat& format,
                 std::unique_ptr<RecordingFile> file,
                 std::unique_ptr<PcmPacker> packer);
  std::int64_t end_48k() const noexcept;
  Status fill(std::int64_t samples_48k);
  Status append_silence(std::int64_t& samples_48k);

  const AudioFormat format_;  // Constant after construction.
  const std::unique_ptr<RecordingFile> file_;
  const std::unique_ptr<PcmPacker> packer_;  // Null for Opus.
};

}  // namespace qylon::media
