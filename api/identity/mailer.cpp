#include "api/identity/mailer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <thread>

#include <curl/curl.h>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "api/identity/users.hpp"
#include "core/backoff.hpp"
#include "core/bounded_queue.hpp"
#include "core/ids.hpp"
#include "core/sync.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kMailsMax = 1'000;
constexpr std::chrono::minutes kIdle{1};
constexpr long kConnectMaxMs = 10'000;
constexpr long kExchangeMaxMs = 30'000;

/// What is left of a mail that libcurl sends.
struct Unsent {
  std::string_view text;
};

std::size_t give(char* buffer, std::size_t size, std::size_t count, void* user) {
  auto& unsent = *static_cast<Unsent*>(user);
  const std::size_t bytes = std::min(size * count, unsent.text.size());
  std::memcpy(buffer, unsent.text.data(), bytes);
  unsent.text.remove_prefix(bytes);
  return bytes;
}

enum class Outcome : std::uint8_t {
  kSent,
  kLater,  ///< The server cannot take this mail now.
  kAway,   ///< It cannot be talked to.
  kNever,  ///< It will not take this mail.
};

/// By the first digit of the server's last reply (RFC 5321 section 4.2.1).
Outcome outcome_of_failure(CURL* curl) {
  long reply = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
  if (reply >= 500 && reply < 600) return Outcome::kNever;
  return reply >= 400 && reply < 500 ? Outcome::kLater : Outcome::kAway;
}

std::string rfc5322_date(std::int64_t wall_us) {
  const std::time_t seconds = wall_us / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  // English names of days and months: the process never calls setlocale().
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S +0000", &parts);
  return std::string(text.data(), size);
}

}  // namespace

std::string format_mail(const Mail& mail,
                        const std::string& from,
                        const std::string& id,
                        std::int64_t wall_us) {
  std::string text = "Date: " + rfc5322_date(wall_us) + "\r\nFrom: " + from + "\r\nTo: " + mail.to +
                     "\r\nSubject: " + mail.subject + "\r\nMessage-ID: <" + id +
                     from.substr(from.find('@')) +
                     ">\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n\r\n";
  for (const char c : mail.text) {
    if (c == '\n') text += '\r';
    text += c;
  }
  return text;
}

class Mailer::Impl {
 public:
  Impl(Options options, const Deps& deps)
      : options_(std::move(options)),
        deps_(deps),
        sent_(counter("sent")),
        refused_(counter("refused")),
        given_up_(counter("given_up")),
        mails_(kMailsMax),
        thread_([this] { run(); }) {}
  ~Impl() {
    mails_.close();
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  bool send(Mail mail) {
    if (mails_.try_push(std::move(mail))) return true;
    refused_.add();
    return false;
  }

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Letter {
    Mail mail;
    std::string text;
    Backoff backoff;
    int attempts = 0;
  };

  Counter& counter(const std::string& result) {
    return deps_.counters.counter(
        "qylon_mails_total", "Mails by what became of them.", "{result=\"" + result + "\"}");
  }

  void run() {
    while (auto letter = next()) {
      ++letter->attempts;
      const Outcome outcome = deliver(letter->mail, letter->text);
      if (outcome == Outcome::kSent) {
        sent_.add();
      } else if (outcome == Outcome::kNever || letter->attempts >= options_.attempts_max) {
        given_up_.add();
      } else {
        const std::int64_t wait_ms = letter->backoff.next_ms(options_.retry_base_ms);
        const Time due = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
        if (outcome == Outcome::kAway) away_until_ = due;
        later_.emplace(due, *std::move(letter));
      }
    }
  }

  /// The one to try now; waits for it. Nothing when the mailer stops.
  std::optional<Letter> next() {
    while (!mails_.closed()) {
      const Time now = std::chrono::steady_clock::now();
      const Time due = later_.empty() ? now + kIdle : later_.begin()->first;
      if (now < away_until_) {
        wait_until(away_until_);
      } else if (due <= now) {
        return std::move(later_.extract(later_.begin()).mapped());
      } else if (later_.size() >= kMailsMax) {
        wait_until(due);
      } else if (auto mail =
                     mails_.pop_for(std::chrono::ceil<std::chrono::microseconds>(due - now))) {
        return letter_of(*std::move(mail));
      }
    }
    return std::nullopt;
  }

  Letter letter_of(Mail mail) {
    std::string text =
        format_mail(mail, options_.from, hex(random_bytes(16)), deps_.clock.wall_us());
    const Backoff backoff(
        {.base_ms = options_.retry_base_ms, .cap_ms = options_.retry_cap_ms, .seed = ++letters_});
    return {std::move(mail), std::move(text), backoff};
  }

  /// Or until the mailer stops.
  void wait_until(Time until) {
    const MutexLock lock(mutex_);
    while (!stopping_) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= left.zero()) return;
      wake_.wait_for(mutex_, std::chrono::ceil<std::chrono::microseconds>(left));
    }
  }

  /// libcurl asks at least once a second whether to go on.
  static int stops(void* impl, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& self = *static_cast<Impl*>(impl);
    const MutexLock lock(self.mutex_);
    return self.stopping_ ? 1 : 0;
  }

  Outcome deliver(const Mail& mail, const std::string& text) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                   curl_easy_cleanup);
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> to(
        curl_slist_append(nullptr, mail.to.c_str()), curl_slist_free_all);
    if (!curl || !to) return Outcome::kAway;
    Unsent unsent{text};
    curl_easy_setopt(curl.get(), CURLOPT_URL, options_.url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, kConnectMaxMs);
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kExchangeMaxMs);
    // A login is never sent in the clear.
    curl_easy_setopt(
        curl.get(), CURLOPT_USE_SSL, options_.user.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL);
    if (!options_.user.empty()) {
      curl_easy_setopt(curl.get(), CURLOPT_USERNAME, options_.user.c_str());
      curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, options_.password.c_str());
    }
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, options_.from.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, to.get());
    curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, &give);
    curl_easy_setopt(curl.get(), CURLOPT_READDATA, &unsent);
    curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, &stops);
    curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, this);
    const CURLcode code = curl_easy_perform(curl.get());
    if (code == CURLE_OK) return Outcome::kSent;
    deps_.log.warn("mail.not_sent", {{"reason", curl_easy_strerror(code)}});
    return outcome_of_failure(curl.get());
  }

  const Options options_;  // Constant after construction, like the next one.
  const Deps deps_;
  Counter& sent_;
  Counter& refused_;
  Counter& given_up_;
  BoundedQueue<Mail> mails_;
  std::multimap<Time, Letter> later_;  // By when they are due. The thread's, like the next two.
  Time away_until_{};
  std::uint64_t letters_ = 0;
  Mutex mutex_;
  Condition wake_;
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

Mailer::Mailer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Mailer::~Mailer() = default;

Result<std::unique_ptr<Mailer>> Mailer::create(Options options, const Deps& deps) {
  if (!options.url.starts_with("smtp://") && !options.url.starts_with("smtps://")) {
    return Error{ErrorCode::kInvalidArgument,
                 "smtp-url takes smtp://HOST:PORT or smtps://HOST:PORT"};
  }
  const auto from = parse_email(options.from);
  if (!from) return Error{from.error().code, "mail-from: " + from.error().message};
  return std::unique_ptr<Mailer>(new Mailer(std::make_unique<Impl>(std::move(options), deps)));
}

bool Mailer::send(Mail mail) {
  return impl_->send(std::move(mail));
}

}  // namespace qylon::api
