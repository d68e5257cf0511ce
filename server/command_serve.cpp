#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>

#include <unistd.h>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "media/live_meetings.hpp"
#include "media/stream_graph.hpp"
#include "realtime/edge_server.hpp"
#include "realtime/ws_connector.hpp"
#include "server/background.hpp"
#include "server/command.hpp"
#include "server/data_directory.hpp"
#include "server/error_reporting.hpp"
#include "server/identity_parts.hpp"
#include "server/platform.hpp"
#include "server/publisher.hpp"
#include "server/recogniser_settings.hpp"
#include "server/service_notify.hpp"
#include "server/settings.hpp"
#include "server/stored_meetings.hpp"
#include "server/watchdog.hpp"
#include "storage/migrations.hpp"
#include "storage/private_cluster.hpp"

namespace qylon::server {
namespace {

constexpr std::chrono::seconds kReplayTimeout{60};
/// How long a thread that must never block may stay silent.
constexpr std::int64_t kStallUs = 5'000'000;
constexpr std::int64_t kCheckUs = 1'000'000;

constexpr std::string_view kHelp =
    R"(qylon serve - take in meetings, show who says what, keep the transcript

  qylon serve [--listen HOST:PORT] [--data-dir DIR] [settings]

Prints `listening on http://HOST:PORT` when it is ready, and how to sign in until somebody has.
Every request needs a user's token, an API key, or the token that `qylon token --data-dir DIR`
prints; only /health answers everybody. Settings come from --config FILE, then from the environment
(--net-threads is QYLON_NET_THREADS), then from flags; the later wins.

Settings:
)";

/// The running server: members in the order in which data flows back from what they use, so that
/// destruction is shutdown in reverse of the data flow.
class Server {
 public:
  Server(const Settings& settings, LogLevel level)
      : settings_(settings),
        log_(clock_,
             level,
             2,
             settings.log_format == "json" ? LogFormat::kJson : LogFormat::kLogfmt) {}

  Status start(const ListenAddress& address);
  int port() const { return edge_->port(); }
  bool is_new() const { return identity_->is_new(); }
  const Log& log() const { return log_; }
  std::unique_ptr<Watchdog> make_watchdog();
  /// Takes over what may change while it runs.
  Status reload(LogLevel level) {
    log_.set_threshold(level);
    return edge_->reload_tls();
  }
  void stop();

 private:
  Status start_storage();
  Status open_database();
  Status open_journal();
  Status store_journalled_captions();
  Status start_media();
  Status start_edge(const ListenAddress& address);
  std::string in_data_dir(std::string_view name) const {
    return (std::filesystem::path(settings_.data_dir) / name).string();
  }

