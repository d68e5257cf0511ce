#include "server/host_metrics.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include <sys/resource.h>

#include "realtime/memory_watch.hpp"

namespace qylon::server {
namespace {

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void append(std::string& page,
            const std::string& name,
            const char* type,
            const char* help,
            double value,
            const std::string& labels = {}) {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "%.15g", value);
  page += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + labels +
          " " + number.data() + "\n";
}

void append_open_files(std::string& page) {
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (error) return;
  append(page,
         "process_open_fds",
         "gauge",
         "Open files and sockets.",
         static_cast<double>(std::distance(begin(open), end(open))));
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  append(page,
         "process_max_fds",
         "gauge",
         "Files and sockets that may be open.",
         static_cast<double>(limit.rlim_cur));
}

void append_network(std::string& page) {
  const NetworkBytes bytes = network_bytes(read_file("/proc/net/dev"));
  append(page,
         "node_network_receive_bytes_total",
         "counter",
         "Received over the machine's interfaces, loopback excepted.",
         bytes.received,
         "{device=\"all\"}");
  append(page,
         "node_network_transmit_bytes_total",
         "counter",
         "Sent over them.",
         bytes.sent,
         "{device=\"all\"}");
}

void append_load(std::string& page) {
  double load = 0;
  std::istringstream(read_file("/proc/loadavg")) >> load;
  append(page, "node_load1", "gauge", "The machine's load over a minute.", load);
}

}  // namespace

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

NetworkBytes network_bytes(std::string_view proc_net_dev) {
  NetworkBytes sums;
  std::istringstream lines{std::string(proc_net_dev)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;  // The two lines above the table.
    if (line.substr(0, colon).ends_with(" lo") || line.starts_with("lo:")) continue;
    std::istringstream fields(line.substr(colon + 1));
    std::array<double, 9> values{};  // Received bytes come first, sent bytes ninth.
    for (double& value : values)
      fields >> value;
    sums.received += values.front();
    sums.sent += values.back();
  }
  return sums;
}

std::string host_metrics() {
  std::string page;
  append(page,
         "process_cpu_seconds_total",
         "counter",
         "Processor time, user and system.",
         cpu_seconds());
  append(page,
         "process_resident_memory_bytes",
         "gauge",
         "Resident memory.",
         static_cast<double>(realtime::resident_bytes()));
  append_open_files(page);
  append_network(page);
  append_load(page);
  return page;
}

}  // namespace qylon::server
