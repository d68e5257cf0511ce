#pragma once
/// What is decided about a caller before a handler runs; the rest is row-level security's.

#include "api/core/route_table.hpp"
#include "core/access.hpp"
#include "core/http.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"

namespace qylon::api {

/// Who sent `request`: its `Authorization: Bearer` token (RFC 6750 section 2.1) and its API key.
/// With X-Org-Id the claims name that organisation as "active_org": app.org() takes it when the
/// caller is a member.
/// Errors: kUnauthenticated; kInvalidArgument for an X-Org-Id that is no UUID.
Result<Principal> identify(const Access& access, const HttpRequest& request);
/// The request shows nothing for itself, but perhaps a cookie: browsers send those unasked, also
/// the ones of other programs on this host.
bool shows_nothing(const HttpRequest& request) noexcept;

/// Whether `caller` may call routes that want `permission`.
/// Errors: kUnauthenticated for "anon" (who could log in), else kForbidden.
Status permit(const Principal& caller, Permission permission);

}  // namespace qylon::api
