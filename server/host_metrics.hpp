#pragma once
/// What the process takes of its machine, and what is left there, as operators watch it.

#include <string>
#include <string_view>

namespace qylon::server {

/// Prometheus text, under the names that its own clients use for processes and node_exporter for
/// the rest: processor time, memory, open files, bytes over the machine's interfaces, load. What
/// cannot be read is left out. No disk is asked, because one that hangs would hold the caller up.
///
/// Cost   : four small files of /proc and the list of open files.
/// Threads: any.
std::string host_metrics();

/// The sums of what /proc/net/dev says of every interface but loopback.
struct NetworkBytes {
  double received = 0;
  double sent = 0;
};
NetworkBytes network_bytes(std::string_view proc_net_dev);

/// Processor time of this process in seconds, user and system.
double cpu_seconds();

}  // namespace qylon::server
