#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/config.hpp"
#include "media/stream_graph.hpp"
#include "server/command.hpp"
#include "server/diarized_file.hpp"
#include "server/recogniser_settings.hpp"
#include "server/tool_files.hpp"

namespace qylon::server {
namespace {

namespace fs = std::filesystem;
using diarization::Turn;

constexpr const char* kHelp =
    R"(qylon diarize - who speaks when in a file, as the live path says it

  qylon diarize FILE|DIR --out DIR [--oracle-vad FILE|DIR] [--voice-model PATH]

FILE is anything that GStreamer decodes; a DIR stands for all sound files in it. Writes RTTM with
the file's name, without its extension, for the recording:
  first.rttm      as first shown, within a second of the speech
  after5s.rttm    as known five seconds after the speech
  end.rttm        as known when the sound ended
  postcall.rttm   after one pass over the whole recording
--oracle-vad takes the time of an RTTM reference's turns for the speech: of the recording of that
name, or of which the name begins with that and a dot, or of the only one there is.
)";

struct Options {
  std::string input;
  std::string out;
  std::string oracle;
  Settings settings;  // Of which the voice model counts.
};

int fail(const Error& error, int status) {
  std::fprintf(stderr, "qylon diarize: %s\n", error.message.c_str());
  return status;
}

Result<std::vector<Turn>> read_turns(const std::string& path) {
  const auto files = files_of(path, {".rttm"});
  if (!files) return files.error();
  std::vector<Turn> all;
  for (const fs::path& file : *files) {
    const auto text = read_file(file);
    if (!text) return text.error();
    auto turns = diarization::parse_rttm(*text);
    if (!turns) return Error{turns.error().code, file.string() + ": " + turns.error().message};
    std::move(turns->begin(), turns->end(), std::back_inserter(all));
  }
  return all;
}

std::vector<Turn> turns_of(const std::vector<Turn>& all, const std::string& name) {
  const bool only_one = std::all_of(all.begin(), all.end(), [&](const Turn& turn) {
    return turn.recording == all.front().recording;
  });
  std::vector<Turn> out;
  std::copy_if(all.begin(), all.end(), std::back_inserter(out), [&](const Turn& turn) {
    return only_one || turn.recording == name || name.starts_with(turn.recording + ".");
  });
  return out;
}

Status diarize_all(const Options& options, DiarizedFile& total) {
  const Status graphs = media::StreamGraph::init_graphs();
  if (!graphs) return graphs.error();
  const auto model = load_voice_model(options.settings);
  if (!model) return model.error();
  const auto files =
      files_of(options.input, {".opus", ".ogg", ".wav", ".flac", ".mp3", ".m4a", ".webm"});
  if (!files) return files.error();
  std::vector<Turn> reference;
  if (!options.oracle.empty()) {
    auto turns = read_turns(options.oracle);
    if (!turns) return turns.error();
    reference = *std::move(turns);
  }
  for (const fs::path& file : *files) {
    DiarizeJob job{file.string(), file.stem().string(), turns_of(reference, file.stem().string())};
    if (!options.oracle.empty() && job.speech.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   options.oracle + " has no turns of " + job.recording};
    }
    const auto result = diarize_file(job, *model);
    if (!result) return result.error();
    for (const auto part : {&DiarizedFile::first,
                            &DiarizedFile::after5s,
                            &DiarizedFile::end,
                            &DiarizedFile::postcall}) {
      const auto& turns = (*result).*part;
      (total.*part).insert((total.*part).end(), turns.begin(), turns.end());
    }
    total.relabels += result->relabels;
    total.audio_s += result->audio_s;
  }
  return ok();
}

Status write_all(const fs::path& out, const DiarizedFile& result) {
  std::error_code error;
  fs::create_directories(out, error);
  if (error) return Error{ErrorCode::kUnavailable, "cannot make the folder " + out.string()};
  const std::pair<const char*, const std::vector<Turn>*> files[] = {
      {"first.rttm", &result.first},
      {"after5s.rttm", &result.after5s},
      {"end.rttm", &result.end},
      {"postcall.rttm", &result.postcall}};
  for (const auto& [name, turns] : files) {
    const Status written = write_file(out / name, diarization::format_rttm(*turns));
    if (!written) return written;
  }
  return ok();
}

}  // namespace

int run_diarize(const Words& words) {
  if (words.empty() || std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fputs(kHelp, words.empty() ? stderr : stdout);
    return words.empty() ? 2 : 0;
  }
  Options options;
  SettingList list;
  list.add({"out", "", "Folder for the results."}, options.out);
  list.add({"oracle-vad", "", "Reference whose speech is taken."}, options.oracle);
  list.add({"voice-model", "", "Weights; empty: built in."}, options.settings.voice_model);
  const auto inputs = list.read_flags(words);
  if (!inputs) return fail(inputs.error(), 2);
  if (inputs->size() != 1 || options.out.empty()) {
    return fail({ErrorCode::kInvalidArgument, "it takes one FILE or DIR, and --out DIR"}, 2);
  }
  options.input = inputs->front();
  DiarizedFile result;
  const Status diarized = diarize_all(options, result);
  if (!diarized) return fail(diarized.error(), 1);
  const Status written = write_all(options.out, result);
  if (!written) return fail(written.error(), 1);
  std::printf("%.1f s of sound, %.1f relabels a minute\n",
              result.audio_s,
              result.relabels / std::max(result.audio_s / 60, 1e-9));
  return 0;
}

}  // namespace qylon::server
