#pragma once
/// What a service manager is told: sd_notify(3) without libsystemd, which is one datagram.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qylon::server {

/// The socket that the service manager named in NOTIFY_SOCKET; silent when it named none.
///
/// Threads : one, main.
/// Errors  : a message that cannot be delivered is dropped; the manager's own timeouts judge then.
/// Source  : sd_notify(3), "Standalone Implementations"; systemd.service(5), Type=notify.
class ServiceNotify {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment, so
  /// that no child process speaks for the server.
  static ServiceNotify from_environment();
  /// `socket`: a path, or "@name" in the abstract namespace; empty: nobody listens.
  ServiceNotify(std::string socket, std::optional<std::int64_t> watchdog_us)
      : socket_(std::move(socket)), watchdog_us_(watchdog_us) {}

  /// Lines of sd_notify(3), e.g. "READY=1\nSTATUS=listening".
  void send(std::string_view lines) const;
  /// The manager kills a service that says no "WATCHDOG=1" for so long [microseconds].
  std::optional<std::int64_t> watchdog_us() const noexcept { return watchdog_us_; }

 private:
  std::string socket_;
  std::optional<std::int64_t> watchdog_us_;
};

}  // namespace qylon::server
