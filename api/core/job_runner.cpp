#include "api/core/job_runner.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "api/core/cron.hpp"
#include "api/core/job_slots.hpp"
#include "core/ids.hpp"
#include "core/sync.hpp"

namespace qylon::api {
namespace {

constexpr std::int64_t kMsUs = 1000;
constexpr int kDoublingsMax = 32;

bool is_final(ErrorCode code) {
  return code == ErrorCode::kInvalidArgument || code == ErrorCode::kForbidden ||
         code == ErrorCode::kNotFound;
}

struct Ended {
  JobTry key;
  JobOutcome outcome;
};

/// Where handlers leave outcomes; outlives the runner for those that come too late.
class Inbox {
 public:
  void push(Ended ended) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ended_.push_back(std::move(ended));
    changed_.notify_one();
  }
  void stop() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  struct News {
    std::vector<Ended> ended;
    bool stopping = false;
  };
  /// What came since the last call, after waiting at most `wait` for anything.
  News take(std::chrono::milliseconds wait) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (ended_.empty() && !stopping_ && wait.count() > 0) changed_.wait_for(mutex_, wait);
    return {std::exchange(ended_, {}), stopping_};
  }

 private:
  Mutex mutex_;
  Condition changed_;
  std::vector<Ended> ended_ QYLON_GUARDED_BY(mutex_);  // At most one a slot.
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
};

}  // namespace

JobHandler in_transaction(storage::Database& database,
                          std::function<Status(storage::Sql&, const Job&)> body) {
  return [&database, body = std::move(body)](const Job& job, const JobDone& done) {
    const bool taken = database.submit([job, body, done](storage::Session& session) {
      const Status status = session.transact([&](pqxx::transaction_base& transaction) -> Status {
        storage::Sql sql(transaction);
        if (finish_jobs(sql, {job.key}) == 0)
          return Error{ErrorCode::kConflict, "the job is no longer this try's"};
        return body(sql, job);
      });
      done({.status = status, .settled = static_cast<bool>(status)});
    });
    if (!taken) done({.status = Error{ErrorCode::kOverloaded, "the database's queue is full"}});
  };
}

