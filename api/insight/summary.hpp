#pragma once
/// The sentences that say what the others are about.

#include <cstddef>
#include <span>
#include <vector>

#include "api/insight/sentences.hpp"

namespace qylon::api {

/// Two sentences resemble each other by the words that they share; the random surfer of PageRank
/// likes those that many resemble.
///
/// Output : indices into `sentences`, rising; at most `count`. Sentences of less than four words
///          with meaning are never chosen.
/// Cost   : quadratic in the sentences that are compared: the 600 richest in words, some 10 ms.
/// Source : Mihalcea & Tarau, "TextRank", EMNLP 2004, section 4 (damping 0.85); similarity = shared
///          words / (log |a| + log |b|).
std::vector<std::size_t> summarise(std::span<const Sentence> sentences, std::size_t count);

}  // namespace qylon::api
