#include "api/export/transcript_export.hpp"

#include <algorithm>

#include "api/export/subtitle_export.hpp"
#include "api/export/table_export.hpp"
#include "core/log.hpp"

namespace qylon::api {
namespace {

struct Description {
  std::string_view name;
  std::string_view content_type;
  std::string (*write)(const Transcript&);
};
// In the order of ExportFormat.
constexpr std::array<Description, kExportFormats.size()> kDescriptions{
    {{"txt", "text/plain; charset=utf-8", write_txt},
     {"srt", "application/x-subrip; charset=utf-8", write_srt},
     {"vtt", "text/vtt; charset=utf-8", write_vtt},
     {"json", "application/json", write_json},
     {"csv", "text/csv; charset=utf-8; header=present", write_csv},
     {"rttm", "text/plain; charset=utf-8", write_rttm}}};

const Description& describe(ExportFormat format) noexcept {
  return kDescriptions[static_cast<std::size_t>(format)];
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// Lower-case ASCII letters and digits, everything else one dash.
std::string slug(std::string_view title) {
  constexpr std::size_t kCharsMax = 60;
  std::string text;
  for (const char c : title.substr(0, kCharsMax)) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (is_plain(lower)) {
      text += lower;
    } else if (!text.ends_with('-')) {
      text += '-';
    }
  }
  text.erase(0, std::min(text.find_first_not_of('-'), text.size()));
  text.erase(text.find_last_not_of('-') + 1);
  return text.empty() ? "meeting" : text;
}

}  // namespace

std::string_view export_format_name(ExportFormat format) noexcept {
  return describe(format).name;
}

std::string_view export_content_type(ExportFormat format) noexcept {
  return describe(format).content_type;
}

std::string export_file_name(const MeetingInfo& meeting, ExportFormat format) {
  constexpr std::size_t kDateChars = 10;  // 2026-11-21
  return slug(meeting.title) + "-" + format_utc(meeting.created_us).substr(0, kDateChars) + "." +
         std::string(export_format_name(format));
}

Result<ExportFormat> parse_export_format(std::string_view name) {
  std::string names;
  for (const ExportFormat format : kExportFormats) {
    if (export_format_name(format) == name) return format;
    names += (names.empty() ? "" : ", ") + std::string(export_format_name(format));
  }
  return Error{ErrorCode::kInvalidArgument,
               name.empty() ? "no export format given; there are " + names
                            : "there is no such export format; there are " + names};
}

std::string export_transcript(const Transcript& transcript, ExportFormat format) {
  return describe(format).write(transcript);
}

}  // namespace qylon::api
