#pragma once
/// The PostgreSQL that the server runs for itself when it is given none.

#include <chrono>
#include <memory>
#include <string>

#include "core/log.hpp"
#include "core/result.hpp"

namespace qylon::storage {

/// A PostgreSQL 15 cluster in `data_dir`/postgres, created once, supervised, stopped with us.
///
/// It listens on a Unix socket only, in a directory of mode 0700, and admits by peer credentials:
/// only a process with the server's own user id gets in, so there is no secret to keep. When the
/// server is root the cluster runs as `postgres` (or `nobody`), because PostgreSQL refuses root and
/// a database that is taken over must not own the machine.
///
/// Threads: start() and the destructor on one thread, the rest from any. One supervisor thread
///          starts the postmaster again when it dies; when the server itself is killed the kernel
///          asks the postmaster to stop (PR_SET_PDEATHSIG).
/// Cost   : first start 1-3 s (initdb), later starts under 1 s, about 20 MB idle.
class PrivateCluster {
 public:
  struct Options {
    std::string data_dir;  ///< The server's; created when missing. Any length, any parents.
    std::string bin_dir;   ///< Holds initdb and postgres. Empty: Debian's place, then PATH.
    std::chrono::milliseconds start_timeout{60'000};  ///< Crash recovery can take a while.
    std::chrono::milliseconds stop_timeout{10'000};   ///< Then the postmaster is made to quit.
  };

  /// Creates or finds the cluster, ends a postmaster that an earlier, killed server left, starts
  /// it, and returns when it takes connections and the database `qylon` exists.
  /// Errors: kConflict when another server uses `data_dir`; kUnavailable with the reason and the
  ///         path of PostgreSQL's own log otherwise.
  static Result<std::unique_ptr<PrivateCluster>> start(Options options, const Log& log);
  ~PrivateCluster();
  PrivateCluster(const PrivateCluster&) = delete;
  PrivateCluster& operator=(const PrivateCluster&) = delete;
  PrivateCluster(PrivateCluster&&) = delete;
  PrivateCluster& operator=(PrivateCluster&&) = delete;

  /// libpq connection string of the owner of every table: for storage/migrations.hpp.
  std::string owner_url() const;
  /// libpq connection string of the role `qylon_app`, which owns nothing: for Database.
  std::string url() const;
  /// Process id of the running postmaster, or 0 while there is none.
  int postmaster_pid() const;

 private:
  class Impl;
  explicit PrivateCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace qylon::storage
