#include "server/service_notify.hpp"

#include <array>
#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/unique_fd.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::server {
namespace {

/// A service manager's end of the socket.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + name.size();
    EXPECT_EQ(
        ::bind(
            fd_.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)),
        0);
  }
  std::string received() {
    std::array<char, 256> bytes{};
    const ssize_t got = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return got < 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(got));
  }

 private:
  UniqueFd fd_;
};

TEST(ServiceNotify, ReachesASocketInTheFileSystem) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/notify";
  Manager manager(path);
  ServiceNotify(path, std::nullopt).send("READY=1");
  EXPECT_EQ(manager.received(), "READY=1");
}

TEST(ServiceNotify, ReachesASocketInTheAbstractNamespace) {
  const std::string name = "@qylon-test-" + std::to_string(::getpid());
  Manager manager(name);
  ServiceNotify(name, std::nullopt).send("WATCHDOG=1");
  EXPECT_EQ(manager.received(), "WATCHDOG=1");
}

TEST(ServiceNotify, ChildrenDoNotSeeTheManager) {
  ::setenv("NOTIFY_SOCKET", "/nowhere", 1);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  const ServiceNotify notify = ServiceNotify::from_environment();
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(notify.watchdog_us(), 3'000'000);
}

TEST(ServiceNotify, AWatchdogForAnotherProcessIsNotOurs) {
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid() + 1).c_str(), 1);
  EXPECT_EQ(ServiceNotify::from_environment().watchdog_us(), std::nullopt);
}

TEST(ServiceNotify, WithoutAManagerNothingHappens) {
  ServiceNotify("", std::nullopt).send("READY=1");
  ServiceNotify("/nowhere/notify", std::nullopt).send("READY=1");
}

}  // namespace
}  // namespace qylon::server
