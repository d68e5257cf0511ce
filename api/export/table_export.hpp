#pragma once
/// The formats with one line per caption. See export_transcript() for what holds for all of them.

#include <string>
#include <string_view>

#include "core/transcript.hpp"

namespace qylon::api {

/// For people: title, date, then "[00:01:21] Name: text" lines.
std::string write_txt(const Transcript& transcript);

/// RFC 4180 with a header line and CRLF. Every text cell is quoted. A cell that a spreadsheet would
/// take for a formula (it begins with =, +, -, @ or a full-width form of them, or with apostrophes
/// before one of these) has an apostrophe put in front; taking that one away gives the text back.
/// Source: OWASP, "CSV Injection".
std::string write_csv(const Transcript& transcript);

/// NIST RTTM: one SPEAKER line for each stretch of one speaker's captions that touch or overlap.
/// The recording is the meeting's id, or its title when it has none. Names are one word: blanks
/// become '_', and names that two speakers share get the speakers' keys added.
std::string write_rttm(const Transcript& transcript);

/// JSON: the meeting and its captions, words and all. Texts are kept as they are.
std::string write_json(const Transcript& transcript);

}  // namespace qylon::api
