#include "media/capture.hpp"

#include <algorithm>
#include <utility>

#include "media/live_capture.hpp"
#include "media/pcm_reader.hpp"

namespace qylon::media {
namespace {

class FileCapture final : public Capture {
 public:
  FileCapture(const Options& options, const Clock& clock, PcmReader reader)
      : options_(options), clock_(clock), reader_(std::move(reader)) {}

  Result<Pulled> pull(CaptureBlock& block) override {
    if (start_us_ < 0) start_us_ = clock_.monotonic_us();
    if (options_.paced && clock_.monotonic_us() < due_us()) return Pulled::kLater;
    const auto count = reader_.read(block.samples);
    if (!count) return count.error();
    if (*count == 0) return Pulled::kEnd;
    std::fill(
        block.samples.begin() + static_cast<std::ptrdiff_t>(*count), block.samples.end(), 0.0F);
    block.capture_us = static_cast<std::uint64_t>(blocks_ * kCaptureBlockUs);
    ++blocks_;
    return Pulled::kBlock;
  }

  std::int64_t due_us() const override {
    // A microphone hands over a block once its last sample has been heard.
    return options_.paced ? start_us_ + (blocks_ + 1) * kCaptureBlockUs : start_us_;
  }
  std::optional<std::int64_t> duration_ms() const override { return reader_.duration_ms(); }
  std::string description() const override { return options_.path; }

 private:
  const Options options_;
  const Clock& clock_;
  PcmReader reader_;
  std::int64_t start_us_ = -1;
  std::int64_t blocks_ = 0;
};

}  // namespace

Capture::Options Capture::parse_source(const std::string& source) {
  if (source == "mic") return {.kind = Kind::kMicrophone, .path = {}, .device = {}};
  if (source == "desktop") return {.kind = Kind::kDesktop, .path = {}, .device = {}};
  return {.kind = Kind::kFile, .path = source, .device = {}};
}

Result<std::unique_ptr<Capture>> Capture::create(const Options& options, const Clock& clock) {
  if (options.kind != Kind::kFile) return open_live_capture(options, clock);
  auto reader = PcmReader::create({.path = options.path, .sample_rate_hz = kCaptureRateHz});
  if (!reader) return reader.error();
  return std::unique_ptr<Capture>(
      std::make_unique<FileCapture>(options, clock, *std::move(reader)));
}

}  // namespace qylon::media
