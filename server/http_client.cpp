#include "server/http_client.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace qylon::server {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
constexpr std::chrono::seconds kConnectMax{10};
constexpr std::chrono::seconds kExchangeMax{120};

struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

Error unavailable(const ServerUrl& server, const std::string& what) {
  return {ErrorCode::kUnavailable, server.http("") + ": " + what};
}
std::string reason(int error) {
  return std::error_code(error, std::generic_category()).message();
}

/// False when `deadline` has passed first.
bool wait_until_ready(int fd, short events, SteadyTime deadline) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // The next call on the socket says why.
  }
}

/// 0, or the errno that says why `address` cannot be reached.
int connect_to(const addrinfo& address, int fd) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!wait_until_ready(fd, POLLOUT, std::chrono::steady_clock::now() + kConnectMax)) {
    return ETIMEDOUT;
  }
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

Result<std::unique_ptr<Descriptor>> open_connection(const ServerUrl& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int looked_up =
      getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found);
  if (looked_up != 0) return unavailable(server, gai_strerror(looked_up));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    auto socket = std::make_unique<Descriptor>(
        ::socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol));
    error = socket->fd < 0 ? errno : connect_to(*at, socket->fd);
    if (error == 0) return socket;
  }
  return unavailable(server, reason(error));
}

std::string print_request(const ServerUrl& server, const HttpCall& call) {
  std::string text = call.method + " " + call.path + " HTTP/1.1\r\nHost: " + server.authority() +
                     "\r\nConnection: close\r\nUser-Agent: qylon/" QYLON_VERSION "\r\n";
  if (!call.token.empty()) text += "Authorization: Bearer " + call.token + "\r\n";
  if (!call.body.empty()) text += "Content-Type: application/json\r\n";
  if (call.method != "GET") text += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
  return text + "\r\n" + call.body;
}

Status send_all(int fd, std::string_view bytes, SteadyTime deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN && !wait_until_ready(fd, POLLOUT, deadline)) {
      return Error{ErrorCode::kUnavailable, "takes no request"};
    } else if (errno != EAGAIN && errno != EINTR) {
      return Error{ErrorCode::kUnavailable, reason(errno)};
    }
  }
  return ok();
}

Result<HttpAnswer> receive(int fd, SteadyTime deadline) {
  HttpAnswerParser parser({});
  std::array<char, 16'384> buffer{};
  while (!parser.complete()) {
    const ssize_t count = recv(fd, buffer.data(), buffer.size(), 0);
    Status status = ok();
    if (count > 0) {
      status = parser.feed({buffer.data(), static_cast<std::size_t>(count)});
    } else if (count == 0) {
      status = parser.finish();
    } else if (errno == EAGAIN && !wait_until_ready(fd, POLLIN, deadline)) {
      return Error{ErrorCode::kUnavailable, "does not answer"};
    } else if (errno != EAGAIN && errno != EINTR) {
      return Error{ErrorCode::kUnavailable, reason(errno)};
    }
    if (!status) return status.error();
  }
  return parser.take();
}

}  // namespace

Result<HttpAnswer> http_request(const ServerUrl& server, const HttpCall& call) {
  if (server.tls) {
    return Error{
        ErrorCode::kInvalidArgument,
        "this command speaks plain http only; use http://, or an HTTPS client such as curl "
        "for " +
            server.http("")};
  }
  const auto deadline = std::chrono::steady_clock::now() + kExchangeMax;
  const auto socket = open_connection(server);
  if (!socket) return socket.error();
  const Status sent = send_all((*socket)->fd, print_request(server, call), deadline);
  if (!sent) return unavailable(server, sent.error().message);
  auto answer = receive((*socket)->fd, deadline);
  if (!answer) return Error{answer.error().code, server.http("") + ": " + answer.error().message};
  return answer;
}

}  // namespace qylon::server
