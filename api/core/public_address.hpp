#pragma once

struct sockaddr;

namespace qylon::api {

/// Whether `address` is one of the public Internet: not loopback, private, link-local, shared,
/// multicast, reserved, documentation, or an IPv6 form that carries an IPv4 address elsewhere. Of
/// the mapped form (::ffff:a.b.c.d) the IPv4 address counts. False for other families.
///
/// Source: IANA special-purpose address registries (RFC 6890), 2025; IPv6 global unicast 2000::/3.
bool is_public_address(const sockaddr& address) noexcept;

}  // namespace qylon::api
