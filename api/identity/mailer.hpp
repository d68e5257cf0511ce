#pragma once
/// Mail by SMTP.

#include <cstddef>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/result.hpp"

namespace qylon::api {

struct Mail {
  std::string to;       ///< An address that parse_email() made.
  std::string subject;  ///< ASCII.
  std::string text;     ///< UTF-8, lines end with \n.
};

/// `mail` as RFC 5322 wants it: CRLF, headers, text/plain. `id` is the left side of Message-ID.
std::string format_mail(const Mail& mail,
                        const std::string& from,
                        const std::string& id,
                        std::int64_t wall_us);

/// One thread hands mails to one server, and tries again for some minutes. A mail that the server
/// cannot take now (4yz) waits by itself while others go, one that it refuses for good (5yz) is
/// given up at once; only a server that does not answer keeps all of them waiting.
///
/// Source  : RFC 5321 sections 4.2.1 and 4.5.4.1.
/// Queue   : 1,000 mails; full means refuse (qylon_mails_total{result="refused"}). Besides, 1,000
///           that are tried again; with as many no others go until one of them is due. What waits
///           when the server stops is lost: whoever waits for a mail can ask for another.
/// Threads : send() from any thread, never blocks.
class Mailer {
 public:
  struct Options {
    std::string url{};       ///< smtp://HOST:PORT (STARTTLS when offered) or smtps://HOST:PORT.
    std::string user{};      ///< Empty: no login.
    std::string password{};  ///< Sent over TLS only.
    std::string from{};      ///< "qylon@example.org".
    int attempts_max = 8;
    std::int64_t retry_base_ms = 2'000;
    std::int64_t retry_cap_ms = 300'000;
  };
  struct Deps {
    const Log& log;
    Counters& counters;
    const Clock& clock;
  };

  /// Errors: kInvalidArgument for a URL that is not smtp:// or smtps://, or an address that is
  /// none.
  static Result<std::unique_ptr<Mailer>> create(Options options, const Deps& deps);
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;
  Mailer(Mailer&&) = delete;
  Mailer& operator=(Mailer&&) = delete;

  [[nodiscard]] bool send(Mail mail);

 private:
  class Impl;
  explicit Mailer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace qylon::api
