#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <sys/stat.h>

#include "api/export/transcript_export.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "media/stream_graph.hpp"
#include "realtime/ws_connector.hpp"
#include "server/command.hpp"
#include "server/offline_meeting.hpp"
#include "server/recogniser_settings.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon transcribe - write the transcript of a file, without a server

  qylon transcribe FILE [--format txt|srt|vtt|json|csv|rttm] [--output PATH] [settings]

FILE is anything that GStreamer decodes. The sound takes the same path as in a live meeting: voice
activity, speakers, recogniser. Exit status: 0 done, 1 failed, 2 the words were wrong.

Settings:
)";

int fail(const Error& error, int status) {
  std::fprintf(stderr, "qylon transcribe: %s\n", error.message.c_str());
  return status;
}

Status write_output(const std::string& text, const std::string& path) {
  FILE* const file = path.empty() ? stdout : std::fopen(path.c_str(), "wb");
  if (file == nullptr) return Error{ErrorCode::kInvalidArgument, "cannot write " + path};
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = path.empty() ? std::fflush(file) == 0 : std::fclose(file) == 0;
  if (!written || !closed) return Error{ErrorCode::kUnavailable, "writing the transcript failed"};
  return ok();
}

/// When the file was last written: the best that is known of when it was recorded.
std::int64_t modified_us(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return 0;
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000 + info.st_mtim.tv_nsec / 1000;
}

Result<std::string> transcribe(const std::string& path,
                               api::ExportFormat format,
                               const Settings& settings) {
  SystemClock clock;
  const Log log(clock, LogLevel::kWarn);
  Counters counters;
  const Status graphs = media::StreamGraph::init_graphs();
  if (!graphs) return graphs.error();
  auto reader = media::PcmReader::create({.path = path});
  if (!reader) return reader.error();
  auto connector = realtime::WsConnector::create({});
  if (!connector) return connector.error();
  auto recogniser = models::make_recogniser(
      recogniser_settings(settings),
      {.log = log, .counters = counters, .clock = clock, .connector = connector->get()});
  if (!recogniser) return recogniser.error();
  auto voice_model = load_voice_model(settings);
  if (!voice_model) return voice_model.error();
  OfflineMeeting meeting(std::filesystem::path(path).stem().string(),
                         modified_us(path),
                         counters,
                         **recogniser,
                         *std::move(voice_model));
  const Status ran = meeting.run(*reader);
  if (!ran) return ran.error();
  return api::export_transcript(meeting.transcript(), format);
}

}  // namespace

int run_transcribe(const Words& words) {
  Settings settings;
  std::string format_name = "txt";
  std::string output;
  SettingList list;
  list.add({"format", "", "txt, srt, vtt, json, csv or rttm."}, format_name);
  list.add({"output", "", "File to write; empty: standard output."}, output);
  declare_recogniser(list, settings);
  if (words.empty() || std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fprintf(words.empty() ? stderr : stdout, "%s%s", kHelp, list.help().c_str());
    return words.empty() ? 2 : 0;
  }
  const auto files = list.read_flags(words);
  if (!files) return fail(files.error(), 2);
  if (files->size() != 1) {
    return fail({ErrorCode::kInvalidArgument, "it takes one FILE; see --help"}, 2);
  }
  const auto format = api::parse_export_format(format_name);
  if (!format) return fail(format.error(), 2);
  const auto text = transcribe(files->front(), *format, settings);
  if (!text) return fail(text.error(), 1);
  const Status written = write_output(*text, output);
  return written ? 0 : fail(written.error(), 1);
}

}  // namespace qylon::server
