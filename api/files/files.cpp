#include "api/files/files.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/files/file_sql.hpp"
#include "api/files/file_upload.hpp"
#include "api/http_answers.hpp"

namespace qylon::api {
namespace {

using storage::Session;
using storage::Sql;
using storage::SqlRow;

constexpr std::int64_t kLinkSDefault = 3600;
constexpr std::int64_t kLinkSMax = 7 * 86'400;

/// A query's number; `otherwise` when it is missing, nothing when it is none.
std::optional<std::int64_t> query_number(const HttpRequest& request,
                                         std::string_view name,
                                         std::int64_t otherwise) {
  const std::string_view text = request.query_value(name);
  if (text.empty()) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

Error wrong_number(const char* name) {
  return {ErrorCode::kInvalidArgument, std::string(name) + " is a number from 0"};
}
Error no_file() {
  return {ErrorCode::kNotFound, "there is no such file, or it is not visible to you"};
}

/// One statement as the caller, whose first row is wanted.
Result<SqlRow> one_row(Session& session,
                       const Principal& principal,
                       const std::string& statement,
                       const std::vector<storage::SqlValue>& values) {
  std::vector<SqlRow> rows;
  const Status status = session.transact_as(principal, [&](pqxx::transaction_base& transaction) {
    rows = Sql(transaction).rows(statement, values);
    return ok();
  });
  if (!status) return status.error();
  if (rows.empty()) return no_file();
  return rows[0];
}

}  // namespace

FilesApi::FilesApi(const Options& options, const Parts& parts)
    : store_(options.dir),
      links_(options.link_secret),
      parts_(parts),
      received_(parts.counters.counter("qylon_files_received_bytes_total", "Bytes of uploads")),
      sent_(parts.counters.counter("qylon_files_sent_total", "Files that were asked for")),
      jobs_(parts.database) {}

std::vector<Route> FilesApi::routes() {
  const auto to = [this](void (FilesApi::*handler)(const CallPtr&, const HttpReply&) const) {
    return [this, handler](const CallPtr& call, const HttpReply& reply) {
      (this->*handler)(call, reply);
    };
  };
  const std::string file = "/api/files/{bucket}/{path...}";
  return {
      {"POST", "/api/file-buckets", Permission::kManage, to(&FilesApi::make_bucket)},
      {"GET", "/api/file-buckets", Permission::kRead, to(&FilesApi::list_buckets)},
      {"GET", "/api/files/{bucket}", Permission::kRead, to(&FilesApi::list)},
      {"PUT", file, Permission::kUser, to(&FilesApi::put)},
      {"GET", file, Permission::kRead, to(&FilesApi::get)},
      {"DELETE", file, Permission::kUser, to(&FilesApi::remove)},
      {"POST",
       "/api/file-links/{bucket}/{path...}",
       Permission::kRead,
       to(&FilesApi::make_link),
       true},
      {"GET", "/files", Permission::kOpen, to(&FilesApi::follow_link), true},
  };
}

void FilesApi::run(const HttpReply& reply, Work work) const {
  const bool taken = jobs_.submit([reply, work = std::move(work)](Session& session) {
    auto answer = work(session);
    reply(answer ? *std::move(answer) : problem(answer.error()));
  });
  if (!taken) {
    reply(problem(
        {ErrorCode::kOverloaded, "the database has too much to do; try again in a second"}));
  }
}

void FilesApi::make_bucket(const CallPtr& call, const HttpReply& reply) const {
  run(reply, [call](Session& session) -> Result<HttpResponse> {
    const auto row = one_row(session, call->principal, kInsertBucket, {call->request.body});
    if (!row) return row.error();
    return json_answer(201, (*row)[0].value_or("{}"));
  });
}

void FilesApi::list_buckets(const CallPtr& call, const HttpReply& reply) const {
  run(reply, [call](Session& session) -> Result<HttpResponse> {
    const auto row = one_row(session, call->principal, kListBuckets, {});
    if (!row) return row.error();
    return json_answer(200, (*row)[0].value_or("[]"));
  });
}

void FilesApi::list(const CallPtr& call, const HttpReply& reply) const {
  run(reply, [call](Session& session) -> Result<HttpResponse> {
    const HttpRequest& request = call->request;
    const auto row = one_row(session,
                             call->principal,
                             kListFiles,
                             {call->captures[0],
                              std::string(request.query_value("prefix")),
                              std::string(request.query_value("after"))});
    if (!row) return row.error();
    return json_answer(200, (*row)[0].value_or("[]"));
  });
}

void FilesApi::put(const CallPtr& call, const HttpReply& reply) const {
  const auto offset = query_number(call->request, "offset", 0);
  if (!offset) return reply(problem(wrong_number("offset")));
  received_.add(call->request.body.size());
  run(reply, [this, call, offset = *offset](Session& session) -> Result<HttpResponse> {
    const HttpRequest& request = call->request;
    const std::string& type = request.content_type;
    const auto taken = take_piece(session,
                                  call->principal,
                                  store_,
                                  {.bucket = call->captures[0],
                                   .path = call->captures[1],
                                   .content_type = type.empty() ? "application/octet-stream" : type,
                                   .sha256 = std::string(request.query_value("sha256")),
                                   .offset = offset,
                                   .more = request.query_value("more") == "true",
                                   .bytes = request.body});
    if (!taken) return taken.error();
    return json_answer(taken->finished ? 201 : 202, taken->json);
  });
}

HttpResponse FilesApi::file_answer(const SqlRow& row) const {
  sent_.add();
  HttpResponse response = json_answer(200, "");
  response.content_type = row[1].value_or("application/octet-stream");
  response.file_path = store_.path(row[0].value_or(""));
  // What users upload is never a page of this origin.
  response.headers.emplace_back("Content-Disposition", "attachment");
  return response;
}

void FilesApi::get(const CallPtr& call, const HttpReply& reply) const {
  run(reply, [this, call](Session& session) -> Result<HttpResponse> {
    const auto row =
        one_row(session, call->principal, kFindFile, {call->captures[0], call->captures[1]});
    if (!row) return row.error();
    return file_answer(*row);
  });
}

void FilesApi::remove(const CallPtr& call, const HttpReply& reply) const {
  run(reply, [this, call](Session& session) -> Result<HttpResponse> {
    const auto row =
        one_row(session, call->principal, kDeleteFile, {call->captures[0], call->captures[1]});
    if (!row) return row.error();
    store_.remove((*row)[0].value_or(""));
    HttpResponse response = json_answer(204, "");
    response.content_type.clear();
    return response;
  });
}

void FilesApi::make_link(const CallPtr& call, const HttpReply& reply) const {
  const auto lives_s = query_number(call->request, "expires_s", kLinkSDefault);
  if (!lives_s || *lives_s < 1 || *lives_s > kLinkSMax) {
    return reply(problem(
        {ErrorCode::kInvalidArgument, "expires_s is a number of seconds from 1 to 604800"}));
  }
  const std::int64_t expires_s = parts_.clock.wall_us() / 1'000'000 + *lives_s;
  run(reply, [this, call, expires_s](Session& session) -> Result<HttpResponse> {
    const auto row =
        one_row(session, call->principal, kFindFile, {call->captures[0], call->captures[1]});
    if (!row) return row.error();
    return json_answer(201,
                       R"({"url":"/files?token=)" + links_.make((*row)[2].value_or(""), expires_s) +
                           R"(","expires_at":)" + std::to_string(expires_s) + "}");
  });
}

/// The token is in the query, whose values are never logged.
void FilesApi::follow_link(const CallPtr& call, const HttpReply& reply) const {
  const auto file =
      links_.open(call->request.query_value("token"), parts_.clock.wall_us() / 1'000'000);
  if (!file)
    return reply(problem({ErrorCode::kForbidden, "the link is over, or was not made here"}));
  run(reply, [this, file = *file](Session& session) -> Result<HttpResponse> {
    const auto row = one_row(session, Principal::service(), kFindFileById, {file});
    if (!row) return row.error();
    return file_answer(*row);
  });
}

Status FilesApi::drop_stale_uploads(Sql& sql, const FileStore& store) {
  for (const SqlRow& row : sql.rows(kDeleteStaleUploads))
    store.remove(row[0].value_or(""));
  return ok();
}

}  // namespace qylon::api
