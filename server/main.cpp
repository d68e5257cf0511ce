#include <array>
#include <cstdio>
#include <string_view>

#include "media/containers/stream_worker.hpp"
#include "models/recogniser_factory.hpp"
#include "server/command.hpp"
#include "server/command_export.hpp"
#include "server/command_uplink.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon - live captions for meetings: who speaks, and what they say, while they say it

  qylon serve        run the server
  qylon uplink       stream a file, the microphone or the desktop's sound into a meeting
  qylon export       fetch a meeting's transcript from a server
  qylon transcribe   write the transcript of a file, without a server
  qylon diarize      write who speaks when in a file, as the live path says it
  qylon verify       measure how well voices are told apart (EER)
  qylon score        compare a result with the truth (DER, JER, WER, cpWER)
  qylon schema       compare a database with what this program declares
  qylon token        print the token of a data directory
  qylon sign-in      print a link that signs you in at a running server
  qylon audit        look for what was changed in the audit log
  qylon vault        put a new master key before the old ones
  qylon version      print the version

`qylon COMMAND --help` tells more. Start with:

  qylon serve --listen 127.0.0.1:8080 --data-dir qylon-data
)";

struct Command {
  std::string_view name;
  int (*run)(const Words& words);
};
constexpr std::array<Command, 12> kCommands{{{"serve", run_serve},
                                             {"uplink", run_uplink},
                                             {"export", run_export},
                                             {"transcribe", run_transcribe},
                                             {"diarize", run_diarize},
                                             {"verify", run_verify},
                                             {"score", run_score},
                                             {"schema", run_schema},
                                             {"token", run_token},
                                             {"sign-in", run_sign_in},
                                             {"audit", run_audit},
                                             {"vault", run_vault}}};

int run(const Words& words) {
  const std::string_view name = words.empty() ? "" : std::string_view(words.front());
  if (name == models::kZygoteSubcommand) {
    return models::run_recogniser_zygote({words.begin() + 1, words.end()});
  }
  if (name == media::kStreamZygoteSubcommand) return media::run_stream_zygote();
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run({words.begin() + 1, words.end()});
  }
  if (name == "version" || name == "--version") {
    std::puts("qylon " QYLON_VERSION);
    return 0;
  }
  const bool asked = name == "help" || name == "--help" || name == "-h";
  if (!asked && !name.empty()) {
    std::fprintf(stderr, "qylon: there is no command \"%s\"\n\n", words.front().c_str());
  }
  std::fputs(kHelp, asked ? stdout : stderr);
  return asked ? 0 : 2;
}

}  // namespace
}  // namespace qylon::server

int main(int argc, char** argv) {
  return qylon::server::run({argv + 1, argv + argc});
}
