#include "realtime/first_look.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <ev.h>
#include <sys/socket.h>

#include "realtime/http_response.hpp"

namespace qylon::realtime {
namespace {

constexpr std::string_view kOptions = "OPTIONS * HTTP/1.";

/// METHOD /...%00... HTTP/1.
bool has_nul(std::string_view line) {
  const std::size_t method_bytes = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  if (method_bytes == line.npos || !line.substr(method_bytes).starts_with(" /")) return false;
  const std::size_t end = line.find(" HTTP/1.");
  return end != line.npos && line.substr(0, end).find("%00") != line.npos;
}

/// The answer to a whole head in `bytes`, or empty; a head that comes in pieces is libwebsockets'
/// to refuse.
std::string answer_to(std::string_view bytes) {
  if (bytes.find("\r\n\r\n") == bytes.npos) return {};
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  const ResponseOptions options{.keep_alive = false};
  if (line.starts_with(kOptions))
    return render_response_head(make_options_answer(std::nullopt), 0, options);
  if (!has_nul(line)) return {};
  const HttpResponse problem = make_problem(400, "the path and the query may not have a %00");
  const std::string head = render_response_head(problem, problem.body.size(), options);
  return line.starts_with("HEAD ") ? head : head + problem.body;
}

}  // namespace

FirstLook::FirstLook() = default;

FirstLook::~FirstLook() {
  stop();
}

void FirstLook::start(int fd, struct ev_loop* loop) {
  loop_ = loop;
  readable_ = std::make_unique<ev_io>();
  ev_io_init(
      readable_.get(),
      [](struct ev_loop*, ev_io* io, int) { static_cast<FirstLook*>(io->data)->on_first_bytes(); },
      fd,
      EV_READ);
  readable_->data = this;
  ev_set_priority(readable_.get(), EV_MAXPRI);  // Of those who wait for the socket, first.
  ev_io_start(loop_, readable_.get());
}

void FirstLook::stop() {
  if (readable_ != nullptr) ev_io_stop(loop_, readable_.get());
  readable_.reset();
}

void FirstLook::on_first_bytes() {
  const int fd = readable_->fd;
  stop();
  std::array<char, 2048> bytes;  // NOLINT(*-member-init): read as far as it was written.
  const ssize_t seen = ::recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (seen <= 0) return;
  const std::string answer = answer_to({bytes.data(), static_cast<std::size_t>(seen)});
  if (answer.empty()) return;
  // Unread bytes would make TCP reset the connection, and the peer lose the answer.
  static_cast<void>(::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT));
  static_cast<void>(::send(fd, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  ::shutdown(fd, SHUT_RDWR);  // libwebsockets reads the end, and closes.
}

}  // namespace qylon::realtime
