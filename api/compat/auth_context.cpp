#include "api/compat/auth_context.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "api/http_answers.hpp"
#include "api/identity/strict_json.hpp"
#include "api/identity/text_codes.hpp"
#include "core/check.hpp"
#include "core/problem_json.hpp"

namespace qylon::api {
namespace {

std::string text_of(const Json& claims, const char* name) {
  const auto claim = claims.find(name);
  return claim != claims.end() && claim->is_string() ? claim->get<std::string>() : std::string();
}

const Error kDatabaseFull{ErrorCode::kOverloaded,
                          "the database has too much to do; try again in a second"};

struct Letter {
  std::string_view purpose;
  std::string_view subject;
  std::string_view text;
};
constexpr Letter kLetters[]{
    {"signup", "Confirm your address", "Follow this link to confirm your address and sign in:"},
    {"invite", "You have been invited", "Follow this link to accept the invitation and sign in:"},
    {"magiclink", "Your sign-in link", "Follow this link to sign in:"},
    {"recovery", "Reset your password", "Follow this link to sign in and set a new password:"},
    {"email_change", "Confirm your new address", "Follow this link to confirm your new address:"}};

}  // namespace

HttpResponse auth_problem(int status, std::string code, std::string detail) {
  return problem_answer({.status = status, .code = std::move(code), .detail = std::move(detail)});
}

HttpResponse too_many(std::int64_t wait_s, std::string code) {
  HttpResponse response = auth_problem(429, std::move(code), "too many attempts; try again later");
  response.headers.emplace_back("Retry-After", std::to_string(wait_s));
  return response;
}

HttpResponse no_content() {
  HttpResponse response;
  response.status = 204;
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

SignedIn signed_in(const Principal& principal) {
  SignedIn caller{.user = principal.user, .session = {}, .aal = "aal1", .by_key = false};
  const Json claims = Json::parse(principal.claims, nullptr, false);
  if (!claims.is_object()) return caller;
  caller.session = text_of(claims, "session_id");
  if (text_of(claims, "aal") == "aal2") caller.aal = "aal2";
  caller.by_key = claims.contains("key_id");
  return caller;
}

Peer peer_of(const HttpRequest& request) {
  return {std::string(request.header("user-agent")), request.peer_address};
}

AuthContext::AuthContext(Options options, const Parts& parts)
    : options_(std::move(options)),
      parts_(parts),
      passwords_checked_(parts.counters.counter("qylon_auth_passwords_checked_total",
                                                "Passwords that were compared with a hash.")),
      signed_in_(parts.counters.counter("qylon_auth_sign_ins_total",
                                        "Logins by password.",
                                        "{result=\"right\"}")),
      refused_(parts.counters.counter("qylon_auth_sign_ins_total",
                                      "Logins by password.",
                                      "{result=\"refused\"}")) {}

AuthContext::~AuthContext() {
  const MutexLock lock(mutex_);
  while (calls_ > 0)
    idle_.wait(mutex_);
}

/// The last copy of the answer to go away tells that nothing uses the context any more.
HttpReply AuthContext::held(HttpReply reply) const {
  {
    const MutexLock lock(mutex_);
    ++calls_;
  }
  const std::shared_ptr<const AuthContext> hold(this, [](const AuthContext* context) {
    const MutexLock lock(context->mutex_);
    if (--context->calls_ == 0) context->idle_.notify_all();
  });
  return [hold, reply = std::move(reply)](HttpResponse response) { reply(std::move(response)); };
}

Route AuthContext::route(std::string method,
                         std::string pattern,
                         Permission permission,
                         Handler handler) {
  return {.method = std::move(method),
          .pattern = std::move(pattern),
          .permission = permission,
          .handler = [this, handler](const CallPtr& call,
                                     HttpReply reply) { handler(*this, call, held(reply)); },
          .secret = true};
}

void AuthContext::transact(HttpReply reply, Body body) const {
  const bool taken =
      parts_.database.submit([reply, body = std::move(body)](storage::Session& session) {
        HttpResponse response;
        const Status done = session.transact([&](pqxx::transaction_base& transaction) -> Status {
          storage::Sql sql(transaction);
          auto answer = body(sql);
          if (!answer) return answer.error();
          response = *std::move(answer);
          return ok();
        });
        reply(done ? std::move(response) : problem(done.error()));
      });
  if (!taken) reply(problem(kDatabaseFull));
}

void AuthContext::transact_then(HttpReply reply,
                                std::function<std::optional<HttpResponse>(storage::Sql&)> body,
                                std::function<void(HttpReply)> then) const {
  const bool taken = parts_.database.submit(
      [reply, body = std::move(body), then = std::move(then)](storage::Session& session) {
        std::optional<HttpResponse> refusal;
        const Status done = session.transact([&](pqxx::transaction_base& transaction) {
          storage::Sql sql(transaction);
          refusal = body(sql);
          return ok();
        });
        if (!done) return reply(problem(done.error()));
        if (refusal) return reply(*std::move(refusal));
        then(reply);
      });
  if (!taken) reply(problem(kDatabaseFull));
}

Status AuthContext::mail(const OneTime& made,
                         std::string_view purpose,
                         const std::string& email,
                         const std::string& redirect_to) const {
  if (parts_.mailer == nullptr) return ok();
  const auto* const letter =
      std::find_if(std::begin(kLetters), std::end(kLetters), [&](const Letter& candidate) {
        return candidate.purpose == purpose;
      });
  QYLON_CHECK(letter != std::end(kLetters));
  std::string link =
      options_.site_url + "/auth/v1/verify?token=" + made.token + "&type=" + std::string(purpose);
  if (!redirect_to.empty()) link += "&redirect_to=" + percent_encoded(redirect_to);
  const std::string text = std::string(letter->text) + "\n\n" + link +
                           "\n\nOr enter this code: " + made.code +
                           "\n\nBoth are good once and for an hour. If you did not ask for this, "
                           "you need not do anything.\n";
  if (parts_.mailer->send({email, std::string(letter->subject), text})) return ok();
  return Error{ErrorCode::kOverloaded, "too many mails wait to be sent; try again later"};
}

std::string AuthContext::allowed_redirect(std::string_view asked) const {
  const auto is_below = [asked](const std::string& place) {
    // "https://a.example" must not let "https://a.example.evil" in.
    return !place.empty() && asked.starts_with(place) &&
           (asked.size() == place.size() || place.back() == '/' ||
            std::string_view("/?#").find(asked[place.size()]) != std::string_view::npos);
  };
  const bool allowed = is_below(options_.site_url) ||
                       std::any_of(options_.redirects.begin(), options_.redirects.end(), is_below);
  return allowed ? std::string(asked) : options_.site_url;
}

}  // namespace qylon::api
