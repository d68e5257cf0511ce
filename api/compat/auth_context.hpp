#pragma once
/// What every route of /auth/v1 shares.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/core/route_table.hpp"
#include "api/identity/attempts.hpp"
#include "api/identity/identity.hpp"
#include "api/identity/mailer.hpp"
#include "api/identity/users.hpp"
#include "core/counters.hpp"
#include "core/sync.hpp"

namespace qylon::api {

/// An answer with one of GoTrue's codes.
HttpResponse auth_problem(int status, std::string code, std::string detail);
/// 429 over_request_rate_limit, or over_email_send_rate_limit, with Retry-After.
HttpResponse too_many(std::int64_t wait_s, std::string code = "over_request_rate_limit");
HttpResponse no_content();

/// Who calls a route that wants a user.
struct SignedIn {
  std::string user;
  std::string session;  ///< Empty for API keys and tokens of other issuers.
  std::string aal = "aal1";
  bool by_key = false;  ///< An API key: it cannot change who may come in.
};
SignedIn signed_in(const Principal& principal);
Peer peer_of(const HttpRequest& request);

/// Threads : every method from any thread.
class AuthContext {
 public:
  struct Options {
    std::string site_url;                ///< "https://meet.example.org", where links of mails lead.
    std::vector<std::string> redirects;  ///< Other places where links may lead, exact prefixes.
    bool sign_up = false;                ///< Strangers may make accounts.
  };
  /// All must outlive the context.
  struct Parts {
    storage::Database& database;
    Identity& identity;
    Mailer* mailer;  ///< Null: no mail is sent, and addresses are believed.
    Counters& counters;
    const Clock& clock;
  };

  AuthContext(Options options, const Parts& parts);
  /// Waits for the calls under way.
  ~AuthContext();
  AuthContext(const AuthContext&) = delete;
  AuthContext& operator=(const AuthContext&) = delete;
  AuthContext(AuthContext&&) = delete;
  AuthContext& operator=(AuthContext&&) = delete;

  using Handler = void (*)(AuthContext& context, const CallPtr& call, HttpReply reply);
  /// A route whose calls the destructor waits for. Its answers hold secrets.
  Route route(std::string method, std::string pattern, Permission permission, Handler handler);

  /// Runs `body` in one transaction of the server's own and answers with what it returns. An Error
  /// rolls back.
  using Body = std::function<Result<HttpResponse>(storage::Sql&)>;
  void transact(HttpReply reply, Body body) const;
  /// As above for a job that goes on elsewhere: `then` is called after the commit.
  void transact_then(HttpReply reply,
                     std::function<std::optional<HttpResponse>(storage::Sql&)> body,
                     std::function<void(HttpReply)> then) const;

  /// The one-time token goes to `email` as link and code, if the mailer is there and takes it.
  /// Errors: kOverloaded.
  Status mail(const OneTime& made,
              std::string_view purpose,
              const std::string& email,
              const std::string& redirect_to) const;
  /// `asked` when links may lead there, else the site.
  std::string allowed_redirect(std::string_view asked) const;

  const Options& options() const noexcept { return options_; }
  Identity& identity() const noexcept { return parts_.identity; }
  bool sends_mail() const noexcept { return parts_.mailer != nullptr; }
  Moment now() const { return Moment::now(parts_.clock); }
  Counter& passwords_checked() const noexcept { return passwords_checked_; }
  /// Logins by password, that were right or refused.
  Counter& sign_ins(bool right) const noexcept { return right ? signed_in_ : refused_; }

 private:
  HttpReply held(HttpReply reply) const;

  const Options options_;  // Constant after construction, like the next one.
  const Parts parts_;
  Counter& passwords_checked_;
  Counter& signed_in_;
  Counter& refused_;
  mutable Mutex mutex_;
  mutable Condition idle_;
  mutable int calls_ QYLON_GUARDED_BY(mutex_) = 0;
};

}  // namespace qylon::api
