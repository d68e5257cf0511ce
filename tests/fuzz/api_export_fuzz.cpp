#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/export/transcript_export.hpp"
#include "core/check.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

/// Cuts texts and numbers out of the fuzzer's bytes.
class Source {
 public:
  explicit Source(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  std::int64_t time_ms() { return std::int64_t{byte()} * byte() * 100 - 1000; }
  std::string text() {
    const std::size_t size = std::min<std::size_t>(byte(), bytes_.size());
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }

 private:
  std::string_view bytes_;
};

Caption take_caption(Source& source, std::uint64_t offset) {
  Caption caption;
  caption.offset = offset;
  caption.start_ms = source.time_ms();
  caption.end_ms = source.time_ms();
  caption.speaker.key = source.text();
  caption.speaker.name = source.text();
  caption.text = source.text();
  for (std::uint8_t words = source.byte() % 4; words > 0; --words)
    caption.words.push_back({source.text(), source.time_ms(), source.time_ms(), 0.5F});
  return caption;
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size())
    ++times;
  return times;
}

void check_file(const Transcript& transcript, ExportFormat format) {
  const std::string file = export_transcript(transcript, format);
  QYLON_CHECK(is_utf8(file));
  QYLON_CHECK(std::none_of(file.begin(), file.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r';
  }));
  if (format == ExportFormat::kVtt) {
    // Every arrow is a cue's, and so is every voice tag: text can make neither.
    const std::size_t cues = count(file, "\n<v ");
    QYLON_CHECK(count(file, "-->") == cues);
    QYLON_CHECK(count(file, "<") == cues);
  }
  if (format == ExportFormat::kSrt) QYLON_CHECK(count(file, "-->") == count(file, " --> "));
  if (format == ExportFormat::kCsv) QYLON_CHECK(count(file, "\"") % 2 == 0);
}

}  // namespace
}  // namespace qylon::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qylon::api::kExportFormats;
  qylon::api::Source source({reinterpret_cast<const char*>(data), size});
  qylon::Transcript transcript;
  transcript.meeting.title = source.text();
  while (!source.empty())
    transcript.captions.push_back(take_caption(source, transcript.captions.size() + 1));
  for (const auto format : kExportFormats)
    qylon::api::check_file(transcript, format);
  return 0;
}
