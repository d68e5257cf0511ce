#include "storage/meeting_rights.hpp"

#include <string>

#include "storage/sql.hpp"

namespace qylon::storage {
namespace {

/// Whether `statement` finds the meeting $1. A role without any right on meetings finds none.
Result<bool> finds(Session& session,
                   const Principal& principal,
                   MeetingId meeting,
                   const char* statement) {
  bool found = false;
  const Status status = session.transact_as(principal, [&](pqxx::transaction_base& transaction) {
    found = !Sql(transaction).rows(statement, {meeting.to_string()}).empty();
    return ok();
  });
  if (status) return found;
  if (status.error().code == ErrorCode::kForbidden) return false;
  return status.error();
}

}  // namespace

Status may_see(Session& session, const Principal& principal, MeetingId meeting) {
  const auto found =
      finds(session, principal, meeting, "select 1 from meetings where id = $1::uuid");
  if (!found) return found.error();
  if (*found) return ok();
  return Error{ErrorCode::kNotFound, "there is no meeting " + meeting.to_string()};
}

Status may_write(Session& session, const Principal& principal, MeetingId meeting) {
  const Status seen = may_see(session, principal, meeting);
  if (!seen || principal.role == "service_role") return seen;
  // A row that is locked must pass the policies of update, too; this lock hinders nobody.
  const auto found = finds(
      session, principal, meeting, "select 1 from meetings where id = $1::uuid for key share");
  if (!found) return found.error();
  if (*found) return ok();
  return Error{ErrorCode::kForbidden, "you may watch this meeting, but not change it"};
}

}  // namespace qylon::storage
