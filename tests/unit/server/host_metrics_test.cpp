#include "server/host_metrics.hpp"

#include <gtest/gtest.h>

namespace qylon::server {
namespace {

TEST(HostMetrics, ShowProcessorMemoryFilesAndNetwork) {
  const std::string page = host_metrics();
  for (const char* name : {"process_cpu_seconds_total ",
                           "process_resident_memory_bytes ",
                           "process_open_fds ",
                           "process_max_fds ",
                           "node_network_receive_bytes_total{device=\"all\"} ",
                           "node_network_transmit_bytes_total{device=\"all\"} ",
                           "node_load1 "}) {
    const std::size_t at = page.find("\n" + std::string(name));
    ASSERT_NE(at, std::string::npos) << name;
    EXPECT_NE(
        page.find("# TYPE " + std::string(name).substr(0, std::string(name).find_first_of("{ "))),
        std::string::npos)
        << name;
    EXPECT_GE(std::stod(page.substr(at + 1 + std::string(name).size())), 0) << name;
  }
}

// The table's form is that of proc(5).
TEST(NetworkBytes, AreSummedOverInterfacesButLoopback) {
  const NetworkBytes bytes = network_bytes(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
      "    lo:  100       2    0    0    0     0          0         0      100       2    0\n"
      "  eth0: 1000       7    0    0    0     0          0         0      300       3    0\n"
      "veth12:   50       1    0    0    0     0          0         0        8       1    0\n");
  EXPECT_EQ(bytes.received, 1050);
  EXPECT_EQ(bytes.sent, 308);
}

TEST(NetworkBytes, OfNothingAreNone) {
  EXPECT_EQ(network_bytes("").received, 0);
  EXPECT_EQ(network_bytes("eth0: words\n").sent, 0);
}

}  // namespace
}  // namespace qylon::server
