#include "api/identity/foreign_keys.hpp"

#include <utility>

#include "api/identity/jwks_json.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

Outbound::Options only(const std::string& url) {
  const auto target = parse_outbound_url(url);
  QYLON_CHECK(target);
  return {.allowed = {target->authority()}};
}

}  // namespace

ForeignKeys::ForeignKeys(Options options, const Parts& parts)
    : options_(std::move(options)),
      parts_(parts),
      asked_us_(parts.clock.monotonic_us() - kApartUs),
      read_us_(parts.clock.monotonic_us() - kFreshUs),
      outbound_(only(options_.url), parts.clock, parts.counters) {
  freshen(false);
}

void ForeignKeys::freshen(bool refused) {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  std::int64_t asked_us = asked_us_.load();
  if (now_us - asked_us < kApartUs) return;
  if (!refused && now_us - read_us_.load() < kFreshUs) return;
  // Of those who see at the same time that it is time, one asks.
  if (!asked_us_.compare_exchange_strong(asked_us, now_us)) return;
  outbound_.send({.url = options_.url, .answer_bytes_max = kJwksBytesMax, .idempotent = true},
                 [this](const Result<OutboundAnswer>& answer) { take(answer); });
}

void ForeignKeys::take(const Result<OutboundAnswer>& answer) {
  const Status trusted = trust(answer);
  if (trusted) return read_us_.store(parts_.clock.monotonic_us());
  parts_.log.warn("identity.foreign_keys", {{"reason", trusted.error().message}});
}

Status ForeignKeys::trust(const Result<OutboundAnswer>& answer) {
  if (!answer) return answer.error();
  if (answer->status != 200)
    return Error{ErrorCode::kUnavailable, "the answer is " + std::to_string(answer->status)};
  auto keys = parse_jwks(answer->body);
  if (!keys) return keys.error();
  parts_.keys.trust(options_.issuer, *keys);
  return ok();
}

}  // namespace qylon::api
