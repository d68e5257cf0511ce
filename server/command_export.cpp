#include "server/command_export.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "server/meeting_calls_json.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon export - fetch a meeting's transcript from a server

  qylon export MEETING [--format F] [--output FILE] [--server URL]

MEETING is the meeting's id; its page's address ends with it. The transcript goes to stdout, or to
FILE, which is replaced only once the whole transcript is there. It may be fetched while the meeting
still runs. A certificate that this machine does not know is named by SSL_CERT_FILE.

Exit status: 0 done, 1 failed, 2 the words were wrong.

Settings, also read from the environment as QYLON_SERVER, QYLON_TOKEN_FILE and so on:
)";

struct ExportSettings {
  std::string format = "txt";
  std::string output;
  LoginSettings login;
};

void declare(SettingList& list, ExportSettings& settings) {
  list.add({"format", "", "What to write."},
           settings.format,
           {"txt", "srt", "vtt", "json", "csv", "rttm"});
  list.add({"output", "", "File to write; empty is stdout."}, settings.output);
  declare_login(list, settings.login);
}

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "qylon export: %s\n", message.c_str());
  return status;
}

int write_output(const std::string& path, const std::string& text) {
  if (path.empty()) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (written && std::fflush(stdout) == 0) return 0;
    return fail(1, "cannot write to stdout");
  }
  const std::string partial = path + ".part";
  std::ofstream file(partial, std::ios::binary);
  file << text;
  file.close();
  if (!file || std::rename(partial.c_str(), path.c_str()) != 0) {
    static_cast<void>(std::remove(partial.c_str()));
    return fail(1, "cannot write " + path);
  }
  return 0;
}

}  // namespace

int run_export(const std::vector<std::string>& words) {
  ExportSettings settings;
  SettingList list;
  declare(list, settings);
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::printf("%s%s", kHelp, list.help().c_str());
    return 0;
  }
  const Status environment = list.read_environment([](const char* name) { return getenv(name); });
  if (!environment) return fail(2, environment.error().message);
  const auto others = list.read_flags(words);
  if (!others) return fail(2, others.error().message);
  const auto meeting = others->size() == 1 ? MeetingId::parse(others->front()) : std::nullopt;
  if (!meeting) return fail(2, "give one meeting id, such as 0e7b5c3a-5a36-4a86-8a3a-3f7f2c7d9a01");
  const auto login = find_login(settings.login, getenv("QYLON_TOKEN"));
  if (!login) return fail(2, login.error().message);
  const auto text =
      fetch(*login, "/api/meetings/" + meeting->to_string() + "/export?format=" + settings.format);
  if (!text) return fail(1, explain(text.error(), *login));
  return write_output(settings.output, *text);
}

}  // namespace qylon::server
