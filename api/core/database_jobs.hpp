#pragma once

#include "core/sync.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// The database jobs of one owner, who is there until the last of them is done.
///
/// Threads : submit() is safe from any thread and never blocks.
class DatabaseJobs {
 public:
  /// `database` must outlive the object.
  explicit DatabaseJobs(storage::Database& database) : database_(database) {}
  /// As close().
  ~DatabaseJobs();
  DatabaseJobs(const DatabaseJobs&) = delete;
  DatabaseJobs& operator=(const DatabaseJobs&) = delete;
  DatabaseJobs(DatabaseJobs&&) = delete;
  DatabaseJobs& operator=(DatabaseJobs&&) = delete;

  /// False when the database's queue is full or after close(): the job will not run.
  [[nodiscard]] bool submit(storage::Database::Job job) QYLON_EXCLUDES(mutex_);
  /// Waits for the jobs under way, about as long as a statement may take. Not from a job.
  void close() QYLON_EXCLUDES(mutex_);

 private:
  void finish_one() QYLON_EXCLUDES(mutex_);

  storage::Database& database_;
  Mutex mutex_;
  Condition done_;
  int jobs_ QYLON_GUARDED_BY(mutex_) = 0;
  bool closed_ QYLON_GUARDED_BY(mutex_) = false;
};

}  // namespace qylon::api
