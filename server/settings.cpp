#include "server/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <vector>

namespace qylon::server {

void declare_recogniser(SettingList& list, Settings& settings) {
  list.add({"engine", "", "Speech recogniser."},
           settings.engine,
           {"pocketsphinx", "openai-http", "vosk", "vosk-ws", "sherpa-ws"});
  list.add({"recogniser-workers", "", "Recogniser processes; 0 is one for each core."},
           settings.recogniser_workers,
           {0, 256});
  list.add({"model-dir", "", "Model folder for vosk, or another model for pocketsphinx."},
           settings.model_dir);
  list.add({"language-model", "", "pocketsphinx: text of your field, one sentence a line."},
           settings.language_model);
  list.add({"vosk-library", "", "Name or path of libvosk.so."}, settings.vosk_library);
  list.add({"openai-base-url", "", "openai-http: e.g. http://127.0.0.1:8000/v1."},
           settings.openai_base_url);
  list.add({"openai-key-file", "", "openai-http: file that holds the key."},
           settings.openai_key_file);
  list.add({"openai-model", "", "openai-http: model name."}, settings.openai_model);
  list.add({"openai-timeout-ms", "ms", "openai-http: longest wait for one answer."},
           settings.openai_timeout_ms,
           {100, 600'000});
  list.add({"openai-concurrency", "", "openai-http: requests at once."},
           settings.openai_concurrency,
           {1, 64});
  list.add({"websocket-url", "", "vosk-ws, sherpa-ws: address of the recogniser's server."},
           settings.websocket_url);
  list.add({"voice-model", "", "Weights for telling voices apart; empty: the ones built in."},
           settings.voice_model);
}

void declare_identity(SettingList& list, Settings& settings) {
  list.add({"site-url", "", "Where people reach this server; empty: http:// and --listen."},
           settings.site_url);
  list.add({"sign-up", "", "Let strangers make accounts."}, settings.sign_up);
  list.add({"auth-redirects", "", "Where links of mails may lead beside us, comma-separated."},
           settings.auth_redirects);
  list.add({"smtp-url", "", "Mail server, smtp://HOST:PORT or smtps://HOST:PORT; empty: no mail."},
           settings.smtp_url);
  list.add({"smtp-user", "", "Login at the mail server; it is sent over TLS only."},
           settings.smtp_user);
  list.add({"smtp-password-file", "", "File that holds the password of smtp-user."},
           settings.smtp_password_file);
  list.add({"mail-from", "", "Sender of our mails."}, settings.mail_from);
  list.add({"trusted-issuer", "", "Whose users may come in too: the `iss` of their tokens."},
           settings.trusted_issuer);
  list.add({"trusted-secret-file", "", "File with that issuer's HS256 secret."},
           settings.trusted_secret_file);
  list.add({"trusted-jwks-file", "", "File with that issuer's public keys (RFC 7517)."},
           settings.trusted_jwks_file);
  list.add({"trusted-jwks-url", "", "Where that issuer publishes them."},
           settings.trusted_jwks_url);
}

void declare_language_model(SettingList& list, Settings& settings) {
  list.add({"llm-base-url", "", "Language model, e.g. https://api.openai.com/v1; empty: none."},
           settings.llm_base_url);
  list.add({"llm-dialect", "", "Whose API that server speaks."},
           settings.llm_dialect,
           {"openai", "anthropic"});
  list.add({"llm-key-file", "", "File that holds the key; an organisation may have its own."},
           settings.llm_key_file);
  list.add({"llm-model", "", "Name of the language model."}, settings.llm_model);
  list.add({"llm-timeout-ms", "ms", "Longest wait for one answer of it."},
           settings.llm_timeout_ms,
           {1'000, 600'000});
}

void declare(SettingList& list, Settings& settings) {
  list.add({"listen", "", "HOST:PORT to listen on; port 0 picks a free one."}, settings.listen);
  list.add({"also-listen", "", "Further ports of that host, comma-separated."},
           settings.also_listen);
  list.add(
      {"services", "", "Whose routes are answered: users,orgs,clients,meetings,files; empty: all."},
      settings.services);
  list.add({"data-dir", "", "Everything the server keeps: database, journal, recordings, token."},
           settings.data_dir);
  list.add({"config", "", "File of settings, one `name = value` a line."}, settings.config);
  list.add({"log-level", "", "Least level that is logged."},
           settings.log_level,
           {"debug", "info", "warn", "error"});
  list.add(
      {"log-format", "", "Shape of a line of the log."}, settings.log_format, {"logfmt", "json"});
  list.add({"error-reports-file",
            "",
            "File with the DSN where errors are sent (Sentry's); empty: none."},
           settings.error_reports_file);
  list.add({"requests-per-address", "1/s", "HTTP requests of one address, loopback excepted."},
           settings.requests_per_address,
           {1, 1'000'000});
  list.add({"requests-per-user", "1/s", "HTTP requests of one user or API key."},
           settings.requests_per_user,
           {1, 1'000'000});
  list.add({"requests-per-org", "1/s", "HTTP requests of one organisation."},
           settings.requests_per_org,
           {1, 1'000'000});
  list.add({"allowed-origins", "", "Browser origins beside our own, separated by commas."},
           settings.allowed_origins);
  list.add({"tls-certificate", "", "PEM certificate chain; with --tls-key it turns TLS on."},
           settings.tls_certificate);
  list.add({"tls-key", "", "PEM private key."}, settings.tls_key);
  list.add({"net-threads", "", "Threads for connections."}, settings.net_threads, {1, 64});
  list.add({"shards", "", "Threads for audio; 0 is one less than the cores."},
           settings.shards,
           {0, 256});
  list.add({"database-url", "", "PostgreSQL to use; empty: a private one in the data directory."},
           settings.database_url);
  list.add({"database-connections", "", "Connections to PostgreSQL."},
           settings.database_connections,
           {1, 64});
  list.add({"postgres-bin-dir", "", "Where initdb and postgres are; empty: Debian's place."},
           settings.postgres_bin_dir);
  list.add({"journal-bytes-max", "bytes", "Most that the write-ahead journal may hold."},
           settings.journal_bytes_max,
           {64LL << 20, 1LL << 44});
  list.add({"journal-key-file", "", "File with 64 hex digits that seals the journal (AES-256)."},
           settings.journal_key_file);
  list.add({"free-bytes-min", "bytes", "With less free on the disk no new streams are taken."},
           settings.free_bytes_min,
           {0, 1LL << 50});
  list.add({"free-percent-min", "%", "The same as a part of the disk."},
           settings.free_percent_min,
           {0, 100});
  list.add({"journal-segment-bytes", "bytes", "Size of one file of the journal."},
           settings.journal_segment_bytes,
           {1LL << 20, 1LL << 30});
  list.add({"connections-per-address", "", "Connections that one address may hold open."},
           settings.connections_per_address,
           {1, 100'000});
  list.add(
      {"memory-bytes-max", "bytes", "Over 80 % nobody new is let in; 0: what the machine has."},
      settings.memory_bytes_max,
      {0, 1LL << 44});
  declare_identity(list, settings);
  declare_recogniser(list, settings);
  declare_language_model(list, settings);
}

Status read_settings(SettingList& list, Settings& settings, const std::vector<std::string>& words) {
  // Flags are read twice: first for --config, which comes first in the order of sources.
  auto others = list.read_flags(words);
  if (!others) return others.error();
  if (!others->empty()) {
    return Error{ErrorCode::kInvalidArgument, "unexpected word \"" + others->front() + "\""};
  }
  const char* from_environment = std::getenv("QYLON_CONFIG");
  if (settings.config.empty() && from_environment != nullptr) settings.config = from_environment;
  if (!settings.config.empty()) {
    const Status status = list.read_file(settings.config);
    if (!status) return status;
  }
  const char* database_url = std::getenv("DATABASE_URL");
  if (settings.database_url.empty() && database_url != nullptr) {
    settings.database_url = database_url;
  }
  const Status status = list.read_environment([](const char* name) { return std::getenv(name); });
  if (!status) return status;
  others = list.read_flags(words);
  if (!others) return others.error();
  const auto ports = parse_ports(settings.also_listen);
  if (!ports) return ports.error();
  const auto services = parse_services(settings.services);
  return services ? ok() : Status(services.error());
}

LogLevel log_level(const Settings& settings) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warn", "error"};
  const auto at = std::find(kNames.begin(), kNames.end(), settings.log_level);
  return static_cast<LogLevel>(at - kNames.begin());
}

Result<ListenAddress> parse_listen(const std::string& listen) {
  const auto colon = listen.rfind(':');
  int port = -1;
  if (colon != std::string::npos) {
    const char* const end = listen.data() + listen.size();
    const auto parsed = std::from_chars(listen.data() + colon + 1, end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end) port = -1;
  }
  std::string host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (port < 0 || port > 65535 || host.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "listen cannot be \"" + listen +
                     "\"; it takes HOST:PORT, e.g. 127.0.0.1:8080 or [::1]:8080"};
  }
  return ListenAddress{host, port};
}

Result<std::vector<int>> parse_ports(const std::string& text) {
  constexpr std::size_t kPortsMax = 16;
  std::vector<int> ports;
  for (const std::string& word : split_commas(text)) {
    int port = 0;
    const char* const end = word.data() + word.size();
    const auto parsed = std::from_chars(word.data(), end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || port < 1 || port > 65535 ||
        ports.size() == kPortsMax)
      return Error{ErrorCode::kInvalidArgument,
                   "also-listen takes at most 16 ports from 1 to 65535, e.g. 3001,3002"};
    ports.push_back(port);
  }
  return ports;
}

Result<std::vector<std::string>> parse_services(const std::string& text) {
  constexpr std::array<std::string_view, 5> kKnown{"users", "orgs", "clients", "meetings", "files"};
  std::vector<std::string> services = split_commas(text);
  for (const std::string& name : services) {
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end())
      return Error{ErrorCode::kInvalidArgument,
                   "services cannot be \"" + name +
                       "\"; there are users, orgs, clients, meetings and files"};
  }
  return services;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    if (comma > from) parts.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return parts;
}

}  // namespace qylon::server