class JobRunner::Impl {
 public:
  Impl(const Options& options, const Parts& parts)
      : options_(options), parts_(parts), slots_(options.slots_max, parts.counters) {}
  ~Impl() {
    if (!thread_.joinable()) return;
    inbox_->stop();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  void add_handler(const std::string& kind, JobHandler handler) {
    handlers_[kind] = std::move(handler);
    kinds_.push_back(kind);
  }
  void add_schedule(NewSchedule schedule) { schedules_.push_back(std::move(schedule)); }
  void start() {
    thread_ = std::thread([this] { run(); });
  }

 private:
  std::int64_t now_ms() const { return parts_.clock.monotonic_us() / kMsUs; }

  void run() {
    bool more = true;
    while (true) {
      const auto news = inbox_->take(std::chrono::milliseconds(more ? 0 : options_.poll_ms));
      collect(news.ended);
      if (news.stopping) break;
      keep_clock();
      more = round();
    }
    drain();
  }

  void collect(const std::vector<Ended>& all) {
    for (const Ended& ended : all) {
      slots_.end(ended.key, now_ms());
      if (ended.outcome.settled) {
        slots_.count_ends(1, 0, 1);
      } else if (ended.outcome.status) {
        finished_.push_back(ended.key);
      } else {
        failed_.push_back(failed_try(ended));
      }
    }
  }

  FailedTry failed_try(const Ended& ended) {
    Backoff::Options options = options_.backoff;
    options.seed = static_cast<std::uint64_t>(ended.key.id) * 131 +
                   static_cast<std::uint64_t>(ended.key.attempt) + seed_;
    Backoff backoff(options);
    std::int64_t wait_ms = 0;
    for (int i = 0; i < std::min(ended.key.attempt, kDoublingsMax); ++i)
      wait_ms = backoff.next_ms(ended.outcome.retry_after_ms);
    const Error& error = ended.outcome.status.error();
    return {
        .key = ended.key, .error = error.message, .dead = is_final(error.code), .wait_ms = wait_ms};
  }

  /// What comes by the clock: schedules, expired leases, depth.
  void keep_clock() {
    if (!stored_schedules_) stored_schedules_ = store_schedules();
    if (now_ms() - ticked_ms_ >= kTickMs) {
      ticked_ms_ = now_ms();
      static_cast<void>(parts_.database.transact_and_wait([&](storage::Sql& sql) {
        run_schedules(sql);
        reap_jobs(sql);
        return ok();
      }));
    }
    if (sampled_ms_ == 0 || now_ms() - sampled_ms_ >= options_.sample_ms) {
      sampled_ms_ = std::max<std::int64_t>(1, now_ms());
      static_cast<void>(parts_.database.transact_and_wait([&](storage::Sql& sql) {
        slots_.show(sample_queue(sql, options_.depth_max));
        drop_ended_jobs(sql);
        return ok();
      }));
    }
  }

  bool store_schedules() {
    const Status stored = parts_.database.transact_and_wait([&](storage::Sql& sql) {
      for (const NewSchedule& schedule : schedules_) {
        const Status put = put_schedule(sql, schedule);
        if (!put) return put;
      }
      return ok();
    });
    return static_cast<bool>(stored);
  }

  /// One transaction: ends, leases, claims. True when more is likely to be due now.
  bool round() {
    const bool renew = now_ms() - renewed_ms_ >= options_.lease_ms / 3 && !slots_.empty();
    const bool poll = now_ms() - polled_ms_ >= options_.poll_ms;
    const bool claim = slots_.free() > 0 && (poll || full_ || slots_.free() * 2 >= slots_.max());
    const std::size_t count = claim ? std::min(slots_.free(), options_.batch_max) : 0;
    if (finished_.empty() && failed_.empty() && !renew && !poll && (count == 0 || !full_))
      return false;
    std::vector<Job> jobs;
    const std::vector<JobTry> held_before = slots_.keys();
    std::vector<JobTry> held;
    std::size_t ended = 0;
    const Status status = parts_.database.transact_and_wait([&](storage::Sql& sql) {
      if (!finished_.empty()) ended += finish_jobs(sql, finished_);
      if (!failed_.empty()) ended += fail_jobs(sql, failed_);
      if (renew) held = extend_leases(sql, held_before, options_.lease_ms);
      if (count > 0)
        jobs = claim_jobs(sql, {.kinds = kinds_, .count = count, .lease_ms = options_.lease_ms});
      return ok();
    });
    if (poll) polled_ms_ = now_ms();
    if (!status) return note_away();
    slots_.count_ends(finished_.size(), failed_.size(), ended);
    finished_.clear();
    failed_.clear();
    if (renew || slots_.empty()) renewed_ms_ = now_ms();
    if (renew) slots_.stop_all_but(held);
    full_ = count > 0 && jobs.size() == count;
    begin(jobs);
    return full_ && slots_.free() > 0;
  }

  /// Without PostgreSQL nothing can be renewed: leases that are over are lost.
  bool note_away() {
    full_ = false;
    if (now_ms() - renewed_ms_ >= options_.lease_ms) slots_.stop_all_but({});
    return false;
  }

  void begin(std::vector<Job>& jobs) {
    for (Job& job : jobs) {
      job.stop = slots_.begin(job, now_ms());
      handlers_.at(job.kind)(job, [inbox = inbox_, key = job.key](JobOutcome outcome) {
        inbox->push({key, std::move(outcome)});
      });
    }
  }

  void drain() {
    const std::int64_t until_ms = now_ms() + options_.drain_ms;
    while (!slots_.empty() && now_ms() < until_ms) {
      collect(
          inbox_->take(std::chrono::milliseconds(std::max<std::int64_t>(1, until_ms - now_ms())))
              .ended);
    }
    static_cast<void>(parts_.database.transact_and_wait([&](storage::Sql& sql) {
      finish_jobs(sql, finished_);
      fail_jobs(sql, failed_);
      release_jobs(sql, slots_.keys());
      return ok();
    }));
    slots_.stop_all_but({});
  }

  static constexpr std::int64_t kTickMs = 1000;

  const Options options_;  // Constant after start(), like the next four.
  const Parts parts_;
  std::map<std::string, JobHandler> handlers_;
  std::vector<std::string> kinds_;
  std::vector<NewSchedule> schedules_;
  const std::uint64_t seed_ = Uuid::random().bytes[0] * 65'537ULL + Uuid::random().bytes[1];
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  // Owned by the thread.
  JobSlots slots_;
  std::vector<JobTry> finished_;  // Ends that are not written yet.
  std::vector<FailedTry> failed_;
  bool stored_schedules_ = false;
  bool full_ = true;  // The last claim got all it asked for: there is more.
  std::int64_t ticked_ms_ = 0;
  std::int64_t sampled_ms_ = 0;
  std::int64_t renewed_ms_ = 0;
  std::int64_t polled_ms_ = 0;
  std::thread thread_;
};

JobRunner::JobRunner(const Options& options, const Parts& parts)
    : impl_(std::make_unique<Impl>(options, parts)) {}
JobRunner::~JobRunner() = default;

void JobRunner::handle(const std::string& kind, JobHandler handler) {
  impl_->add_handler(kind, std::move(handler));
}
Status JobRunner::schedule(NewSchedule schedule) {
  const auto cron = Cron::parse(schedule.cron);
  if (!cron) return cron.error();
  impl_->add_schedule(std::move(schedule));
  return ok();
}
void JobRunner::start() {
  impl_->start();
}

}  // namespace qylon::api
