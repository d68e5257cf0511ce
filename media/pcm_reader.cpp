#include "media/pcm_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace qylon::media {
namespace {

constexpr std::chrono::seconds kSilentMax{10};

/// The decoder's own words for a missing file differ by plugin; the system's are always the same.
Status check_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const std::string reason = std::error_code(errno, std::generic_category()).message();
    return Error{ErrorCode::kNotFound, "cannot read " + path + ": " + reason};
  }
  struct stat facts = {};
  const bool is_folder = fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode);
  close(fd);
  if (!is_folder) return ok();
  return Error{ErrorCode::kNotFound, path + " is a folder; a sound or video file is needed"};
}

}  // namespace

PcmReader::PcmReader(std::string path, SamplePipeline pipeline)
    : path_(std::move(path)), pipeline_(std::move(pipeline)) {}

Result<PcmReader> PcmReader::create(const Options& options) {
  if (options.sample_rate_hz < 8000 || options.sample_rate_hz > 48000) {
    return Error{ErrorCode::kInvalidArgument,
                 "a file is read at 8000..48000 Hz, not " + std::to_string(options.sample_rate_hz)};
  }
  const Status readable = check_file(options.path);
  if (!readable) return readable.error();
  // Only sound is decoded, even of a video; audiorate turns holes between stamps into silence.
  auto pipeline = SamplePipeline::create(
      {.head = "filesrc name=source ! decodebin expose-all-streams=false caps=audio/x-raw(ANY) ! "
               "audioconvert ! audiorate skip-to-first=true ! audioresample",
       .name = options.path,
       .sample_rate_hz = options.sample_rate_hz,
       .source_properties = {{"location", options.path}}});
  if (!pipeline) return pipeline.error();
  PcmReader reader(options.path, *std::move(pipeline));
  // The first chunk proves that there is sound, or brings the reason why there is none.
  const Status status = reader.next_chunk();
  if (!status) return status.error();
  if (reader.ended_) {
    return Error{ErrorCode::kInvalidArgument, options.path + " holds no sound"};
  }
  return reader;
}

Status PcmReader::next_chunk() {
  chunk_at_ = 0;
  chunk_.samples.clear();
  const auto pulled = pipeline_.pull(chunk_, kSilentMax);
  if (!pulled) return pulled.error();
  ended_ = *pulled == SamplePipeline::Pulled::kEnd;
  if (*pulled != SamplePipeline::Pulled::kNothing) return ok();
  return Error{ErrorCode::kUnavailable,
               "the decoder of " + path_ + " has given nothing for " +
                   std::to_string(kSilentMax.count()) + " s"};
}

Result<std::size_t> PcmReader::read(std::span<float> out) {
  std::size_t written = 0;
  while (written < out.size() && !ended_) {
    if (chunk_at_ == chunk_.samples.size()) {
      const Status status = next_chunk();
      if (!status) return status.error();
      continue;
    }
    const std::size_t count = std::min(out.size() - written, chunk_.samples.size() - chunk_at_);
    std::copy_n(chunk_.samples.begin() + static_cast<std::ptrdiff_t>(chunk_at_),
                count,
                out.begin() + static_cast<std::ptrdiff_t>(written));
    chunk_at_ += count;
    written += count;
  }
  return written;
}

}  // namespace qylon::media
