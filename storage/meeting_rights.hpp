#pragma once
/// What a caller may do with a meeting. The one place that says so: it asks row-level security.
///
/// Threads: inside a Database job.

#include "core/ids.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"
#include "storage/database.hpp"

namespace qylon::storage {

/// Errors: kNotFound when there is no such meeting, or none that `principal` sees.
Status may_see(Session& session, const Principal& principal, MeetingId meeting);
/// Errors: as may_see(); kForbidden when `principal` sees it but may not change it.
Status may_write(Session& session, const Principal& principal, MeetingId meeting);

}  // namespace qylon::storage
