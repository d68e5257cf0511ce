#pragma once
/// What lies in <data dir>/postgres: cluster/ (PostgreSQL's data), socket/, postgres.log.
///
/// The directory belongs to the user that PostgreSQL runs as, who may be less trusted than we are,
/// so nothing in it is opened by following a link.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/result.hpp"
#include "core/unique_fd.hpp"
#include "storage/cluster_process.hpp"

namespace qylon::storage {

inline constexpr const char* kClusterName = "cluster";
inline constexpr const char* kNewClusterName = "cluster.new";  ///< While initdb fills it.
inline constexpr const char* kSocketName = "socket";
inline constexpr const char* kLogName = "postgres.log";

class ClusterFiles {
 public:
  /// Creates what is missing. A cluster that exists keeps its user.
  static Result<ClusterFiles> open(const std::string& data_dir);

  const ClusterUser& user() const noexcept { return user_; }
  int fd() const noexcept { return directory_.get(); }
  const std::string& path() const noexcept { return path_; }
  std::string log_path() const { return path_ + "/" + kLogName; }
  /// Where clients in any process of ours find the socket: the path, or, when that would exceed the
  /// 107 bytes of sockaddr_un, our open directory under /proc.
  std::string socket_directory() const;

  /// libpq connection string through that socket, good for as long as this object lives.
  std::string url(std::string_view role, std::string_view database) const;

  bool cluster_exists() const;
  /// Removes what an interrupted initdb left.
  void remove_unfinished();
  /// Makes a finished initdb durable and gives it its name, in that order.
  Status adopt_new_cluster();
  /// Lets exactly our own user in, through the socket, as the two roles.
  Status write_access_rules();
  /// For appending, kept to two files of at most a few megabytes.
  Result<UniqueFd> open_log() const;
  /// The last line of the log, which says why a start failed.
  std::string last_log_line() const;

  /// Process id in postmaster.pid and whether it takes connections.
  struct Postmaster {
    pid_t pid = 0;
    bool ready = false;
  };
  std::optional<Postmaster> read_postmaster() const;
  /// Every postgres process that has the cluster as its working directory, as they all do.
  std::vector<pid_t> processes() const;
  /// Ends what an earlier postmaster left, itself included, and its lock file.
  /// Errors: kUnavailable when a process would not go.
  Status clear_leftovers(std::chrono::milliseconds patience);

 private:
  ClusterFiles(std::string path, UniqueFd directory, ClusterUser user)
      : path_(std::move(path)), directory_(std::move(directory)), user_(user) {}
  void wait_until_none(std::chrono::milliseconds patience) const;
  Status write_file(int directory_fd, const char* name, std::string_view text) const;

  std::string path_;
  UniqueFd directory_;
  ClusterUser user_;
};

}  // namespace qylon::storage
