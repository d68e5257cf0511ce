#include "diarization/cpwer.hpp"

#include <map>
#include <utility>

#include "diarization/interval_lines.hpp"
#include "diarization/optimal_mapping.hpp"

namespace qylon::diarization {
namespace {

using TextOf = std::map<std::string_view, std::string>;  // By speaker.
struct Sides {
  TextOf reference;
  TextOf hypothesis;
};

void add_line(TextOf& text_of, const SpokenText& line) {
  std::string& text = text_of[line.speaker];
  if (!text.empty()) text += ' ';
  text += line.text;
}

std::vector<std::string> texts_of(TextOf& text_of, std::size_t count) {
  std::vector<std::string> texts;
  for (auto& [speaker, text] : text_of)
    texts.push_back(std::move(text));
  texts.resize(count);  // Who has no partner is compared with silence.
  return texts;
}

Wer best_permutation(Sides& sides) {
  const std::size_t count = std::max(sides.reference.size(), sides.hypothesis.size());
  const std::vector<std::string> said = texts_of(sides.reference, count);
  const std::vector<std::string> heard = texts_of(sides.hypothesis, count);
  std::vector<Wer> pairs;
  std::vector<double> gains;
  for (const std::string& reference : said) {
    for (const std::string& hypothesis : heard) {
      const Wer wer = score_wer(reference, hypothesis);
      gains.push_back(-static_cast<double>(wer.errors()));
      pairs.push_back(wer);
    }
  }
  const int size = static_cast<int>(count);
  const std::vector<int> mapping = optimal_mapping(gains, size, size);
  Wer total;
  for (std::size_t i = 0; i < count; ++i)
    total += pairs[i * count + static_cast<std::size_t>(mapping[i])];
  return total;
}

}  // namespace

Result<std::vector<SpokenText>> parse_spoken_texts(std::string_view text) {
  std::vector<SpokenText> out;
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::string_view content = take_line(text);
    if (content.ends_with('\r')) content.remove_suffix(1);
    if (content.empty()) continue;
    const std::size_t first = content.find('\t');
    const std::size_t second =
        first == std::string_view::npos ? first : content.find('\t', first + 1);
    if (first == 0 || second == std::string_view::npos || second == first + 1) {
      return line_error(line, "a line is a recording, a tab, a speaker, a tab and the words");
    }
    out.push_back({std::string(content.substr(0, first)),
                   std::string(content.substr(first + 1, second - first - 1)),
                   std::string(content.substr(second + 1))});
  }
  return out;
}

std::vector<RecordingWer> score_cpwer(std::span<const SpokenText> reference,
                                      std::span<const SpokenText> hypothesis) {
  std::map<std::string_view, Sides> recordings;
  for (const SpokenText& line : reference)
    add_line(recordings[line.recording].reference, line);
  for (const SpokenText& line : hypothesis)
    add_line(recordings[line.recording].hypothesis, line);
  std::vector<RecordingWer> out;
  for (auto& [recording, sides] : recordings)
    out.push_back({std::string(recording), best_permutation(sides)});
  return out;
}

std::string format_cpwer(const Wer& wer) {
  return "cp" + format_wer(wer);
}

}  // namespace qylon::diarization
