#include "bench/loadgen/load.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "bench/loadgen/recording_check.hpp"
#include "server/http_client.hpp"

namespace qylon::loadgen {
namespace {

constexpr std::size_t kVoices = 8;
constexpr std::int64_t kPatienceS = 60;  // For what is still on its way after the load.
// A tick of 5 ms sends a packet of 20 ms in time; the connector's thread does the waiting.
constexpr std::chrono::microseconds kTick{5'000};

}  // namespace

Result<std::unique_ptr<Load>> Load::create(const Options& options, OracleLog& log) {
  std::unique_ptr<Load> load(new Load(options, log));
  const Status prepared = load->prepare();
  if (!prepared) return prepared.error();
  return load;
}

Status Load::prepare() {
  const std::size_t voices = std::min(kVoices, static_cast<std::size_t>(options_.uplinks));
  for (std::size_t i = 0; i < voices; ++i) {
    auto voice = SpeechLoop::create(options_.seed * kVoices + i);
    if (!voice) return voice.error();
    voices_.push_back(*std::move(voice));
  }
  for (std::size_t i = 0; i < options_.meetings.size(); ++i)
    captions_.push_back(std::make_unique<CaptionUnion>());
  auto connector = realtime::WsConnector::create({});
  if (!connector) return connector.error();
  connector_ = *std::move(connector);
  zero_us_ = clock_.monotonic_us();
  for (std::int64_t i = 0; i < options_.uplinks; ++i) {
    const Status added = add_uplink(i);
    if (!added) return added;
  }
  for (std::int64_t i = 0; i < options_.viewers; ++i)
    add_viewer(i);
  return ok();
}

Status Load::add_uplink(std::int64_t number) {
  const auto meetings = static_cast<std::int64_t>(options_.meetings.size());
  Uplink::Options options;
  options.name = "uplink " + std::to_string(number);
  options.start_us = zero_us_;
  options.first_us = zero_us_ + options_.ramp_ms * 1000 * number / options_.uplinks;
  options.client.url = options_.via.websocket("/v1/uplink");
  options.client.token = options_.server.token;
  options.client.meeting = options_.meetings[static_cast<std::size_t>(number % meetings)];
  options.client.clock_start_ms = 0;
  options.client.track.track = static_cast<TrackId>(number / meetings);
  options.client.track.label = options.name;
  options.client.track.speaker = options.name;
  options.client.backoff_ms_max = options_.backoff_ms_max;
  options.client.seed = options_.seed * 1'000'003 + static_cast<std::uint64_t>(number);
  const SpeechLoop& speech = voices_[static_cast<std::size_t>(number) % voices_.size()];
  auto uplink = Uplink::create(
      options, {.connector = *connector_, .clock = clock_, .speech = speech, .log = log_});
  if (!uplink) return uplink.error();
  uplinks_.push_back(*std::move(uplink));
  return ok();
}

void Load::add_viewer(std::int64_t number) {
  const std::size_t meeting = static_cast<std::size_t>(number) % options_.meetings.size();
  Viewer::Options options;
  options.url = options_.via.websocket("/v1/subscribe");
  options.token = options_.server.token;
  options.meeting = options_.meetings[meeting];
  options.name = "viewer " + std::to_string(number);
  options.first_us = zero_us_ + options_.ramp_ms * 1000 * number / options_.viewers;
  options.audio_zero_us = zero_us_;
  options.backoff_ms_max = options_.backoff_ms_max;
  options.seed = options_.seed * 1'000'003 + 500'000 + static_cast<std::uint64_t>(number);
  const Viewer::Parts parts{
      .connector = *connector_, .clock = clock_, .all = *captions_[meeting], .log = log_};
  viewers_.push_back(std::make_unique<Viewer>(options, parts));
}

bool Load::step_until(const std::function<bool()>& done, std::int64_t patience_s) {
  const std::int64_t until_us = clock_.monotonic_us() + patience_s * 1'000'000;
  Mutex mutex;
  Condition never;
  while (!done()) {
    if (clock_.monotonic_us() >= until_us) return false;
    for (const auto& uplink : uplinks_)
      uplink->step();
    for (const auto& viewer : viewers_)
      viewer->step();
    const MutexLock lock(mutex);
    never.wait_for(mutex, kTick);
  }
  return true;
}

void Load::run(std::int64_t seconds, const std::function<bool()>& stopped) {
  step_until(stopped, seconds);
  for (const auto& uplink : uplinks_)
    uplink->finish();
  const auto all_done = [this] {
    return std::ranges::all_of(uplinks_, [](const auto& uplink) { return uplink->done(); });
  };
  step_until(all_done, kPatienceS);
  for (const auto& uplink : uplinks_) {
    if (uplink->client().state() != realtime::UplinkClient::State::kDone)
      findings_.add(uplink->name() +
                    ": not everything was acknowledged: " + uplink->client().trouble());
    if (uplink->client().progress().dropped_ms > 0)
      findings_.add(uplink->name() + ": the server was away for longer than sound is kept");
  }
}

/// True when the transcript is complete.
bool Load::end_meeting(MeetingId meeting) {
  const std::string path = "/api/meetings/" + meeting.to_string() + "/end";
  const auto ended = server::http_request(
      options_.server.url,
      {.method = "POST", .path = path, .token = options_.server.token, .body = {}});
  return ended && ended->status == 200;
}

void Load::verify() {
  for (std::size_t i = 0; i < options_.meetings.size(); ++i) {
    const MeetingId meeting = options_.meetings[i];
    if (!step_until([&] { return end_meeting(meeting); }, kPatienceS)) {
      findings_.add("meeting " + meeting.to_string() + " could not be ended");
    } else {
      verify_transcript(i);
    }
  }
  for (const auto& uplink : uplinks_)
    verify_recording(*uplink);
}

void Load::verify_transcript(std::size_t meeting) {
  const std::string id = options_.meetings[meeting].to_string();
  const auto text = server::fetch(options_.server, "/api/meetings/" + id + "/export?format=json");
  if (!text) return findings_.add("transcript: " + text.error().message);
  const auto transcript = parse_transcript(*text);
  if (!transcript) return findings_.add("transcript: " + transcript.error().message);
  const std::uint64_t last = transcript->empty() ? 0 : transcript->back().position.offset;
  const auto everybody_has_it = [&] {
    if (captions_[meeting]->size() < last && !viewers_.empty()) return false;
    for (std::size_t i = meeting; i < viewers_.size(); i += options_.meetings.size()) {
      if (!viewers_[i]->has_all()) return false;
    }
    return true;
  };
  if (!step_until(everybody_has_it, kPatienceS))
    findings_.add("meeting " + id + ": a viewer never got its last caption");
  if (!viewers_.empty()) findings_.add(captions_[meeting]->compare(*transcript));
}

void Load::verify_recording(const Uplink& uplink) {
  const std::string path = "/api/meetings/" + uplink.meeting().to_string() + "/tracks/" +
                           std::to_string(uplink.track()) + "/audio";
  const auto file = server::fetch(options_.server, path);
  if (!file) return findings_.add(uplink.name() + ", recording: " + file.error().message);
  findings_.add(compare_recording(uplink.name(), *file, uplink.speech(), uplink.packets()));
}

LoadReport Load::report() const {
  LoadReport report;
  report.findings = findings_;
  for (const auto& uplink : uplinks_) {
    const UplinkOracle oracle = uplink->oracle();
    report.packets += uplink->packets();
    report.frames_again += oracle.frames_again();
    report.disk_away += oracle.disk_away();
    report.uplink_connections += oracle.welcomes();
    report.settle_times.add(oracle.settle_times());
    report.durable_times.add(oracle.durable_times());
    report.findings.add(oracle.findings());
  }
  for (const auto& viewer : viewers_) {
    const Viewer::Report one = viewer->report();
    report.viewer_connections += one.connections;
    report.deliveries += one.finals;
    report.interims += one.interims;
    report.delays.add(one.delays);
    report.spreads.add(one.spreads);
    report.findings.add(one.findings);
  }
  for (const auto& captions : captions_)
    report.captions += captions->size();
  return report;
}

}  // namespace qylon::loadgen
