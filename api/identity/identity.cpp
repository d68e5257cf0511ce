#include "api/identity/identity.hpp"

#include <chrono>
#include <future>

#include "api/identity/attempts.hpp"
#include "api/identity/secret_file.hpp"
#include "api/identity/text_codes.hpp"
#include "storage/sql.hpp"

namespace qylon::api {
namespace {

constexpr std::chrono::seconds kRefreshEvery{10};

}  // namespace

std::string publishable_key(const SealKey& master) {
  return "qyp_" + base64url(derive_secret(master, "publishable key"));
}

Identity::Identity(const Options& options, const SealKey& master, const Deps& deps)
    : deps_(deps),
      keys_(options.keys, master),
      sessions_(options.sessions, keys_, revocations_, derive_secret(master, "refresh tokens")),
      one_time_(derive_secret(master, "one-time codes")),
      factors_(master, derive_secret(master, "recovery codes")),
      passwords_(options.passwords),
      publishable_key_(qylon::api::publishable_key(master)) {}

Result<std::unique_ptr<Identity>> Identity::create(const Options& options,
                                                   const SealKey& master,
                                                   const Deps& deps) {
  std::unique_ptr<Identity> identity(new Identity(options, master, deps));
  const Status ready = identity->refresh_now();
  if (!ready) return ready.error();
  identity->keeper_ = std::thread([raw = identity.get()] { raw->keep_fresh(); });
  return identity;
}

Identity::~Identity() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (keeper_.joinable()) keeper_.join();
}

Status Identity::refresh(storage::Session& session) {
  const Moment now = Moment::now(deps_.clock);
  const Status keyed = keys_.refresh(session, now);
  if (!keyed) return keyed;
  std::vector<std::string> ended;
  const Status swept = session.transact([&](pqxx::transaction_base& transaction) {
    storage::Sql sql(transaction);
    ended = sessions_.sweep(sql, now);
    sweep_attempts(sql, now);
    OneTimeTokens::sweep(sql, now);
    api_keys_.load(sql, now);
    return ok();
  });
  if (swept) revocations_.replace(ended);
  return swept;
}

Status Identity::refresh_now() {
  auto done = std::make_shared<std::promise<Status>>();
  auto answer = done->get_future();
  const bool taken = deps_.database.submit(
      [this, done](storage::Session& session) { done->set_value(refresh(session)); });
  if (!taken) return Error{ErrorCode::kOverloaded, "the database has too much to do"};
  // The job uses this object: it is waited for, and its transactions end within their timeouts.
  return answer.get();
}

void Identity::keep_fresh() {
  mutex_.lock();
  while (!stopping_) {
    wake_.wait_for(mutex_, kRefreshEvery);
    if (stopping_) break;
    mutex_.unlock();
    const Status fresh = refresh_now();
    if (!fresh) deps_.log.warn("identity.stale", {{"reason", fresh.error().message}});
    mutex_.lock();
  }
  mutex_.unlock();
}

}  // namespace qylon::api
