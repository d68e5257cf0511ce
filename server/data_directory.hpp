#pragma once
/// The database of a data directory, for commands that are run beside the server or without it.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/log.hpp"
#include "core/result.hpp"
#include "storage/cluster_files.hpp"
#include "storage/pg_connection.hpp"
#include "storage/private_cluster.hpp"
#include "storage/sql.hpp"

namespace qylon::server {

/// Makes it when it is missing. Errors: kInvalidArgument with the reason.
Status make_private_directory(const std::string& path);

class DataDirectory {
 public:
  /// Connects to `database_url`, or, when it is empty, to the private PostgreSQL of `dir`, which is
  /// started when no server runs it. `log` must outlive the result.
  /// Errors: kInvalidArgument for a directory that holds no database; those of PrivateCluster.
  static Result<std::unique_ptr<DataDirectory>> open(const std::string& dir,
                                                     const std::string& database_url,
                                                     const Log& log);

  /// One transaction as the server itself.
  Status transact(const std::function<Status(storage::Sql&)>& body);

 private:
  DataDirectory() = default;

  std::optional<storage::ClusterFiles> files_;  // Of a cluster that a server runs.
  std::unique_ptr<storage::PrivateCluster> cluster_;
  std::unique_ptr<storage::PgConnection> connection_;
};

}  // namespace qylon::server
