#pragma once
/// The words of an utterance as PostgreSQL keeps them, in one column.

#include <span>
#include <string>

#include "core/transcript.hpp"

namespace qylon::storage {

/// JSON: [["text", start_ms, end_ms, confidence], ...]. Confidence is put into 0..1. What
/// PostgreSQL cannot store, U+0000, is left out. Source: RFC 8259 section 7.
std::string encode_words(std::span<const Word> words);

/// What the columns promise, whatever an engine computed: 0..1, 0 for NaN.
float unit_interval(float value);

}  // namespace qylon::storage
