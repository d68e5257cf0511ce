#pragma once
/// A transcript as a file that other programs read.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/transcript.hpp"

namespace qylon::api {

enum class ExportFormat : std::uint8_t { kTxt, kSrt, kVtt, kJson, kCsv, kRttm };

inline constexpr std::array kExportFormats{ExportFormat::kTxt,
                                           ExportFormat::kSrt,
                                           ExportFormat::kVtt,
                                           ExportFormat::kJson,
                                           ExportFormat::kCsv,
                                           ExportFormat::kRttm};

std::string_view export_format_name(
    ExportFormat format) noexcept;  ///< "txt", also the file ending.
std::string_view export_content_type(ExportFormat format) noexcept;  ///< With charset.
/// e.g. "weekly-sync-2026-11-21.srt": ASCII letters, digits and dashes only, never empty.
std::string export_file_name(const MeetingInfo& meeting, ExportFormat format);

/// Errors: kInvalidArgument that lists the formats.
Result<ExportFormat> parse_export_format(std::string_view name);

/// Writes `transcript` in `format`. The same transcript always gives the same bytes.
///
/// Output  : valid UTF-8, captions by (start, offset); captions without text are left out.
///           JSON keeps every text as it is. The other formats are made of lines, so texts and
///           names lose line breaks, control characters, bidirectional overrides and word joiners
///           (one_line() in api/export/line_text.hpp), and what a format would read as markup is
///           escaped: see the writers.
/// Cost    : linear in the size of the transcript; about twice the output is held.
/// Errors  : none: bytes that are not UTF-8 become U+FFFD, times below zero become zero.
/// Source  : SRT: the SubRip 1.5 habit (no standard); WebVTT: W3C Candidate Recommendation of
///           2019-04-04; CSV: RFC 4180; JSON: RFC 8259; RTTM: NIST RT-09 evaluation plan, app. A.
std::string export_transcript(const Transcript& transcript, ExportFormat format);

}  // namespace qylon::api
