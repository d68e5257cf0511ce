#include "api/core/outbound.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <curl/curl.h>

#include "api/core/outbound_transfer.hpp"
#include "core/check.hpp"
#include "core/ids.hpp"
#include "core/sync.hpp"
#include "core/token_bucket.hpp"

namespace qylon::api {
namespace {

using TransferPtr = std::unique_ptr<OutboundTransfer>;

constexpr std::int64_t kWaitMsMax = 1000;
constexpr std::int64_t kSlotWaitMs = 10;  // Until a token of the rate is back, at most.
// A tenth of a host's requests may be retries, and a few more after a quiet time.
constexpr double kRetryShare = 0.1;
constexpr double kRetriesMax = 10;

/// What has its own limits.
struct Host {
  Host(const Outbound::Options& options, std::int64_t now_us)
      : breaker(options.breaker),
        rate({.per_s = options.requests_per_host_s,
              .burst = std::max(1.0, options.requests_per_host_s)},
             now_us) {}

  std::size_t active = 0;
  std::deque<TransferPtr> waiting;
  CircuitBreaker breaker;
  TokenBucket rate;
  double retry_budget = 2;
};

bool valid_header(const std::pair<std::string, std::string>& header) {
  const auto is_name = [](unsigned char c) {
    return c > 0x20 && c < 0x7F && c != ':' && c != '"' && c != '(' && c != ')' && c != ',';
  };
  const auto is_value = [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7F); };
  const auto& [name, value] = header;
  return !name.empty() && std::all_of(name.begin(), name.end(), is_name) &&
         std::all_of(value.begin(), value.end(), is_value);
}
bool valid_method(const std::string& method) {
  return !method.empty() && method.size() <= 16 &&
         std::all_of(method.begin(), method.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool asks_again(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

class Outbound::Impl {
 public:
  Impl(const Options& options, const Clock& clock, Counters& counters)
      : options_(options),
        clock_(clock),
        requests_(counters.counter("qylon_outbound_requests_total", "Requests to others' servers")),
        failed_(counters.counter("qylon_outbound_failed_total",
                                 "Requests without an answer, or with one of 5xx")),
        retried_(counters.counter("qylon_outbound_retries_total", "Requests that were sent again")),
        refused_(counters.counter("qylon_outbound_refused_total",
                                  "Requests to addresses that the guard refused")),
        left_alone_(counters.counter("qylon_outbound_left_alone_total",
                                     "Requests to hosts whose breaker was open")),
        overloaded_(counters.counter("qylon_outbound_overloaded_total",
                                     "Requests to hosts with too many waiting")),
        in_flight_(counters.gauge("qylon_outbound_in_flight", "Requests that wait for an answer")) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi_ = curl_multi_init();
    QYLON_CHECK(multi_ != nullptr);
    thread_ = std::thread([this] { run(); });
  }
  ~Impl() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  void send(OutboundRequest request, Done done) QYLON_EXCLUDES(mutex_) {
    auto target = parse_outbound_url(request.url);
    if (!target) return done(target.error());
    if (target->scheme != "https" && !is_allowed(*target))
      return done(Error{ErrorCode::kInvalidArgument, "a URL to call begins with https://"});
    if (!valid_method(request.method) ||
        !std::all_of(request.headers.begin(), request.headers.end(), valid_header))
      return done(Error{ErrorCode::kInvalidArgument, "a method or header may not be sent so"});
    auto transfer =
        std::make_unique<OutboundTransfer>(std::move(request), std::move(done), *target);
    transfer->deadline_ms = now_ms() + transfer->request.deadline_ms;
    {
      const MutexLock lock(mutex_);
      inbox_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
  }

 private:
  std::int64_t now_ms() const { return clock_.monotonic_us() / 1000; }
  bool is_allowed(const OutboundTarget& target) const {
    const auto& allowed = options_.allowed;
    return std::find(allowed.begin(), allowed.end(), target.authority()) != allowed.end();
  }

  void run() {
    while (take_inbox()) {
      for (auto& [name, host] : hosts_)
        advance(host);
      int running = 0;
      curl_multi_perform(multi_, &running);
      collect();
      curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait_ms()), nullptr);
    }
    fail_all();
  }

  /// False when it is over. Everything new is with its host then.
  bool take_inbox() QYLON_EXCLUDES(mutex_) {
    std::vector<TransferPtr> taken;
    bool stopping = false;
    {
      const MutexLock lock(mutex_);
      taken.swap(inbox_);
      stopping = stopping_;
    }
    for (TransferPtr& transfer : taken)
      enqueue(std::move(transfer));
    return !stopping;
  }

  void enqueue(TransferPtr transfer) {
    requests_.add();
    Host* const host = find_host(transfer->target.authority());
    if (host == nullptr || host->waiting.size() >= options_.waiting_per_host) {
      overloaded_.add();
      return transfer->done(
          Error{ErrorCode::kOverloaded, "too many requests wait for " + transfer->target.host});
    }
    host->retry_budget = std::min(kRetriesMax, host->retry_budget + kRetryShare);
    host->waiting.push_back(std::move(transfer));
  }

  /// Null when there are too many hosts that are busy.
  Host* find_host(const std::string& name) {
    const auto found = hosts_.find(name);
    if (found != hosts_.end()) return &found->second;
    if (hosts_.size() >= options_.hosts_max) {
      std::erase_if(hosts_, [](const auto& entry) {
        return entry.second.active == 0 && entry.second.waiting.empty();
      });
    }
    if (hosts_.size() >= options_.hosts_max) return nullptr;
    return &hosts_.try_emplace(name, options_, clock_.monotonic_us()).first->second;
  }

  /// Begins what may begin now.
  void advance(Host& host) {
    const std::int64_t now = now_ms();
    std::deque<TransferPtr> later;
    while (!host.waiting.empty()) {
      TransferPtr transfer = std::move(host.waiting.front());
      host.waiting.pop_front();
      if (now >= transfer->deadline_ms) {
        fail(*transfer, "no answer in time");
      } else if (now < transfer->due_ms || host.active >= options_.active_per_host ||
                 !host.rate.try_take(1, clock_.monotonic_us())) {
        later.push_back(std::move(transfer));
      } else if (!host.breaker.try_enter(now)) {
        left_alone_.add();
        fail(*transfer, "it has failed too often and is left alone for a while");
      } else {
        begin(host, std::move(transfer), now);
      }
    }
    host.waiting = std::move(later);
  }

  void begin(Host& host, TransferPtr transfer, std::int64_t now) {
    ++host.active;
    ++transfer->tries;
    in_flight_.add(1);
    CURL* const easy = transfer->prepare(
        transfer->deadline_ms - now, is_allowed(transfer->target), options_.ca_file);
    QYLON_CHECK(curl_multi_add_handle(multi_, easy) == CURLM_OK);
    running_[easy] = std::move(transfer);
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;
      curl_multi_remove_handle(multi_, easy);
      const auto found = running_.find(easy);
      TransferPtr transfer = std::move(found->second);
      running_.erase(found);
      in_flight_.add(-1);
      end(std::move(transfer), code);
    }
  }

  void end(TransferPtr transfer, CURLcode code) {
    Host& host = hosts_.at(transfer->target.authority());
    --host.active;
    auto answer = transfer->take_answer(code);
    const bool refused = !answer && answer.error().code == ErrorCode::kForbidden;
    if (refused) {
      refused_.add();
      host.breaker.give_back();
    } else if (!answer || answer->status >= 500) {
      failed_.add();
      host.breaker.failure(now_ms());
    } else {
      host.breaker.success();
    }
    const bool again = !refused && (!answer || asks_again(answer->status));
    if (again && may_retry(host, *transfer, answer ? answer->retry_after_ms : 0)) {
      host.waiting.push_back(std::move(transfer));
    } else {
      transfer->done(std::move(answer));
    }
  }

  /// Also decides when.
  bool may_retry(Host& host, OutboundTransfer& transfer, std::int64_t at_least_ms) {
    if (!transfer.request.idempotent || transfer.tries > options_.retries_max ||
        host.retry_budget < 1 || host.waiting.size() >= options_.waiting_per_host)
      return false;
    Backoff::Options options = options_.backoff;
    options.seed = ++retry_seed_;
    Backoff backoff(options);
    std::int64_t wait = 0;
    for (int i = 0; i < transfer.tries; ++i)
      wait = backoff.next_ms(at_least_ms);
    transfer.due_ms = now_ms() + wait;
    if (transfer.due_ms >= transfer.deadline_ms) return false;
    host.retry_budget -= 1;
    retried_.add();
    return true;
  }

  void fail(const OutboundTransfer& transfer, const std::string& why) {
    transfer.done(Error{ErrorCode::kUnavailable, transfer.target.host + ": " + why});
  }

  /// Until the next waiting request can begin, or is too old.
  std::int64_t wait_ms() const {
    const std::int64_t now = now_ms();
    std::int64_t wait = kWaitMsMax;
    for (const auto& [name, host] : hosts_) {
      for (const TransferPtr& transfer : host.waiting) {
        wait = std::min(wait, transfer->deadline_ms - now);
        const bool may_begin = host.active < options_.active_per_host;
        if (may_begin) wait = std::min(wait, std::max(kSlotWaitMs, transfer->due_ms - now));
      }
    }
    return std::max<std::int64_t>(0, wait);
  }

  void fail_all() {
    for (auto& [easy, transfer] : running_) {
      curl_multi_remove_handle(multi_, easy);
      fail(*transfer, "the server stops");
    }
    running_.clear();
    for (auto& [name, host] : hosts_) {
      for (const TransferPtr& transfer : host.waiting)
        fail(*transfer, "the server stops");
    }
    hosts_.clear();
  }

  const Options options_;  // Constant after construction.
  const Clock& clock_;
  Counter& requests_;
  Counter& failed_;
  Counter& retried_;
  Counter& refused_;
  Counter& left_alone_;
  Counter& overloaded_;
  Gauge& in_flight_;
  CURLM* multi_ = nullptr;
  // Owned by the thread, like the next two.
  std::map<std::string, Host> hosts_;
  std::unordered_map<void*, TransferPtr> running_;
  std::uint64_t retry_seed_ = Uuid::random().bytes[0];
  Mutex mutex_;
  std::vector<TransferPtr> inbox_ QYLON_GUARDED_BY(mutex_);
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

Outbound::Outbound(const Options& options, const Clock& clock, Counters& counters)
    : impl_(std::make_unique<Impl>(options, clock, counters)) {}
Outbound::~Outbound() = default;

void Outbound::send(OutboundRequest request, Done done) {
  impl_->send(std::move(request), std::move(done));
}

}  // namespace qylon::api
