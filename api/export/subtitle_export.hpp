#pragma once
/// The two subtitle formats. See export_transcript() for what holds for all of them.

#include <string>

#include "core/transcript.hpp"

namespace qylon::api {

/// SubRip: the first cue of a caption begins with "Name: " (a long name has its own line). SubRip
/// has no escapes, so a word joiner (U+2060, invisible) is put into whatever players read as
/// markup:
/// "-->", "<" before a letter, "/" or "!", and "{" before a backslash. Leaving the word joiners out
/// gives the text back.
std::string write_srt(const Transcript& transcript);

/// WebVTT: every cue is a voice span, <v Name>; '&', '<' and '>' are character references. A cue's
/// identifier is the caption's offset, with "-2", "-3" ... for its later parts.
std::string write_vtt(const Transcript& transcript);

}  // namespace qylon::api
