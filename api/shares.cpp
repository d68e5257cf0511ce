#include "api/shares.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "api/http_answers.hpp"
#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "api/shares_json.hpp"
#include "storage/meeting_rights.hpp"
#include "storage/sql.hpp"

namespace qylon::api {
namespace {

using storage::Session;
using storage::Sql;

Error overloaded() {
  return {ErrorCode::kOverloaded, "the database has too much to do; try again in a second"};
}

Status may(Session& session, const Principal& principal, MeetingId meeting, MeetingVerb verb) {
  return verb == MeetingVerb::kSpeak ? storage::may_write(session, principal, meeting)
                                     : storage::may_see(session, principal, meeting);
}

Result<MeetingId> meeting_of(const Call& call) {
  const auto meeting = MeetingId::parse(call.captures[0]);
  if (meeting) return *meeting;
  return Error{ErrorCode::kInvalidArgument, "the meeting's id must be a UUID (RFC 9562)"};
}

std::string digest_text(std::string_view secret) {
  return "\\x" + hex(sha256(secret));
}

/// What the link with `secret` opens now.
Result<MeetingPass> open_link(Session& session, const std::string& secret) {
  std::vector<storage::SqlRow> rows;
  const Status asked = session.transact([&](pqxx::transaction_base& transaction) {
    rows = Sql(transaction)
               .rows(
                   "select meeting, ceil(extract(epoch from expires_at - now()))::bigint from "
                   "share_links"
                   " where secret_sha256 = $1::bytea and revoked_at is null and expires_at > now()",
                   {digest_text(secret)});
    return ok();
  });
  if (!asked) return asked.error();
  if (rows.empty()) {
    return Error{ErrorCode::kUnauthenticated, "the link is unknown, revoked, or has expired"};
  }
  const std::int64_t left_us = std::stoll(rows[0][1].value_or("0")) * 1'000'000;
  return MeetingPass{.meeting = MeetingId::parse(rows[0][0].value_or("")).value(),
                     .verb = MeetingVerb::kSee,
                     .session_us = std::min(left_us, Shares::kShareSessionUs)};
}

/// The first value of `statement` as the answer's body.
HttpResponse row_answer(Session& session,
                        int status,
                        const char* statement,
                        const std::vector<storage::SqlValue>& values) {
  storage::SqlValue value;
  const Status done = session.transact([&](pqxx::transaction_base& transaction) {
    value = Sql(transaction).value(statement, values);
    return ok();
  });
  if (!done) return problem(done.error());
  if (!value) return problem({ErrorCode::kNotFound, "there is no such link"});
  return json_answer(status, *std::move(value));
}

}  // namespace

void Shares::answer_from_database(const HttpReply& reply,
                                  std::function<HttpResponse(Session&)> answer) {
  const bool taken = jobs_.submit(
      [reply, answer = std::move(answer)](Session& session) { reply(answer(session)); });
  if (!taken) reply(problem(overloaded()));
}

void Shares::ask(const Principal& principal, MeetingId meeting, MeetingVerb verb, Answer answer) {
  const bool taken = jobs_.submit([principal, meeting, verb, answer](Session& session) {
    answer(may(session, principal, meeting, verb));
  });
  if (!taken) answer(overloaded());
}

std::vector<Route> Shares::routes() {
  using Handler = void (Shares::*)(const CallPtr&, const HttpReply&);
  const auto take = [this](Handler handler) -> RouteHandler {
    return [this, handler](const CallPtr& call, const HttpReply& reply) {
      (this->*handler)(call, reply);
    };
  };
  using enum Permission;
  const std::string shares = "/api/meetings/{id}/shares";
  return {{"POST", "/api/tickets", kAnyone, take(&Shares::issue_ticket), true},
          {"POST", shares, kWrite, take(&Shares::create), true},
          {"GET", shares, kRead, take(&Shares::list)},
          {"DELETE", shares + "/{share}", kWrite, take(&Shares::revoke)}};
}

HttpResponse Shares::ticket_answer(const Result<MeetingPass>& pass) {
  if (!pass) return problem(pass.error());
  const auto ticket = tickets_.issue(*pass);
  return ticket ? json_answer(201, ticket_to_json(*ticket, *pass)) : problem(ticket.error());
}

void Shares::issue_ticket(const CallPtr& call, const HttpReply& reply) {
  auto asked = parse_ticket_request(call->request.body);
  if (!asked) return reply(problem(asked.error()));
  if (asked->share.empty() && call->principal.role == "anon") {
    return reply(problem({ErrorCode::kUnauthenticated, "log in, or show the secret of a link"}));
  }
  answer_from_database(reply, [this, call, asked = *std::move(asked)](Session& session) {
    if (!asked.share.empty()) return ticket_answer(open_link(session, asked.share));
    const Status allowed = may(session, call->principal, asked.meeting, asked.verb);
    if (!allowed) return problem(allowed.error());
    return ticket_answer(MeetingPass{asked.meeting, asked.verb, kSessionUs});
  });
}

void Shares::create(const CallPtr& call, const HttpReply& reply) {
  const auto meeting = meeting_of(*call);
  if (!meeting) return reply(problem(meeting.error()));
  const auto seconds = parse_share_request(call->request.body);
  if (!seconds) return reply(problem(seconds.error()));
  answer_from_database(reply, [call, id = *meeting, life = *seconds](Session& session) {
    const Status allowed = storage::may_write(session, call->principal, id);
    if (!allowed) return problem(allowed.error());
    const std::string secret = "qys_" + random_token();
    const std::string& user = call->principal.user;
    return row_answer(
        session,
        201,
        "insert into share_links (meeting, secret_sha256, created_by, expires_at)"
        " values ($1::uuid, $2::bytea, $3::uuid, now() + $4::bigint * interval '1 second')"
        " returning jsonb_build_object('id', id, 'meeting', meeting, 'scope', scope,"
        " 'secret', $5::text,"
        " 'path', '/m/' || meeting || '#share=' || $5::text, 'expires_at', expires_at)",
        {id.to_string(),
         digest_text(secret),
         user.empty() ? storage::SqlValue() : storage::SqlValue(user),
         std::to_string(life),
         secret});
  });
}

void Shares::list(const CallPtr& call, const HttpReply& reply) {
  const auto meeting = meeting_of(*call);
  if (!meeting) return reply(problem(meeting.error()));
  answer_from_database(reply, [call, id = *meeting](Session& session) {
    const Status allowed = storage::may_write(session, call->principal, id);
    if (!allowed) return problem(allowed.error());
    return row_answer(
        session,
        200,
        "select jsonb_build_object('shares', coalesce(jsonb_agg(jsonb_build_object('id', id,"
        " 'scope', scope, 'created_by', created_by, 'created_at', created_at,"
        " 'expires_at', expires_at, 'revoked_at', revoked_at) order by created_at, id), '[]'))"
        " from (select * from share_links where meeting = $1::uuid"
        "       order by created_at desc, id limit 500) newest",
        {id.to_string()});
  });
}

void Shares::revoke(const CallPtr& call, const HttpReply& reply) {
  const auto meeting = meeting_of(*call);
  if (!meeting) return reply(problem(meeting.error()));
  answer_from_database(reply, [call, id = *meeting](Session& session) {
    const Status allowed = storage::may_write(session, call->principal, id);
    if (!allowed) return problem(allowed.error());
    return row_answer(session,
                      200,
                      "update share_links set revoked_at = coalesce(revoked_at, now())"
                      " where meeting = $1::uuid and id::text = $2"
                      " returning jsonb_build_object('id', id, 'revoked_at', revoked_at)",
                      {id.to_string(), call->captures[1]});
  });
}

}  // namespace qylon::api
