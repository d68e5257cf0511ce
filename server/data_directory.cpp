#include "server/data_directory.hpp"

#include <filesystem>
#include <utility>

#include <sys/stat.h>

#include "core/principal.hpp"

namespace qylon::server {

Status make_private_directory(const std::string& path) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error) {
    return Error{ErrorCode::kInvalidArgument,
                 "data-dir: cannot make " + path + ": " + error.message()};
  }
  // The private PostgreSQL may run as another user and must reach its own directory below.
  if (made) static_cast<void>(::chmod(path.c_str(), 0711));
  return ok();
}

Result<std::unique_ptr<DataDirectory>> DataDirectory::open(const std::string& dir,
                                                           const std::string& database_url,
                                                           const Log& log) {
  std::unique_ptr<DataDirectory> found(new DataDirectory);
  std::string url = database_url;
  if (url.empty()) {
    std::error_code ignored;
    if (!std::filesystem::exists(dir + "/postgres", ignored))
      return Error{ErrorCode::kInvalidArgument, "data-dir: there is no database in " + dir};
    auto files = storage::ClusterFiles::open(dir);
    if (!files) return files.error();
    const auto postmaster = files->read_postmaster();
    if (postmaster && postmaster->ready) {
      found->files_.emplace(*std::move(files));
      url = found->files_->url("qylon_app", "qylon");
    } else {
      auto cluster = storage::PrivateCluster::start({.data_dir = dir, .bin_dir = {}}, log);
      if (!cluster) return cluster.error();
      found->cluster_ = *std::move(cluster);
      url = found->cluster_->url();
    }
  }
  auto connection = storage::PgConnection::connect({.url = url}, log);
  if (!connection) return connection.error();
  found->connection_ = *std::move(connection);
  return found;
}

Status DataDirectory::transact(const std::function<Status(storage::Sql&)>& body) {
  return connection_->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
    storage::Sql sql(transaction);
    return body(sql);
  });
}

}  // namespace qylon::server
