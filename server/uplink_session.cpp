#include "server/uplink_session.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

namespace qylon::server {
namespace {

using State = realtime::UplinkClient::State;

// Between two looks at the client: a second of sound, about 20 ms of encoding.
constexpr int kBlocksAtOnce = 50;
constexpr std::int64_t kGoodbyeUs = 10'000'000;
constexpr std::int64_t kTerminalLineUs = 200'000;
constexpr std::int64_t kPlainLineUs = 5'000'000;

/// A longer line would wrap, and could then not be written over.
std::string cut_to_terminal(std::string line) {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  const std::size_t columns = known ? size.ws_col - std::size_t{1} : 79;
  if (line.size() > columns) line.resize(columns);
  return line;
}

}  // namespace

Interrupts::Interrupts() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

int Interrupts::count() {
  const timespec at_once{};
  while (sigtimedwait(&signals_, nullptr, &at_once) > 0)
    ++count_;
  return count_;
}

UplinkSession::End UplinkSession::run() {
  while (!gave_up_) {
    watch_interrupts();
    feed();
    parts_.client.step();
    const State state = parts_.client.state();
    if (state == State::kDone || state == State::kFailed) break;
    show(false);
    parts_.client.wait(std::chrono::microseconds(wait_us()));
  }
  show(true);
  if (parts_.client.state() == State::kFailed) return End::kRefused;
  if (gave_up_) return End::kInterrupted;
  return source_lost_ ? End::kSourceLost : End::kDone;
}

/// The first interrupt ends the track and waits a little for the last acknowledgements; the second
/// does not wait.
void UplinkSession::watch_interrupts() {
  const int count = parts_.interrupts.count();
  if (count == 0) return;
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (stop_us_ == 0) {
    stop_us_ = now_us + kGoodbyeUs;
    end_track();
  }
  gave_up_ = count > 1 || now_us >= stop_us_;
}

void UplinkSession::end_track() {
  if (ended_) return;
  ended_ = true;
  parts_.client.finish();
}

/// A file begins once somebody listens; a microphone has begun already.
bool UplinkSession::waits_for_server() const {
  return !options_.live && parts_.client.progress().connections == 0;
}

void UplinkSession::feed() {
  more_at_once_ = false;
  if (waits_for_server()) return;
  for (int i = 0; i < kBlocksAtOnce && !ended_; ++i) {
    if (!feed_block()) return;
  }
  more_at_once_ = !ended_;
}

/// False when there is nothing to do before the next wait.
bool UplinkSession::feed_block() {
  if (!block_waits_) {
    const auto pulled = parts_.capture.pull(block_);
    if (!pulled) {
      source_error_ = pulled.error();
      source_lost_ = true;
    }
    if (!pulled || *pulled == media::Capture::Pulled::kEnd) {
      end_track();
      return false;
    }
    if (*pulled == media::Capture::Pulled::kLater) return false;
    meter_.add(block_.samples);
    const auto packet = parts_.encoder.encode(block_.samples);
    packet_.assign(packet.begin(), packet.end());
  }
  block_waits_ = !parts_.client.offer(
      {.payload = packet_, .capture_us = block_.capture_us, .duration_us = media::kCaptureBlockUs});
  return !block_waits_;
}

std::int64_t UplinkSession::wait_us() const {
  if (more_at_once_) return 0;
  const bool nothing_due = ended_ || block_waits_ || !options_.paced || waits_for_server();
  if (nothing_due) return media::kCaptureBlockUs;
  const std::int64_t until_due_us = parts_.capture.due_us() - parts_.clock.monotonic_us();
  return std::clamp<std::int64_t>(until_due_us, 1000, media::kCaptureBlockUs);
}

void UplinkSession::show(bool last) {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (!last && now_us < next_line_us_) return;
  next_line_us_ = now_us + (options_.terminal ? kTerminalLineUs : kPlainLineUs);
  const std::string line = format_uplink_line({.state = parts_.client.state(),
                                               .progress = parts_.client.progress(),
                                               .trouble = parts_.client.trouble(),
                                               .level_dbfs = meter_.take_dbfs(),
                                               .total_ms = parts_.capture.duration_ms(),
                                               .finishing = ended_});
  if (options_.terminal) {
    // Carriage return, the line, and "erase to the end of the line" (ECMA-48, EL).
    std::printf("\r%s\x1b[K%s", cut_to_terminal(line).c_str(), last ? "\n" : "");
  } else {
    std::printf("%s\n", line.c_str());
  }
  std::fflush(stdout);
}

}  // namespace qylon::server
