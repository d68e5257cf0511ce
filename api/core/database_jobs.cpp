#include "api/core/database_jobs.hpp"

#include <utility>

namespace qylon::api {

DatabaseJobs::~DatabaseJobs() {
  close();
}

bool DatabaseJobs::submit(storage::Database::Job job) {
  {
    const MutexLock lock(mutex_);
    if (closed_) return false;
    ++jobs_;
  }
  const bool taken = database_.submit([this, job = std::move(job)](storage::Session& session) {
    job(session);
    finish_one();
  });
  if (!taken) finish_one();
  return taken;
}

void DatabaseJobs::close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  while (jobs_ > 0)
    done_.wait(mutex_);
}

void DatabaseJobs::finish_one() {
  const MutexLock lock(mutex_);
  if (--jobs_ == 0) done_.notify_all();
}

}  // namespace qylon::api