  const Settings& settings_;
  SystemClock clock_;
  Log log_;
  Counters counters_;
  std::unique_ptr<api::ErrorReports> reports_;  // Null without. Hears of errors until the end.
  std::unique_ptr<Publisher> publisher_;        // The writer's and the database's last jobs use it.
  std::unique_ptr<storage::PrivateCluster> cluster_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Background> background_;
  std::unique_ptr<storage::Journal> journal_;
  std::unique_ptr<storage::CaptionWriter> writer_;
  std::unique_ptr<media::Recorder> recorder_;
  std::unique_ptr<realtime::WsConnector> connector_;
  std::unique_ptr<models::Recogniser> recogniser_;
  std::shared_ptr<const diarization::EmbeddingModel> voice_model_;
  std::unique_ptr<StoredMeetings> stored_;
  std::unique_ptr<media::LiveMeetings> live_;
  std::unique_ptr<IdentityParts> identity_;
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<realtime::EdgeServer> edge_;
};

Status Server::start(const ListenAddress& address) {
  auto reports = report_errors(settings_, {log_, clock_, counters_});
  if (!reports) return reports.error();
  reports_ = *std::move(reports);
  Status status = make_private_directory(settings_.data_dir);
  if (status) status = start_storage();
  if (status) status = start_media();
  if (status) status = start_edge(address);
  return status;
}

Status Server::start_storage() {
  Status status = open_database();
  if (status) status = open_journal();
  if (status) status = store_journalled_captions();
  if (!status) return status;
  auto background = Background::start(
      settings_, {.database = *database_, .clock = clock_, .log = log_, .counters = counters_});
  if (!background) return background.error();
  background_ = *std::move(background);
  return ok();
}

Status Server::open_database() {
  storage::Database::Options options;
  options.connections = static_cast<int>(settings_.database_connections);
  std::string owner_url = settings_.database_url;
  if (owner_url.empty()) {
    auto cluster = storage::PrivateCluster::start(
        {.data_dir = settings_.data_dir, .bin_dir = settings_.postgres_bin_dir}, log_);
    if (!cluster) return cluster.error();
    cluster_ = *std::move(cluster);
    owner_url = cluster_->owner_url();
    options.url = cluster_->url();
  }
  const auto migrated = storage::migrate(owner_url, log_);
  if (!migrated) return migrated.error();
  if (!cluster_) options.url = owner_url;
  auto database = storage::Database::open(options, log_, counters_, clock_);
  if (!database) return database.error();
  database_ = *std::move(database);
  return ok();
}

Status Server::open_journal() {
  storage::Journal::Options options;
  options.dir = in_data_dir("journal");
  options.spool.segment_bytes = static_cast<std::size_t>(settings_.journal_segment_bytes);
  options.key_file = settings_.journal_key_file;
  options.spool.bytes_max = settings_.journal_bytes_max;
  options.spool.stream_free_bytes_min = settings_.free_bytes_min;
  options.spool.stream_free_percent_min = static_cast<int>(settings_.free_percent_min);
  auto journal = storage::Journal::open(options, log_, counters_, clock_);
  if (!journal) return journal.error();
  journal_ = *std::move(journal);
  const auto reread = [this](const storage::CaptionWriter::Sink& take) {
    return storage::reread_captions(*journal_, take);
  };
  writer_ = std::make_unique<storage::CaptionWriter>(
      storage::CaptionWriter::Options{},
      storage::CaptionWriter::Events{
          .on_stored = [this](MeetingId meeting,
                              std::uint64_t offset) { journal_->settle(meeting, offset); },
          .reread = reread},
      *database_,
      log_,
      counters_,
      clock_);
  reread([this](CaptionPtr caption) { writer_->add(std::move(caption)); });
  return ok();
}

/// What a crash left in the journal is in PostgreSQL before anybody can ask for it.
Status Server::store_journalled_captions() {
  auto stored = std::make_shared<std::promise<Status>>();
  auto answer = stored->get_future();
  writer_->flush([stored](const Status& status) { stored->set_value(status); });
  if (answer.wait_for(kReplayTimeout) != std::future_status::ready) {
    return Error{ErrorCode::kUnavailable, "PostgreSQL does not take the journal's captions"};
  }
  return answer.get();
}

Status Server::start_media() {
  Status status = media::StreamGraph::init_graphs();
  if (!status) return status;
  auto recorder =
      media::Recorder::create({.directory = in_data_dir("recordings")}, clock_, counters_, log_);
  if (!recorder) return recorder.error();
  recorder_ = *std::move(recorder);
  auto connector = realtime::WsConnector::create({});
  if (!connector) return connector.error();
  connector_ = *std::move(connector);
  auto recogniser = models::make_recogniser(
      recogniser_settings(settings_),
      {.log = log_, .counters = counters_, .clock = clock_, .connector = connector_.get()});
  if (!recogniser) return recogniser.error();
  recogniser_ = *std::move(recogniser);
  auto voice_model = load_voice_model(settings_);
  if (!voice_model) return voice_model.error();
  voice_model_ = *std::move(voice_model);
  return ok();
}

Status Server::start_edge(const ListenAddress& address) {
  publisher_ = std::make_unique<Publisher>(Publisher::Parts{.journal = *journal_,
                                                            .writer = *writer_,
                                                            .database = *database_,
                                                            .recorder = *recorder_,
                                                            .log = log_,
                                                            .counters = counters_,
                                                            .voice_model = voice_model_->name()});
  stored_ = std::make_unique<StoredMeetings>(*database_, *journal_, *publisher_);
  const std::int64_t cores = std::max(2U, std::thread::hardware_concurrency());
  const auto shards = static_cast<int>(settings_.shards > 0 ? settings_.shards : cores - 1);
  const media::Meeting::Parts parts{.clock = clock_,
                                    .counters = counters_,
                                    .sink = *publisher_,
                                    .recorder = recorder_.get(),
                                    .recogniser = *recogniser_,
                                    .voice_model = voice_model_,
                                    .result_sink = {}};
  live_ = std::make_unique<media::LiveMeetings>(
      shards,
      media::Shard::Options{},
      parts,
      *stored_,
      std::make_unique<media::StreamService>(media::StreamService::Options{},
                                             media::StreamService::Deps{log_, counters_, clock_}));
  auto identity = IdentityParts::create(settings_, {*database_, log_, counters_, clock_});
  if (!identity) return identity.error();
  identity_ = *std::move(identity);
  platform_ = std::make_unique<Platform>(platform_options(settings_, background_->link_secret()),
                                         Platform::Parts{.access = identity_->access(),
                                                         .identity_routes = identity_->routes(),
                                                         .clock = clock_,
                                                         .log = log_,
                                                         .counters = counters_,
                                                         .database = *database_,
                                                         .journal = *journal_,
                                                         .control = *live_,
                                                         .voice_model = voice_model_,
                                                         .vault = background_->vault()});
  realtime::EdgeServer::Options options;
  options.host = address.host;
  options.port = address.port;
  options.also_ports = parse_ports(settings_.also_listen).value();
  options.net_threads = static_cast<int>(settings_.net_threads);
  options.allowed_origins = split_commas(settings_.allowed_origins);
  options.tls_certificate_path = settings_.tls_certificate;
  options.tls_key_path = settings_.tls_key;
  options.memory_bytes_max = static_cast<std::size_t>(settings_.memory_bytes_max);
  options.connections_per_peer_max = static_cast<std::size_t>(settings_.connections_per_address);
  auto edge = realtime::EdgeServer::start(options,
                                          {.http = platform_->http(),
                                           .access = identity_->access(),
                                           .ingress = *live_,
                                           .history = *stored_,
                                           .log = log_,
                                           .counters = counters_,
                                           .clock = clock_,
                                           .gate = platform_->gate()});
  if (!edge) return edge.error();
  edge_ = *std::move(edge);
  publisher_->attach(&edge_->hub());
  return ok();
}

std::unique_ptr<Watchdog> Server::make_watchdog() {
  std::vector<Watchdog::Subject> subjects;
  subjects.push_back({"net", [this](const std::shared_ptr<void>& token) {
                        edge_->for_each_net_thread([token] {});
                      }});
  subjects.push_back(
      {"shard", [this](const std::shared_ptr<void>& token) { live_->for_each_shard([token] {}); }});
  return std::make_unique<Watchdog>(
      kStallUs,
      std::move(subjects),
      Watchdog::Parts{.clock = clock_, .log = log_, .counters = counters_});
}

void Server::stop() {
  edge_->drain();
  publisher_->attach(nullptr);
  edge_.reset();
  platform_.reset();  // Its jobs talk to the live meetings.
  live_.reset();      // The last words become finals, and reach the journal.
  background_.reset();
  publisher_->drain();
}

/// Signals are waited for, never handled; every thread started later inherits the mask.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

int fail(const Error& error, int status) {
  std::fprintf(stderr, "qylon serve: %s\n", error.message.c_str());
  return status;
}

void print_ready(const Settings& settings, const ListenAddress& address, const Server& server) {
  const bool brackets = address.host.find(':') != std::string::npos;
  const std::string url = (settings.tls_certificate.empty() ? "http://" : "https://") +
                          (brackets ? "[" + address.host + "]" : address.host) + ":" +
                          std::to_string(server.port());
  std::printf("listening on %s\n", url.c_str());
  if (server.is_new()) {
    // The link itself is a secret, and what is printed here may end in a log.
    std::printf(
        "nobody has signed in yet; for a link: qylon sign-in --server %s --token-file %s/token\n",
        url.c_str(),
        settings.data_dir.c_str());
  }
  std::fflush(stdout);
}

/// Reads the settings again, as at start. A wrong file changes nothing.
void reload(Server& server, const Words& words) {
  Settings settings;
  SettingList list;
  declare(list, settings);
  Status reloaded = read_settings(list, settings, words);
  if (reloaded) reloaded = server.reload(log_level(settings));
  if (reloaded) return server.log().info("settings.reloaded");
  server.log().error("settings.refused", {{"reason", reloaded.error().message}});
}

/// Keeps watch until a signal asks the server to stop, and returns that signal.
int supervise(Server& server,
              const ServiceNotify& notify,
              const sigset_t& signals,
              const Words& words) {
  const auto watchdog = server.make_watchdog();
  const std::int64_t wait_us = std::min(kCheckUs, notify.watchdog_us().value_or(kCheckUs * 2) / 2);
  const timespec wait{wait_us / 1'000'000, wait_us % 1'000'000 * 1000};
  while (true) {
    const int signal = sigtimedwait(&signals, nullptr, &wait);
    if (signal == SIGHUP) {
      notify.send("RELOADING=1");
      reload(server, words);
      notify.send("READY=1");
    } else if (signal > 0) {
      return signal;
    }
    if (watchdog->check() && notify.watchdog_us()) notify.send("WATCHDOG=1");
  }
}

}  // namespace

int run_serve(const Words& words) {
  Settings settings;
  SettingList list;
  declare(list, settings);
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::printf("%s%s", std::string(kHelp).c_str(), list.help().c_str());
    return 0;
  }
  const Status read = read_settings(list, settings, words);
  if (!read) return fail(read.error(), 2);
  const auto address = parse_listen(settings.listen);
  if (!address) return fail(address.error(), 2);

  const ServiceNotify notify = ServiceNotify::from_environment();
  const sigset_t signals = block_signals();
  media::StreamGraph::restrict_plugins();
  Server server(settings, log_level(settings));
  const Status started = server.start(*address);
  if (!started) return fail(started.error(), 1);
  print_ready(settings, *address, server);
  notify.send("READY=1\nSTATUS=taking meetings");
  const int signal = supervise(server, notify, signals, words);
  server.log().info("server.stopping", {{"signal", std::to_string(signal)}});
  notify.send("STOPPING=1\nSTATUS=draining");
  server.stop();
  return 0;
}

}  // namespace qylon::server
