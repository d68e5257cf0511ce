#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>

#include "core/config.hpp"
#include "diarization/cpwer.hpp"
#include "diarization/ctm.hpp"
#include "diarization/der.hpp"
#include "diarization/jer.hpp"
#include "diarization/rttm.hpp"
#include "diarization/wer.hpp"
#include "server/command.hpp"
#include "server/tool_files.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon score - how far a result is from the truth

  qylon score der   --ref FILE|DIR --hyp FILE|DIR [--uem FILE|DIR] [--collar S] [--skip-overlap]
  qylon score jer   --ref FILE|DIR --hyp FILE|DIR [--uem FILE|DIR]
  qylon score wer   --ref TXT|CTM --hyp TXT|CTM
  qylon score cpwer --ref TSV --hyp TSV

der and jer compare RTTM files: who spoke when, in percent of speaker time (der), or as the mean
over speakers (jer); a line for each recording, the total last. A DIR stands for all its .rttm
(.uem) files. wer compares words: plain text, lines of `name<TAB>words` paired by name, or .ctm
files paired by recording. cpwer compares lines of `recording<TAB>speaker<TAB>words` with the best
mapping of speakers. Case, punctuation and the spelling of numbers do not count.
)";

int fail(const Error& error) {
  std::fprintf(stderr, "qylon score: %s\n", error.message.c_str());
  return 1;
}

/// Everything that `parse` reads from a file, or from all files of a directory.
template <typename Item>
Result<std::vector<Item>> read_all(const std::string& path,
                                   std::string_view extension,
                                   Result<std::vector<Item>> (*parse)(std::string_view)) {
  const auto files = files_of(path, {std::string(extension)});
  if (!files) return files.error();
  std::vector<Item> all;
  for (const auto& file : *files) {
    const auto text = read_file(file);
    if (!text) return text.error();
    auto items = parse(*text);
    if (!items) {
      return Error{items.error().code, file.string() + ": " + items.error().message};
    }
    std::move(items->begin(), items->end(), std::back_inserter(all));
  }
  return all;
}

struct Paths {
  std::string reference;
  std::string hypothesis;
  std::string uem;
};

struct Turns {
  std::vector<diarization::Turn> reference;
  std::vector<diarization::Turn> hypothesis;
  std::vector<diarization::ScoredRegion> scored;
};

Result<Turns> read_turns(const Paths& paths) {
  auto reference = read_all(paths.reference, ".rttm", diarization::parse_rttm);
  if (!reference) return reference.error();
  auto hypothesis = read_all(paths.hypothesis, ".rttm", diarization::parse_rttm);
  if (!hypothesis) return hypothesis.error();
  Turns turns{*std::move(reference), *std::move(hypothesis), {}};
  if (paths.uem.empty()) return turns;
  auto scored = read_all(paths.uem, ".uem", diarization::parse_uem);
  if (!scored) return scored.error();
  turns.scored = *std::move(scored);
  return turns;
}

int score_der_command(const Paths& paths, const diarization::OverlapOptions& options) {
  const auto turns = read_turns(paths);
  if (!turns) return fail(turns.error());
  const auto recordings =
      diarization::score_der(turns->reference, turns->hypothesis, turns->scored, options);
  for (const auto& recording : recordings) {
    std::printf(
        "%s %s\n", recording.recording.c_str(), diarization::format_der(recording.der).c_str());
  }
  std::printf("%s\n", diarization::format_der(diarization::total_der(recordings)).c_str());
  return 0;
}

int score_jer_command(const Paths& paths) {
  const auto turns = read_turns(paths);
  if (!turns) return fail(turns.error());
  diarization::Jer total;
  for (const auto& recording :
       diarization::score_jer(turns->reference, turns->hypothesis, turns->scored)) {
    total += recording.jer;
    std::printf(
        "%s %s\n", recording.recording.c_str(), diarization::format_jer(recording.jer).c_str());
  }
  std::printf("%s\n", diarization::format_jer(total).c_str());
  return 0;
}

/// A file's words by name; plain text, which has no tab, is one text without name.
Result<std::vector<diarization::NamedText>> read_texts(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  if (std::filesystem::path(path).extension() == ".ctm") {
    auto words = diarization::parse_ctm(*text);
    if (!words) return Error{words.error().code, path + ": " + words.error().message};
    return diarization::texts_by_recording(*std::move(words));
  }
  if (text->find('\t') == std::string::npos) {
    return std::vector<diarization::NamedText>{{"", *text}};
  }
  return diarization::parse_named_texts(*text);
}

int score_wer_command(const Paths& paths) {
  const auto reference = read_texts(paths.reference);
  if (!reference) return fail(reference.error());
  const auto hypothesis = read_texts(paths.hypothesis);
  if (!hypothesis) return fail(hypothesis.error());
  const auto wer = diarization::score_wer(*reference, *hypothesis);
  if (!wer) return fail(wer.error());
  std::printf("%s\n", diarization::format_wer(*wer).c_str());
  return 0;
}

int score_cpwer_command(const Paths& paths) {
  const auto reference = read_all(paths.reference, ".tsv", diarization::parse_spoken_texts);
  if (!reference) return fail(reference.error());
  const auto hypothesis = read_all(paths.hypothesis, ".tsv", diarization::parse_spoken_texts);
  if (!hypothesis) return fail(hypothesis.error());
  diarization::Wer total;
  for (const auto& recording : diarization::score_cpwer(*reference, *hypothesis)) {
    total += recording.wer;
    std::printf(
        "%s %s\n", recording.recording.c_str(), diarization::format_cpwer(recording.wer).c_str());
  }
  std::printf("%s\n", diarization::format_cpwer(total).c_str());
  return 0;
}

}  // namespace

int run_score(const Words& words) {
  if (words.empty() || std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fputs(kHelp, words.empty() ? stderr : stdout);
    return words.empty() ? 2 : 0;
  }
  Paths paths;
  diarization::OverlapOptions options;
  SettingList list;
  list.add({"ref", "", "Reference."}, paths.reference);
  list.add({"hyp", "", "Hypothesis."}, paths.hypothesis);
  list.add({"uem", "", "Scored regions."}, paths.uem);
  list.add({"collar", "s", "Not scored around reference boundaries."}, options.collar_s, 0.0, 10.0);
  list.add({"skip-overlap", "", "Leave overlapped reference speech out."}, options.skip_overlap);
  const auto others = list.read_flags(words);
  if (!others) {
    std::fprintf(stderr, "qylon score: %s\n", others.error().message.c_str());
    return 2;
  }
  const bool named = others->size() == 1 && !paths.reference.empty() && !paths.hypothesis.empty();
  if (named && others->front() == "der") return score_der_command(paths, options);
  if (named && others->front() == "jer") return score_jer_command(paths);
  if (named && others->front() == "wer") return score_wer_command(paths);
  if (named && others->front() == "cpwer") return score_cpwer_command(paths);
  std::fputs(kHelp, stderr);
  return 2;
}

}  // namespace qylon::server
