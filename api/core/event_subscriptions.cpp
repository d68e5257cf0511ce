#include "api/core/event_subscriptions.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "core/backoff.hpp"
#include "core/sync.hpp"

namespace qylon::api {
namespace {

constexpr Backoff::Options kBackoff{.base_ms = 200, .cap_ms = 30'000};

bool wants(const Subscription& subscription, const Event& event) {
  const auto& types = subscription.types;
  return types.empty() || std::find(types.begin(), types.end(), event.type) != types.end();
}

}  // namespace

void restart_subscription(storage::Sql& sql, const std::string& name) {
  lock_checkpoint(sql, name);
  sql.rows("select from event_checkpoints where reader = $1 for update", {name});
  move_checkpoint(sql, name, {});
}

class EventSubscriptions::Impl {
 public:
  Impl(const Options& options, const Parts& parts, Upcasters upcasters)
      : options_(options),
        parts_(parts),
        upcasters_(std::move(upcasters)),
        handled_(parts.counters.counter("qylon_events_handled_total",
                                        "Events that subscriptions have handled")),
        failed_(parts.counters.counter("qylon_events_failed_total",
                                       "Batches of events that a subscription refused")) {}
  ~Impl() {
    if (!thread_.joinable()) return;
    stop();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  void add(Subscription subscription) { readers_.emplace_back(std::move(subscription)); }
  void start() {
    thread_ = std::thread([this] { run(); });
  }

 private:
  void stop() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }

  struct Reader {
    explicit Reader(Subscription wanted) : subscription(std::move(wanted)) {}
    Subscription subscription;
    Backoff backoff{kBackoff};
    std::chrono::steady_clock::time_point not_before{};
  };

  void run() {
    bool more = true;
    while (wait(more)) {
      more = false;
      for (Reader& reader : readers_)
        more = advance(reader) || more;
    }
  }

  /// False when it is over.
  bool wait(bool more) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!more && !stopping_) changed_.wait_for(mutex_, std::chrono::milliseconds(options_.poll_ms));
    return !stopping_;
  }

  /// One batch. True when there is likely more.
  bool advance(Reader& reader) {
    if (std::chrono::steady_clock::now() < reader.not_before) return false;
    std::promise<Result<std::size_t>> answer;
    const bool taken = parts_.database.submit([&](storage::Session& session) {
      std::size_t count = 0;
      const Status status = session.transact([&](pqxx::transaction_base& transaction) {
        storage::Sql sql(transaction);
        return handle_batch(sql, reader.subscription, count);
      });
      answer.set_value(status ? Result<std::size_t>(count) : Result<std::size_t>(status.error()));
    });
    if (!taken) return false;
    const auto count = answer.get_future().get();
    if (!count) {
      note_failure(reader, count.error());
      return false;
    }
    reader.backoff.reset();
    handled_.add(*count);
    return *count == options_.batch_max;
  }

  Status handle_batch(storage::Sql& sql, const Subscription& subscription, std::size_t& count) {
    if (!has_news(sql, subscription.name)) return ok();
    const auto after = lock_checkpoint(sql, subscription.name);
    if (!after) return ok();
    const auto events = read_events(sql, *after, options_.batch_max);
    for (const Event& event : events) {
      if (!wants(subscription, event)) continue;
      const auto current = upcasters_.apply(event);
      if (!current) return current.error();
      set_cause(sql, *current);
      const Status status = subscription.handle(sql, *current);
      if (!status) return status;
    }
    if (!events.empty()) move_checkpoint(sql, subscription.name, events.back().cursor);
    count = events.size();
    return ok();
  }

  void note_failure(Reader& reader, const Error& error) {
    failed_.add();
    reader.not_before =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(reader.backoff.next_ms());
    parts_.log.warn("events.refused",
                    {{"reader", reader.subscription.name}, {"reason", error.message}});
  }

  const Options options_;  // Constant after start(), like the next three.
  const Parts parts_;
  const Upcasters upcasters_;
  std::vector<Reader> readers_;  // Its places are owned by the thread.
  Counter& handled_;
  Counter& failed_;
  Mutex mutex_;
  Condition changed_;
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

EventSubscriptions::EventSubscriptions(const Options& options,
                                       const Parts& parts,
                                       Upcasters upcasters)
    : impl_(std::make_unique<Impl>(options, parts, std::move(upcasters))) {}
EventSubscriptions::~EventSubscriptions() = default;

void EventSubscriptions::add(Subscription subscription) {
  impl_->add(std::move(subscription));
}
void EventSubscriptions::start() {
  impl_->start();
}

}  // namespace qylon::api
