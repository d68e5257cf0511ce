#include "api/identity/key_ring.hpp"

#include <optional>
#include <vector>

#include "api/identity/jwks_json.hpp"
#include "api/identity/sealed_text.hpp"
#include "core/check.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

struct KeyRing::Keys {
  struct Published {
    std::string kid;
    SigningKey key;
  };
  std::vector<Published> all;  // The one that signs comes first.
  JwtIssuer ours;
  JwtIssuers issuers;  // Ours among them.
};

namespace {

std::string context_of(const std::string& kid) {
  return "signing_keys:" + kid;
}

/// Two servers that start at once make one key.
constexpr std::string_view kLock =
    "select pg_advisory_xact_lock(hashtextextended('signing_keys', 0))";
constexpr std::string_view kDropRetired =
    "delete from signing_keys where retired_at < to_timestamp($1::float8 - $2::float8)";
constexpr std::string_view kRetireOld =
    R"(update signing_keys set retired_at = to_timestamp($1::float8)
        where retired_at is null
          and ($3::boolean or created_at <= to_timestamp($1::float8 - $2::float8)))";
constexpr std::string_view kList =
    R"(select kid, encode(private_key, 'hex'), retired_at is null from signing_keys
        order by retired_at desc nulls first, created_at desc)";
constexpr std::string_view kInsert =
    R"(insert into signing_keys (kid, private_key, created_at)
       values ($1, decode($2, 'hex'), to_timestamp($3::float8)))";

void insert_key(storage::Sql& sql, const SealKey& master, const Moment& now) {
  const SigningKey key = SigningKey::generate();
  const auto der = key.private_der();
  const std::string kid = key.thumbprint();
  sql.run(
      kInsert,
      {kid,
       seal_text(master, context_of(kid), {reinterpret_cast<const char*>(der.data()), der.size()}),
       now.sql()});
}

Result<SigningKey> open_key(const SealKey& master,
                            const std::string& kid,
                            const std::string& sealed) {
  const auto der = open_sealed(master, context_of(kid), sealed);
  if (!der) {
    return Error{ErrorCode::kInvalidArgument,
                 "the database's signing keys were sealed with another key: bring back the files "
                 "identity-key and master-keys of the data directory, or delete the rows of "
                 "signing_keys"};
  }
  return SigningKey::from_der({reinterpret_cast<const std::uint8_t*>(der->data()), der->size()});
}

}  // namespace

Result<std::shared_ptr<KeyRing::Keys>> KeyRing::load(storage::Session& session, const Moment& now) {
  bool retire = false;
  {
    const MutexLock lock(mutex_);
    retire = retire_;
  }
  std::vector<storage::SqlRow> rows;
  const Status read = session.transact([&](pqxx::transaction_base& transaction) {
    storage::Sql sql(transaction);
    sql.rows(kLock);
    sql.run(kDropRetired, {now.sql(), std::to_string(options_.publish_retired_s)});
    sql.run(kRetireOld,
            {now.sql(), std::to_string(options_.rotate_after_s), retire ? "true" : "false"});
    rows = sql.rows(kList);
    if (rows.empty() || rows[0][2] != "t") insert_key(sql, master_, now);
    rows = sql.rows(kList);
    return ok();
  });
  if (!read) return read.error();
  auto keys = std::make_shared<Keys>();
  for (const auto& row : rows) {
    auto key = open_key(master_, *row[0], *row[1]);
    if (!key) return key.error();
    const auto point = key->point();
    auto published = JwtKey::es256(point.x, point.y);
    QYLON_CHECK(published);
    keys->ours.keys.emplace(*row[0], *std::move(published));
    keys->all.push_back({*row[0], *std::move(key)});
  }
  return keys;
}

Status KeyRing::refresh(storage::Session& session, const Moment& now) {
  auto loaded = load(session, now);
  if (!loaded) return loaded.error();
  const MutexLock lock(mutex_);
  const auto kids = [](const Keys& keys) {
    std::string text;
    for (const auto& published : keys.all)
      text += published.kid + " ";
    return text;
  };
  if (!keys_ || kids(*keys_) != kids(**loaded)) ++version_;
  (*loaded)->issuers = foreign_;
  (*loaded)->issuers[options_.issuer] = (*loaded)->ours;
  keys_ = *std::move(loaded);
  retire_ = false;
  return ok();
}

void KeyRing::trust(const std::string& issuer,
                    const std::map<std::string, JwtKey, std::less<>>& keys) {
  QYLON_CHECK(issuer != options_.issuer);
  const MutexLock lock(mutex_);
  QYLON_CHECK(keys_);
  JwtIssuer& trusted = foreign_[issuer];
  const auto configured = options_.foreign.find(issuer);
  trusted = configured == options_.foreign.end() ? JwtIssuer() : configured->second;
  trusted.keys.insert(keys.begin(), keys.end());
  auto changed = std::make_shared<Keys>(*keys_);
  changed->issuers[issuer] = trusted;
  keys_ = std::move(changed);
  ++version_;  // What a withdrawn key signed is looked at again.
}

void KeyRing::retire() {
  const MutexLock lock(mutex_);
  retire_ = true;
}

std::shared_ptr<const KeyRing::Keys> KeyRing::keys() const {
  const MutexLock lock(mutex_);
  QYLON_CHECK(keys_);
  return keys_;
}

std::string KeyRing::sign(std::string_view claims) const {
  const auto keys = this->keys();
  return sign_jwt(claims, keys->all.front().key, keys->all.front().kid);
}

std::string KeyRing::jwks() const {
  const auto keys = this->keys();
  std::string text;
  for (const auto& published : keys->all) {
    text += (text.empty() ? "" : ",") + to_jwk(published.key.point(), published.kid);
  }
  return "{\"keys\":[" + text + "]}";
}

std::shared_ptr<const JwtIssuers> KeyRing::issuers() const {
  auto keys = this->keys();
  const JwtIssuers* const issuers = &keys->issuers;
  return {std::move(keys), issuers};
}

std::uint64_t KeyRing::version() const {
  const MutexLock lock(mutex_);
  return version_;
}

}  // namespace qylon::api
