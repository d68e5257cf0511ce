// The real server under a stand-in for a service manager (systemd.service(5), Type=notify).

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/unique_fd.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::server {
namespace {

constexpr int kMessageWaitMs = 60'000;

class ManagedServer : public testing::Test {
 protected:
  void SetUp() override {
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory_.path() + "/notify";
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    write_settings("log-level = info\n");
    start(path);
    ASSERT_EQ(next_message(), "READY=1\nSTATUS=taking meetings");
  }

  void TearDown() override {
    if (server_ <= 0) return;
    ::kill(server_, SIGTERM);
    ::waitpid(server_, nullptr, 0);
  }

  void write_settings(const std::string& text) {
    std::ofstream(directory_.path() + "/qylon.conf") << text;
  }

  void start(const std::string& notify_path) {
    server_ = ::fork();
    if (server_ != 0) return;
    ::setenv("NOTIFY_SOCKET", notify_path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "400000", 1);
    const std::string config = directory_.path() + "/qylon.conf";
    const std::string data = directory_.path() + "/data";
    ::execl(QYLON_BINARY,
            "qylon",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--config",
            config.c_str(),
            "--data-dir",
            data.c_str(),
            nullptr);
    ::_exit(127);
  }

  /// Empty when none came within a minute.
  std::string next_message() {
    pollfd watched{socket_.get(), POLLIN, 0};
    if (::poll(&watched, 1, kMessageWaitMs) != 1) return "";
    std::array<char, 512> bytes{};
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(got < 0 ? 0 : got)};
  }
  /// The next one that is not a sign of life.
  std::string next_news() {
    std::string message = next_message();
    while (message == "WATCHDOG=1")
      message = next_message();
    return message;
  }

  const test::TemporaryDirectory directory_;
  UniqueFd socket_;
  pid_t server_ = -1;
};

TEST_F(ManagedServer, GivesSignsOfLifeReloadsAndSaysThatItStops) {
  EXPECT_EQ(next_message(), "WATCHDOG=1");

  write_settings("log-level = warn\n");
  ::kill(server_, SIGHUP);
  EXPECT_EQ(next_news(), "RELOADING=1");
  EXPECT_EQ(next_news(), "READY=1");

  write_settings("log-level = nonsense\n");  // Refused with a log line; the server goes on.
  ::kill(server_, SIGHUP);
  EXPECT_EQ(next_news(), "RELOADING=1");
  EXPECT_EQ(next_news(), "READY=1");
  EXPECT_EQ(next_message(), "WATCHDOG=1");

  ::kill(server_, SIGTERM);
  EXPECT_EQ(next_news(), "STOPPING=1\nSTATUS=draining");
  int status = -1;
  ::waitpid(std::exchange(server_, -1), &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace qylon::server
