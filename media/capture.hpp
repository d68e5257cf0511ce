#pragma once
/// Sound for an uplink: a file, the microphone or what the desktop plays.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "media/capture_blocks.hpp"

namespace qylon::media {

/// Threads : one thread at a time.
/// Time    : capture_us counts samples; only a hole that the device itself reports (more than
///           40 ms between two of its buffers) moves it further, by exactly that hole.
class Capture {
 public:
  enum class Kind : std::uint8_t { kFile, kMicrophone, kDesktop };
  struct Options {
    Kind kind = Kind::kFile;
    std::string path;    ///< kFile: anything PcmReader reads.
    std::string device;  ///< Live: the sound server's name of a source; empty: its default.
    bool paced = true;   ///< kFile: a block is given no sooner than live sound would be there.
  };
  enum class Pulled : std::uint8_t {
    kBlock,
    kLater,  ///< Nothing yet; due_us() says when to ask again.
    kEnd,    ///< The file is over. A last part of a block was filled up with silence.
  };

  /// "mic", "desktop" or a path, as people type it.
  static Options parse_source(const std::string& source);
  /// Errors: PcmReader's for files; kUnavailable when there is no sound server or device, with what
  /// was tried.
  static Result<std::unique_ptr<Capture>> create(const Options& options, const Clock& clock);

  Capture() = default;
  virtual ~Capture() = default;
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  Capture(Capture&&) = delete;
  Capture& operator=(Capture&&) = delete;

  /// Live sources never block; a file may wait for the disk.
  /// Errors: kUnavailable when the device has gone; PcmReader's.
  virtual Result<Pulled> pull(CaptureBlock& block) = 0;
  /// Monotonic time at which the next block can be there [us].
  virtual std::int64_t due_us() const = 0;
  /// Length of a file, when known.
  virtual std::optional<std::int64_t> duration_ms() const = 0;
  /// What is heard, for people: "pulsesrc", the path.
  virtual std::string description() const = 0;
};

}  // namespace qylon::media
