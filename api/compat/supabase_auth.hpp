#pragma once
/// /auth/v1 as the clients of Supabase Auth (GoTrue) speak it, and /api/keys.
///
/// Errors: problem+json whose `code` is GoTrue's: invalid_credentials, email_not_confirmed,
///         user_already_exists, weak_password, refresh_token_not_found, refresh_token_already_used,
///         over_request_rate_limit, otp_expired, mfa_verification_failed, insufficient_aal, ...

#include <vector>

#include "api/compat/auth_context.hpp"

namespace qylon::api {

/// All routes. `context` must outlive their calls, and the router.
std::vector<Route> supabase_auth_routes(AuthContext& context);

/// Sign-up and log-in by password, refresh, log-out.
std::vector<Route> login_routes(AuthContext& context);
/// Links and codes by mail.
std::vector<Route> mailbox_routes(AuthContext& context);
/// The signed-in user, the user's sessions and API keys.
std::vector<Route> account_routes(AuthContext& context);
/// Second factors.
std::vector<Route> factor_routes(AuthContext& context);
/// For the server's own token; and what everybody may know.
std::vector<Route> admin_routes(AuthContext& context);

}  // namespace qylon::api
