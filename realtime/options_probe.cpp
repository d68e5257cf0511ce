#include "realtime/options_probe.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <ev.h>
#include <sys/socket.h>

#include "realtime/http_response.hpp"

namespace qylon::realtime {
namespace {

constexpr std::string_view kRequest = "OPTIONS * HTTP/1.";

/// A whole head; one that comes in pieces is libwebsockets' to refuse.
bool asks_for_options(std::string_view bytes) {
  return bytes.starts_with(kRequest) && bytes.find("\r\n\r\n") != std::string_view::npos;
}

}  // namespace

OptionsProbe::OptionsProbe() = default;

OptionsProbe::~OptionsProbe() {
  stop();
}

void OptionsProbe::start(int fd, struct ev_loop* loop) {
  loop_ = loop;
  readable_ = std::make_unique<ev_io>();
  ev_io_init(
      readable_.get(),
      [](struct ev_loop*, ev_io* io, int) {
        static_cast<OptionsProbe*>(io->data)->on_first_bytes();
      },
      fd,
      EV_READ);
  readable_->data = this;
  ev_set_priority(readable_.get(), EV_MAXPRI);  // Of those who wait for the socket, first.
  ev_io_start(loop_, readable_.get());
}

void OptionsProbe::stop() {
  if (readable_ != nullptr) ev_io_stop(loop_, readable_.get());
  readable_.reset();
}

void OptionsProbe::on_first_bytes() {
  const int fd = readable_->fd;
  stop();
  std::array<char, 2048> bytes;  // NOLINT(*-member-init): read as far as it was written.
  const ssize_t seen = ::recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (seen <= 0 || !asks_for_options({bytes.data(), static_cast<std::size_t>(seen)})) return;
  // Unread bytes would make TCP reset the connection, and the peer lose the answer.
  static_cast<void>(::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT));
  const std::string answer =
      render_response_head(make_options_answer(std::nullopt), 0, {.keep_alive = false});
  static_cast<void>(::send(fd, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  ::shutdown(fd, SHUT_RDWR);  // libwebsockets reads the end, and closes.
}

}  // namespace qylon::realtime
