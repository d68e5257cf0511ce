#include "realtime/body_socket.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <ev.h>
#include <libwebsockets.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace qylon::realtime {
namespace {

constexpr double kTickS = 0.05;
// The largest TLS record: what one read leaves behind, the next finds in the socket.
constexpr std::size_t kReadBytes = 16 << 10;

enum class Outcome : std::uint8_t { kBytes, kNothing, kEnd };

struct Read {
  Outcome outcome = Outcome::kNothing;
  std::size_t bytes = 0;
};

Read read_plain(int fd, std::array<char, kReadBytes>& buffer) {
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) return {Outcome::kBytes, static_cast<std::size_t>(got)};
  const bool is_temporary = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  return {is_temporary ? Outcome::kNothing : Outcome::kEnd, 0};
}

Read read_tls(SSL* ssl, std::array<char, kReadBytes>& buffer) {
  ERR_clear_error();
  const int got = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
  if (got > 0) return {Outcome::kBytes, static_cast<std::size_t>(got)};
  const int error = SSL_get_error(ssl, got);
  ERR_clear_error();
  const bool is_temporary = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  return {is_temporary ? Outcome::kNothing : Outcome::kEnd, 0};
}

}  // namespace

struct BodySocket::Watchers {
  ev_io readable{};
  ev_timer tick{};
};

BodySocket::BodySocket(lws* wsi, struct ev_loop* loop, Events events)
    : wsi_(wsi), loop_(loop), events_(std::move(events)), watchers_(std::make_unique<Watchers>()) {
  ev_io_init(
      &watchers_->readable,
      [](struct ev_loop*, ev_io* io, int) { static_cast<BodySocket*>(io->data)->read_once(); },
      lws_get_socket_fd(wsi),
      EV_READ);
  ev_timer_init(
      &watchers_->tick,
      [](struct ev_loop*, ev_timer* timer, int) {
        static_cast<BodySocket*>(timer->data)->events_.on_tick();
      },
      kTickS,
      kTickS);
  watchers_->readable.data = this;
  watchers_->tick.data = this;
  ev_timer_start(loop_, &watchers_->tick);
}

BodySocket::~BodySocket() {
  stop();
}

void BodySocket::stop() {
  pause(true);
  ev_timer_stop(loop_, &watchers_->tick);
}

void BodySocket::pause(bool paused) {
  if (paused == (ev_is_active(&watchers_->readable) == 0)) return;
  if (paused) {
    ev_io_stop(loop_, &watchers_->readable);
    return;
  }
  ev_io_start(loop_, &watchers_->readable);
  // Of a TLS record that was read in part the rest makes no socket readable.
  ev_feed_event(loop_, &watchers_->readable, EV_READ);
}

void BodySocket::read_once() {
  // Left uninitialised on purpose: it is read only as far as it was written.
  std::array<char, kReadBytes> buffer;  // NOLINT
  SSL* const ssl = lws_get_ssl(wsi_);
  const Read read =
      ssl != nullptr ? read_tls(ssl, buffer) : read_plain(lws_get_socket_fd(wsi_), buffer);
  if (read.outcome == Outcome::kBytes) events_.on_bytes({buffer.data(), read.bytes});
  if (read.outcome == Outcome::kEnd) events_.on_end();
}

}  // namespace qylon::realtime
