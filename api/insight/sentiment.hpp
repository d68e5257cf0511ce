#pragma once
/// Whether what was said is pleased or displeased, from a lexicon.

#include <span>

#include "api/insight/sentences.hpp"

namespace qylon::api {

/// Input  : words of English.
/// Output : [-1, 1]; 0 for words that the lexicon does not know. Words weigh -4..4; a negation
///          among the three words before turns a weight round at 0.74 of its size, "very" adds
///          0.293 and "slightly" takes it away.
/// Source : Hutto & Gilbert, "VADER", ICWSM 2014: rules and constants, and s / sqrt(s^2 + 15). The
///          lexicon is a small one of our own for meetings.
double sentiment(std::span<const SpokenWord> words);

}  // namespace qylon::api
