#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "bench/loadgen/load.hpp"
#include "core/config.hpp"

namespace qylon::loadgen {
namespace {

constexpr int kKept = 0;
constexpr int kBroken = 1;
constexpr int kWrongWords = 2;

constexpr const char* kHelp =
    R"(loadgen - speak into and read a Qylon server with many clients, and check what it promised

  loadgen --server http://HOST:PORT [--uplinks N] [--viewers N] [--seconds N] [settings]

Uplinks send speech-like sound in real time, viewers read captions; both come back after a loss and
go on where they were. At the end the meetings are ended, and every transcript and recording is held
against what was sent and heard. The last line is a JSON object; SIGINT and SIGTERM end the load
early and check too.

Exit status:
  0  every promise was kept
  1  one was not, or the server could not be reached; `finding_words` says what
  2  the words were wrong

Settings, also read from the environment as QYLON_SERVER, QYLON_TOKEN_FILE and so on:
)";

struct LoadSettings {
  server::LoginSettings login;
  std::string via;
  std::int64_t meetings = 1;
  std::int64_t uplinks = 8;
  std::int64_t viewers = 16;
  std::int64_t seconds = 60;
  std::int64_t ramp_ms = 1'000;
  std::int64_t backoff_ms_max = 15'000;
  std::int64_t seed = 0;
  bool verify = true;
  std::string log;
};

void declare(SettingList& list, LoadSettings& settings) {
  server::declare_login(list, settings.login);
  list.add({"via", "", "Where WebSockets go instead, e.g. a proxy before the server."},
           settings.via);
  list.add({"meetings", "", "Meetings that the clients are spread over."},
           settings.meetings,
           {1, 10'000});
  list.add({"uplinks", "", "Clients that speak, each one track."}, settings.uplinks, {1, 20'000});
  list.add({"viewers", "", "Clients that read captions."}, settings.viewers, {0, 50'000});
  list.add({"seconds", "s", "How long they speak."}, settings.seconds, {1, 86'400});
  list.add({"ramp-ms", "ms", "Time over which the clients begin."}, settings.ramp_ms, {0, 60'000});
  list.add({"backoff-ms-max", "ms", "Longest wait before a lost connection is tried again."},
           settings.backoff_ms_max,
           {250, 60'000});
  list.add({"seed", "", "Of voices and waits; 0 takes one from the clock."},
           settings.seed,
           {0, std::int64_t{1} << 40});
  list.add({"verify", "", "End the meetings and check transcripts and recordings."},
           settings.verify);
  list.add({"log", "", "File for a line about every frame and caption."}, settings.log);
}

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "loadgen: %s\n", message.c_str());
  return status;
}

volatile std::sig_atomic_t interrupted = 0;

void let_signals_stop() {
  for (const int signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int) { interrupted = 1; });
  std::signal(SIGPIPE, SIG_IGN);
}

/// A connection is a file; thousands of them need the hard limit.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<Load::Options> plan(const LoadSettings& settings) {
  Load::Options options;
  auto login = server::find_login(settings.login, std::getenv("QYLON_TOKEN"));
  if (!login) return login.error();
  options.server = *std::move(login);
  const auto via =
      settings.via.empty() ? options.server.url : server::parse_server_url(settings.via);
  if (!via) return via.error();
  options.via = *via;
  options.uplinks = settings.uplinks;
  options.viewers = settings.viewers;
  options.ramp_ms = settings.ramp_ms;
  options.backoff_ms_max = settings.backoff_ms_max;
  const auto now = static_cast<std::uint64_t>(std::time(nullptr));
  options.seed = settings.seed == 0 ? now : static_cast<std::uint64_t>(settings.seed);
  for (std::int64_t i = 0; i < settings.meetings; ++i) {
    const auto meeting = server::create_meeting(options.server, "Load " + std::to_string(i));
    if (!meeting)
      return Error{meeting.error().code, server::explain(meeting.error(), options.server)};
    options.meetings.push_back(*meeting);
  }
  return options;
}

int run(const LoadSettings& settings) {
  auto log = OracleLog::open(settings.log);
  if (!log) return fail(kWrongWords, log.error().message);
  const auto options = plan(settings);
  if (!options) return fail(kBroken, options.error().message);
  auto load = Load::create(*options, **log);
  if (!load) return fail(kBroken, load.error().message);
  for (const MeetingId meeting : (*load)->meetings())
    std::printf("meeting %s\n", meeting.to_string().c_str());
  std::fflush(stdout);
  (*load)->run(settings.seconds, [] { return interrupted != 0; });
  if (settings.verify) (*load)->verify();
  const LoadReport report = (*load)->report();
  std::printf("%s\n", print_report(report, options->seed).c_str());
  return report.findings.count() == 0 ? kKept : kBroken;
}

}  // namespace
}  // namespace qylon::loadgen

int main(int count, char** words) {
  namespace loadgen = qylon::loadgen;
  loadgen::LoadSettings settings;
  qylon::SettingList list;
  loadgen::declare(list, settings);
  const std::vector<std::string> arguments(words + 1, words + count);
  if (std::ranges::find(arguments, "--help") != arguments.end()) {
    std::printf("%s%s", loadgen::kHelp, list.help().c_str());
    return loadgen::kKept;
  }
  const auto environment = list.read_environment([](const char* name) { return getenv(name); });
  if (!environment) return loadgen::fail(loadgen::kWrongWords, environment.error().message);
  const auto others = list.read_flags(arguments);
  if (!others) return loadgen::fail(loadgen::kWrongWords, others.error().message);
  if (!others->empty()) {
    return loadgen::fail(loadgen::kWrongWords, "unexpected word \"" + others->front() + "\"");
  }
  loadgen::let_signals_stop();
  loadgen::raise_file_limit();
  return loadgen::run(settings);
}
