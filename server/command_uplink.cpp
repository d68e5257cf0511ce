#include "server/command_uplink.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <unistd.h>

#include "core/clock.hpp"
#include "core/config.hpp"
#include "core/ids.hpp"
#include "media/capture.hpp"
#include "media/opus_encoder.hpp"
#include "realtime/uplink_client.hpp"
#include "realtime/ws_connector.hpp"
#include "server/meeting_calls_json.hpp"
#include "server/settings.hpp"
#include "server/uplink_session.hpp"

namespace qylon::server {
namespace {

using media::Capture;
using realtime::UplinkClient;

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongWords = 2;
constexpr int kRefused = 3;
constexpr int kAudioLost = 4;
constexpr int kInterrupted = 130;

constexpr const char* kHelp =
    R"(qylon uplink - stream a file, the microphone or the desktop's sound into a meeting

  qylon uplink FILE     any sound or video file that the installed GStreamer plugins decode
  qylon uplink mic      the default microphone
  qylon uplink desktop  what this desktop plays: the others of a video call, for instance

  qylon uplink talk.mp4 --server http://127.0.0.1:8080 --meeting ID

Without --meeting a new meeting is created and its page's address printed. A file plays in real
time unless --fast is given. The line it shows: how loud it is, how much was sent, how much the
server has acknowledged, and the lag between the two ends.

When the connection is lost, it comes back by itself, and what the server had not stored is sent
again. Sound of a microphone or desktop is kept for --keep-s; what no longer fits is lost, and said
so. Ctrl-C ends the track and waits for the last acknowledgements; pressed twice, it does not wait.

Exit status:
  0    everything was acknowledged
  1    the source failed
  2    the words were wrong
  3    the server refused, or did not answer for 30 s at the start
  4    done, but sound was lost: the server was away for longer than --keep-s
  130  stopped before everything was acknowledged

Settings, also read from the environment as QYLON_SERVER, QYLON_TOKEN_FILE and so on:
)";

struct UplinkSettings {
  LoginSettings login;
  std::string meeting;
  bool realtime = false;
  bool fast = false;
  std::int64_t track = 0;
  std::string speaker;
  std::string label;
  std::string start_ms;
  std::string device;
  std::int64_t bitrate = 32'000;
  std::int64_t keep_s = 120;
};

void declare(SettingList& list, UplinkSettings& settings) {
  declare_login(list, settings.login);
  list.add({"meeting", "", "The meeting's id; its page's address ends with it."}, settings.meeting);
  list.add({"realtime", "", "Play a file as fast as it sounds. This is the default."},
           settings.realtime);
  list.add({"fast", "", "Send a file as fast as the server takes it."}, settings.fast);
  list.add({"track", "", "Number of the track in the meeting; senders at the same time differ."},
           settings.track,
           {0, 65'535});
  list.add(
      {"speaker", "", "Who speaks, when this track is one person; else voices are told apart."},
      settings.speaker);
  list.add({"label", "", "What the track is, for people; default the file's name or the source."},
           settings.label);
  list.add({"start-ms", "", "Meeting time in ms at which the sound begins; default now."},
           settings.start_ms);
  list.add({"device", "", "Sound source of mic or desktop (pactl list short sources)."},
           settings.device);
  list.add({"bitrate", "bit/s", "Of the Opus stream."}, settings.bitrate, {6'000, 256'000});
  list.add({"keep-s", "s", "How much unacknowledged sound is kept for sending again."},
           settings.keep_s,
           {60, 3'600});
}

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "qylon uplink: %s\n", message.c_str());
  return status;
}

/// What the words ask for, checked.
struct Plan {
  ServerLogin server;
  Capture::Options source;
  UplinkClient::Options client;
  bool has_meeting = false;
};

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Result<std::optional<std::int64_t>> parse_start(const std::string& text) {
  if (text.empty()) return std::optional<std::int64_t>();
  // A hundred days bound a meeting generously.
  const bool is_number =
      text.size() <= 10 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number) return invalid("--start-ms takes milliseconds from 0, not \"" + text + "\"");
  return std::optional<std::int64_t>(std::strtoll(text.c_str(), nullptr, 10));
}

std::string default_label(const Capture::Options& source) {
  if (source.kind == Capture::Kind::kMicrophone) return "Microphone";
  if (source.kind == Capture::Kind::kDesktop) return "Desktop";
  return std::filesystem::path(source.path).filename().string();
}

Result<Plan> make_plan(const UplinkSettings& settings, const std::vector<std::string>& sources) {
  if (sources.size() != 1) return invalid("give one source: FILE, mic or desktop; see --help");
  if (settings.realtime && settings.fast)
    return invalid("--realtime and --fast exclude each other");
  Plan plan;
  auto login = find_login(settings.login, getenv("QYLON_TOKEN"));
  if (!login) return login.error();
  plan.server = *std::move(login);
  plan.source = Capture::parse_source(sources.front());
  plan.source.device = settings.device;
  const bool live = plan.source.kind != Capture::Kind::kFile;
  if (live && settings.fast) return invalid("--fast is for files; live sound comes as it comes");
  plan.source.paced = !settings.fast;
  if (!settings.meeting.empty()) {
    const auto meeting = MeetingId::parse(settings.meeting);
    if (!meeting) {
      return invalid("--meeting takes an id such as 0e7b5c3a-5a36-4a86-8a3a-3f7f2c7d9a01, not \"" +
                     settings.meeting + "\"");
    }
    plan.client.meeting = *meeting;
    plan.has_meeting = true;
  }
  const auto start = parse_start(settings.start_ms);
  if (!start) return start.error();
  plan.client.clock_start_ms = *start;
  plan.client.url = plan.server.url.websocket("/v1/uplink");
  plan.client.token = plan.server.token;
  plan.client.track.track = static_cast<TrackId>(settings.track);
  plan.client.track.label = settings.label.empty() ? default_label(plan.source) : settings.label;
  plan.client.track.speaker = settings.speaker;
  // A file can wait for the server; live sound cannot.
  plan.client.when_full =
      live ? UplinkClient::WhenFull::kDropOldest : UplinkClient::WhenFull::kWait;
  plan.client.kept_ms_max = settings.keep_s * 1000;
  if (settings.fast) plan.client.frames_per_s_max = 0;
  const auto bits = Uuid::random().bytes;
  plan.client.seed = (std::uint64_t{bits[0]} << 16U) | (std::uint64_t{bits[1]} << 8U) | bits[2];
  return plan;
}

void warn_of_plain_token(const ServerLogin& server) {
  if (server.token.empty() || server.url.tls || is_loopback(server.url.host)) return;
  std::fprintf(
      stderr,
      "qylon uplink: %s is not encrypted: the token and the sound can be read on the way\n",
      server.url.http("").c_str());
}

int report(UplinkSession::End end,
           const UplinkSession& session,
           const UplinkClient& client,
           const ServerLogin& server) {
  const auto progress = client.progress();
  switch (end) {
    case UplinkSession::End::kRefused:
      return fail(kRefused, explain(client.failure(), server));
    case UplinkSession::End::kSourceLost:
      return fail(kFailed, session.source_error().message);
    case UplinkSession::End::kInterrupted:
      return fail(kInterrupted,
                  "stopped; " + format_duration(progress.lag_ms()) + " was not acknowledged");
    case UplinkSession::End::kDone:
      break;
  }
  if (progress.dropped_ms > 0) {
    return fail(kAudioLost,
                format_duration(progress.dropped_ms) +
                    " of sound was lost while the server was away; --keep-s keeps more");
  }
  return kDone;
}

int stream(Plan& plan, const UplinkSettings& settings, Interrupts& interrupts) {
  const SystemClock clock;
  auto capture = Capture::create(plan.source, clock);
  if (!capture) return fail(kFailed, capture.error().message);
  auto encoder = media::OpusPacketEncoder::create(
      {.sample_rate_hz = media::kCaptureRateHz, .bitrate_bps = static_cast<int>(settings.bitrate)});
  if (!encoder) return fail(kFailed, encoder.error().message);
  if (!plan.has_meeting) {
    const auto created = create_meeting(plan.server, plan.client.track.label);
    if (!created) return fail(kRefused, explain(created.error(), plan.server));
    plan.client.meeting = *created;
  }
  warn_of_plain_token(plan.server);
  auto connector = realtime::WsConnector::create({});
  if (!connector) return fail(kFailed, connector.error().message);
  auto client = UplinkClient::create(plan.client, **connector, clock);
  if (!client) return fail(kWrongWords, client.error().message);
  std::printf("%s -> %s\n",
              (*capture)->description().c_str(),
              plan.server.url.http("/m/" + plan.client.meeting.to_string()).c_str());
  const bool live = plan.source.kind != Capture::Kind::kFile;
  UplinkSession session(
      {**capture, *encoder, **client, interrupts, clock},
      {.live = live, .paced = plan.source.paced, .terminal = isatty(STDOUT_FILENO) == 1});
  const UplinkSession::End end = session.run();
  return report(end, session, **client, plan.server);
}

}  // namespace

int run_uplink(const std::vector<std::string>& words) {
  UplinkSettings settings;
  SettingList list;
  declare(list, settings);
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::printf("%s%s", kHelp, list.help().c_str());
    return kDone;
  }
  const Status environment = list.read_environment([](const char* name) { return getenv(name); });
  if (!environment) return fail(kWrongWords, environment.error().message);
  const auto sources = list.read_flags(words);
  if (!sources) return fail(kWrongWords, sources.error().message);
  auto plan = make_plan(settings, *sources);
  if (!plan) return fail(kWrongWords, plan.error().message);
  Interrupts interrupts;
  return stream(*plan, settings, interrupts);
}

}  // namespace qylon::server
