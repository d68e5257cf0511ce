"""Learns letter_rules.cpp, English letter-to-sound rules, from the CMU pronouncing dictionary.

    ./train_letters.py /usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict letter_rules.cpp

1. Letters are aligned with phones by EM, one letter to none, one or two phones (epsilon scattering:
   A. Black, K. Lenzo, V. Pagel, "Issues in building general letter to sound rules", SSW3 1998).
2. A rule is a letter with some letters to its left and right. Contexts grow outwards one letter at
   a time; one becomes a rule when it is right at least GAIN times more often than the shorter rule
   it refines.
One word in twenty is held out; the error rates on those are printed. Standard library only; 2 min.
"""

import collections
import math
import pathlib
import re
import sys

GAIN = 8
GROWTH = ["R", "L", "R", "L", "R", "L", "R"]  # Context letters in the order they are added.
COLUMNS = 90
VOWELS = {"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"}


def read_dictionary(path):
    words = {}
    for line in pathlib.Path(path).read_text().splitlines():
        word, *phones = line.split()
        word = re.sub(r"\(\d+\)$", "", word)
        if re.fullmatch(r"[a-z]{2,}", word):
            words.setdefault(word, []).append(tuple(phones))
    return words


def best_alignment(word, phones, score):
    """Phones of each letter on the likeliest path, or None."""
    rows = [{0: (0.0, None)}]
    for letter in word:
        row = {}
        for used, (cost, _) in rows[-1].items():
            for take in (0, 1, 2):
                if used + take > len(phones):
                    continue
                total = cost + score(letter, phones[used : used + take])
                if used + take not in row or total > row[used + take][0]:
                    row[used + take] = (total, take)
        rows.append(row)
    if len(phones) not in rows[-1]:
        return None
    used, parts = len(phones), []
    for index in range(len(word), 0, -1):
        take = rows[index][used][1]
        parts.append(phones[used - take : used])
        used -= take
    return parts[::-1]


def align(pairs, rounds=6):
    counts = collections.Counter()
    totals = collections.Counter()
    alignments = []
    for _ in range(rounds):
        snapshot, sums = counts.copy(), totals.copy()

        def score(letter, part):
            prior = {0: -2.0, 1: 0.0, 2: -4.0}[len(part)]
            if not sums:
                return prior
            seen = snapshot[letter, part] + 0.01
            return math.log(seen / (sums[letter] + 1))

        counts.clear(), totals.clear(), alignments.clear()
        for word, phones in pairs:
            parts = best_alignment(word, phones, score)
            if parts is None:
                continue
            alignments.append((word, parts))
            for letter, part in zip(word, parts):
                counts[letter, part] += 1
                totals[letter] += 1
    return alignments


def contexts(word, index):
    """(left, letter, right) from the letter alone outwards."""
    padded = f"#{word}#"
    at, left, right = index + 1, 0, 0
    yield "", padded[at], ""
    for side in GROWTH:
        if side == "R":
            if at + right + 1 >= len(padded):
                continue
            right += 1
        else:
            if at - left - 1 < 0:
                continue
            left += 1
        yield padded[at - left : at], padded[at], padded[at + 1 : at + 1 + right]


def learn(alignments):
    seen = collections.defaultdict(collections.Counter)
    chains = {}
    for word, parts in alignments:
        for index, part in enumerate(parts):
            chain = tuple(contexts(word, index))
            for context in chain:
                seen[context][part] += 1
            for shorter, longer in zip(chain, chain[1:]):
                chains[longer] = shorter
    rules = {}
    effective = {}
    for context in sorted(seen, key=lambda c: len(c[0]) + len(c[2])):
        best, hits = seen[context].most_common(1)[0]
        inherited = effective.get(chains.get(context))
        if inherited is None or hits - seen[context][inherited] >= GAIN:
            rules[context] = best
            effective[context] = best
        else:
            effective[context] = inherited
    return rules


def pronounce(word, rules):
    phones = []
    for index in range(len(word)):
        for context in list(contexts(word, index))[::-1]:
            if context in rules:
                phones += rules[context]
                break
    return tuple(phones)


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (x != y))
    return row[-1]


def evaluate(words, rules):
    errors = phones = wrong = 0
    for word, choices in words:
        guess = pronounce(word, rules)
        error, reference = min((distance(guess, choice), choice) for choice in choices)
        errors, phones, wrong = errors + error, phones + len(reference), wrong + (error > 0)
    return f"phone errors {errors / phones:.1%}, words wrong {wrong / len(words):.1%}"


def render(rules, summary):
    text = ";".join(
        f"{left}.{letter}.{right}={' '.join(phones)}" for (left, letter, right), phones in sorted(rules.items())
    )
    lines = [text[at : at + COLUMNS] for at in range(0, len(text), COLUMNS)]
    body = "\n".join(f'    "{line}"' for line in lines)
    return f"""// Made by train_letters.py from the CMU pronouncing dictionary (BSD licence); do not edit.
// {len(rules)} rules; on words that were held out: {summary}.
#include "models/pocketsphinx/letter_rules.hpp"

namespace qylon::models {{

// clang-format off
const char* letter_rules() noexcept {{
  return
{body};
}}
// clang-format on

}}  // namespace qylon::models
"""


def main():
    words = sorted(read_dictionary(sys.argv[1]).items())
    held_out = words[::20]
    kept = [pair for index, pair in enumerate(words) if index % 20]
    rules = learn(align([(word, choices[0]) for word, choices in kept]))
    summary = evaluate(held_out, rules)
    print(len(rules), "rules;", summary)
    pathlib.Path(sys.argv[2]).write_text(render(rules, summary))


if __name__ == "__main__":
    main()
