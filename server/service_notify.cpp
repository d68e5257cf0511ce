#include "server/service_notify.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/unique_fd.hpp"

namespace qylon::server {
namespace {

/// The variable's value, which no child process gets to see.
std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  return taken;
}

std::optional<std::int64_t> parse_positive(const std::string& text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value <= 0) return std::nullopt;
  return value;
}

}  // namespace

ServiceNotify ServiceNotify::from_environment() {
  std::string socket = take_variable("NOTIFY_SOCKET");
  auto watchdog_us = parse_positive(take_variable("WATCHDOG_USEC"));
  const auto watchdog_pid = parse_positive(take_variable("WATCHDOG_PID"));
  if (watchdog_pid && *watchdog_pid != ::getpid()) watchdog_us.reset();
  return {std::move(socket), watchdog_us};
}

void ServiceNotify::send(std::string_view lines) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return;
  ::sendto(fd.get(),
           lines.data(),
           lines.size(),
           MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address),
           length);
}

}  // namespace qylon::server
