#pragma once
/// Files in buckets over HTTP.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/core/database_jobs.hpp"
#include "api/core/route_table.hpp"
#include "api/files/file_store.hpp"
#include "api/files/signed_link.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "storage/database.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

/// Routes below /api/files, /api/file-buckets, /api/file-links and /files. Row-level security
/// decides what a caller sees and writes. A body is at most what the edge takes; larger files come
/// in pieces:
/// `?offset=N&more=true`, the last one without `more`.
///
/// Threads : routes' handlers from any thread; their work is done on the database's threads.
class FilesApi {
 public:
  struct Options {
    std::string dir;          ///< Of the blobs; made when it is missing.
    std::string link_secret;  ///< Of the signed links.
  };
  struct Parts {
    storage::Database& database;
    const Clock& clock;
    Counters& counters;
  };
  /// The destructor waits for the database jobs that are under way.
  FilesApi(const Options& options, const Parts& parts);

  std::vector<Route> routes();

  /// Drops uploads that nobody has gone on with for a day.
  static Status drop_stale_uploads(storage::Sql& sql, const FileStore& store);

 private:
  using Work = std::function<Result<HttpResponse>(storage::Session&)>;

  void run(const HttpReply& reply, Work work) const;
  void make_bucket(const CallPtr& call, const HttpReply& reply) const;
  void list_buckets(const CallPtr& call, const HttpReply& reply) const;
  void list(const CallPtr& call, const HttpReply& reply) const;
  void put(const CallPtr& call, const HttpReply& reply) const;
  void get(const CallPtr& call, const HttpReply& reply) const;
  void remove(const CallPtr& call, const HttpReply& reply) const;
  void make_link(const CallPtr& call, const HttpReply& reply) const;
  void follow_link(const CallPtr& call, const HttpReply& reply) const;
  HttpResponse file_answer(const storage::SqlRow& row) const;

  const FileStore store_;
  const SignedLinks links_;
  const Parts parts_;
  Counter& received_;
  Counter& sent_;
  mutable DatabaseJobs jobs_;
};

}  // namespace qylon::api
