#pragma once
/// Every setting of the server, declared once. `qylon serve --help` prints the list.

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/log.hpp"

namespace qylon::server {

/// Field = default. Names, units and ranges stand in declare().
struct Settings {
  std::string listen = "127.0.0.1:8080";
  std::string also_listen;
  std::string services;
  std::string data_dir = "qylon-data";
  std::string config;
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::string error_reports_file;
  std::int64_t requests_per_address = 50;
  std::int64_t requests_per_user = 50;
  std::int64_t requests_per_org = 500;
  std::string allowed_origins;
  std::string site_url;
  std::string auth_redirects;
  bool sign_up = false;
  std::string smtp_url;
  std::string smtp_user;
  std::string smtp_password_file;
  std::string mail_from = "qylon@localhost";
  std::string trusted_issuer;
  std::string trusted_secret_file;
  std::string trusted_jwks_file;
  std::string trusted_jwks_url;
  std::string tls_certificate;
  std::string tls_key;
  std::int64_t net_threads = 1;
  std::int64_t shards = 0;
  std::string database_url;
  std::int64_t database_connections = 4;
  std::string postgres_bin_dir;
  std::int64_t journal_bytes_max = 4LL << 30;
  std::string journal_key_file;
  std::int64_t free_bytes_min = 2LL << 30;
  std::int64_t free_percent_min = 10;
  std::int64_t journal_segment_bytes = 16LL << 20;
  std::int64_t connections_per_address = 64;
  std::int64_t memory_bytes_max = 0;
  std::string engine = "pocketsphinx";
  std::int64_t recogniser_workers = 0;
  std::string model_dir;
  std::string language_model;
  std::string vosk_library = "libvosk.so";
  std::string openai_base_url;
  std::string openai_key_file;
  std::string openai_model = "whisper-1";
  std::int64_t openai_timeout_ms = 30'000;
  std::int64_t openai_concurrency = 2;
  std::string websocket_url;
  std::string voice_model;
  std::string llm_dialect = "openai";
  std::string llm_base_url;
  std::string llm_key_file;
  std::string llm_model;
  std::int64_t llm_timeout_ms = 60'000;
};

/// The settings of the recogniser alone, which `qylon transcribe` takes too.
void declare_recogniser(SettingList& list, Settings& settings);
/// Who may come in, of `qylon serve` alone.
void declare_identity(SettingList& list, Settings& settings);
/// The language model, of `qylon serve` alone.
void declare_language_model(SettingList& list, Settings& settings);
/// Everything that `qylon serve` takes. `settings` must outlive `list`.
void declare(SettingList& list, Settings& settings);

/// Reads the file that `words` or QYLON_CONFIG name, then the environment, then `words`.
/// Errors: kInvalidArgument, also for words that are no flags.
Status read_settings(SettingList& list, Settings& settings, const std::vector<std::string>& words);

/// REQUIRES: settings that read_settings() took.
LogLevel log_level(const Settings& settings);

/// `listen` taken apart. Errors: kInvalidArgument that shows the right form.
struct ListenAddress {
  std::string host;
  int port;
};
Result<ListenAddress> parse_listen(const std::string& listen);
/// What stands between the commas of `text`, without the empty ones.
std::vector<std::string> split_commas(const std::string& text);
/// Ports between commas, at most 16. Errors: kInvalidArgument.
Result<std::vector<int>> parse_ports(const std::string& text);
/// Names between commas: whose routes a process answers; nothing: all. Errors: kInvalidArgument
/// that lists the names there are.
Result<std::vector<std::string>> parse_services(const std::string& text);
/// 127.0.0.0/8, ::1 or localhost.
bool is_loopback(const std::string& host);

}  // namespace qylon::server
