#include "api/meetings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include "api/core/database_jobs.hpp"
#include "api/export/transcript_export.hpp"
#include "api/http_answers.hpp"
#include "api/meeting_ends.hpp"
#include "api/meeting_json.hpp"
#include "storage/database.hpp"
#include "storage/meeting_rights.hpp"
#include "storage/meeting_store.hpp"
#include "storage/sql.hpp"

namespace qylon::api {
namespace {

constexpr int kListDefault = 50;
constexpr int kListMax = 200;

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

Error overloaded() {
  return Error{ErrorCode::kOverloaded, "the database has too much to do; try again in a second"};
}

HttpResponse meeting_answer(const Result<MeetingInfo>& meeting, int status = 200) {
  return meeting ? json_answer(status, meeting_to_json(*meeting)) : problem(meeting.error());
}

/// One request on its way through database threads. Jobs share it because std::function copies.
struct Exchange {
  CallPtr call;
  HttpReply reply;
  MeetingId meeting;
  TrackId track = 0;
};
using ExchangePtr = std::shared_ptr<Exchange>;

/// The meeting, and the track when the path has one.
Status read_captures(const std::vector<std::string>& captures, Exchange& exchange) {
  if (!captures.empty()) {
    const auto meeting = MeetingId::parse(captures[0]);
    if (!meeting) return invalid("the meeting's id must be a UUID (RFC 9562)");
    exchange.meeting = *meeting;
  }
  if (captures.size() > 1) {
    const auto track = parse_number<TrackId>(captures[1]);
    if (!track) return invalid("the track must be a number from 0 to 65535");
    exchange.track = *track;
  }
  return ok();
}

/// The server itself sees all, and routes without a meeting answer as their caller.
Status may_see(storage::Session& session, const Exchange& exchange) {
  const Call& call = *exchange.call;
  if (call.captures.empty() || call.principal.role == "service_role") return ok();
  return storage::may_see(session, call.principal, exchange.meeting);
}

/// Bytes of the file at `path`; nothing when it is not there.
std::optional<std::uintmax_t> size_of(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return error ? std::nullopt : std::optional(size);
}

/// Before the file goes, so that no deletion is without its event.
Status tell_of_deletion(storage::Session& session,
                        const Principal& caller,
                        MeetingId meeting,
                        TrackId track) {
  return session.transact([&](pqxx::transaction_base& transaction) {
    storage::Sql(transaction)
        .rows(
            "select app.append_event('recording:' || m.id || ':' || $2, "
            "'meeting.recording_deleted',"
            "  jsonb_build_object('meeting', m.id, 'track', $2::text::integer, 'by', $3::text), "
            "null,"
            "  m.org_id) from meetings m where m.id = $1::uuid",
            {meeting.to_string(), std::to_string(track), caller.user});
    return ok();
  });
}

}  // namespace

class MeetingsApi::Impl : public std::enable_shared_from_this<MeetingsApi::Impl> {
 public:
  Impl(Options options, const Parts& parts)
      : options_(std::move(options)),
        parts_(parts),
        ends_({options_.end_wait_ms, static_cast<std::size_t>(std::max(options_.ends_max, 1))},
              parts.clock),
        jobs_(parts.database) {}

  using Handler = void (Impl::*)(const ExchangePtr&);
  /// Reads what the path says, then calls `handler`.
  void take(const CallPtr& call, HttpReply reply, Handler handler);
  /// Returns when no job is under way that could still use Parts::control.
  void close() { jobs_.close(); }

  void create(const ExchangePtr& exchange);
  void list(const ExchangePtr& exchange);
  void show(const ExchangePtr& exchange);
  void end(const ExchangePtr& exchange);
  void export_file(const ExchangePtr& exchange);
  void tracks(const ExchangePtr& exchange);
  void audio(const ExchangePtr& exchange);
  void delete_audio(const ExchangePtr& exchange);

 private:
  /// Runs `answer` on a database thread and replies with what it returns.
  void answer_from_database(const ExchangePtr& exchange,
                            std::function<HttpResponse(storage::Session&)> answer);
  std::string recording_of(MeetingId meeting, TrackId track) const {
    return options_.recordings_dir + "/" + meeting.to_string() + "/" + std::to_string(track) +
           ".opus";
  }
  void begin_end(const ExchangePtr& exchange, const MeetingInfo& meeting);
  void finish_end(EndWaits::Ticket ticket, MeetingId meeting, const Status& ended);

  const Options options_;
  const Parts parts_;
  MeetingEnds ends_;
  DatabaseJobs jobs_;
};

void MeetingsApi::Impl::take(const CallPtr& call, HttpReply reply, Handler handler) {
  auto exchange = std::make_shared<Exchange>();
  const Status read = read_captures(call->captures, *exchange);
  if (!read) return reply(problem(read.error()));
  exchange->call = call;
  exchange->reply = std::move(reply);
  (this->*handler)(exchange);
}

void MeetingsApi::Impl::answer_from_database(
    const ExchangePtr& exchange,
    std::function<HttpResponse(storage::Session&)> answer) {
  const bool taken =
      jobs_.submit([exchange, answer = std::move(answer)](storage::Session& session) {
        const Status seen = may_see(session, *exchange);
        exchange->reply(seen ? answer(session) : problem(seen.error()));
      });
  if (!taken) exchange->reply(problem(overloaded()));
}

void MeetingsApi::Impl::create(const ExchangePtr& exchange) {
  const Status takes = options_.takes_new ? options_.takes_new() : ok();
  if (!takes) return exchange->reply(problem(takes.error()));
  auto wanted = parse_meeting_request(exchange->call->request.body);
  if (!wanted) return exchange->reply(problem(wanted.error()));
  answer_from_database(
      exchange, [exchange, wanted = std::move(*wanted)](storage::Session& session) {
        const auto meeting = storage::create_meeting(
            session, {wanted.title, wanted.glossary}, exchange->call->principal);
        HttpResponse response = meeting_answer(meeting, 201);
        if (meeting) {
          response.headers.emplace_back("Location", "/api/meetings/" + meeting->id.to_string());
        }
        return response;
      });
}

void MeetingsApi::Impl::list(const ExchangePtr& exchange) {
  const std::string_view limit_text = exchange->call->request.query_value("limit");
  const auto limit =
      limit_text.empty() ? std::optional(kListDefault) : parse_number<int>(limit_text);
  if (!limit || *limit < 1 || *limit > kListMax) {
    return exchange->reply(
        problem(invalid("limit must be a number from 1 to " + std::to_string(kListMax))));
  }
  const std::string_view before_text = exchange->call->request.query_value("before");
  const auto before = MeetingId::parse(before_text);
  if (!before_text.empty() && !before) {
    return exchange->reply(problem(invalid("before must be the `next` of an earlier answer")));
  }
  answer_from_database(
      exchange,
      [exchange, size = static_cast<std::size_t>(*limit), before](storage::Session& session) {
        // One more than wanted tells whether there is a next page.
        auto meetings =
            storage::list_meetings(session, size + 1, before, exchange->call->principal);
        if (!meetings) return problem(meetings.error());
        std::string next;
        if (meetings->size() > size) {
          meetings->resize(size);
          next = meetings->back().id.to_string();
        }
        return json_answer(200, meetings_to_json(*meetings, next));
      });
}

void MeetingsApi::Impl::show(const ExchangePtr& exchange) {
  answer_from_database(exchange, [id = exchange->meeting](storage::Session& session) {
    return meeting_answer(storage::find_meeting(session, id));
  });
}

void MeetingsApi::Impl::export_file(const ExchangePtr& exchange) {
  const auto format = parse_export_format(exchange->call->request.query_value("format"));
  if (!format) return exchange->reply(problem(format.error()));
  answer_from_database(
      exchange, [format = *format, id = exchange->meeting](storage::Session& session) {
        const auto transcript = storage::load_transcript(session, id);
        if (!transcript) return problem(transcript.error());
        HttpResponse response = json_answer(200, export_transcript(*transcript, format));
        response.content_type = export_content_type(format);
        response.headers.emplace_back(
            "Content-Disposition",
            "attachment; filename=\"" + export_file_name(transcript->meeting, format) + "\"");
        return response;
      });
}

void MeetingsApi::Impl::tracks(const ExchangePtr& exchange) {
  const auto self = shared_from_this();
  answer_from_database(exchange, [self, id = exchange->meeting](storage::Session& session) {
    const auto meeting = storage::find_meeting(session, id);
    if (!meeting) return problem(meeting.error());
    const auto rows = storage::load_tracks(session, id);
    if (!rows) return problem(rows.error());
    std::vector<TrackItem> items;
    for (const storage::TrackRow& row : *rows)
      items.push_back({row.track,
                       row.label,
                       row.speaker,
                       row.codec,
                       size_of(self->recording_of(id, row.track))});
    return json_answer(200, tracks_to_json(items));
  });
}

void MeetingsApi::Impl::audio(const ExchangePtr& exchange) {
  const std::string path = recording_of(exchange->meeting, exchange->track);
  answer_from_database(exchange, [path, id = exchange->meeting](storage::Session& session) {
    const auto meeting = storage::find_meeting(session, id);
    if (!meeting) return problem(meeting.error());
    if (::access(path.c_str(), R_OK) != 0) {
      return problem({ErrorCode::kNotFound, "there is no recording of this track"});
    }
    HttpResponse response = json_answer(200, "");
    response.content_type = "audio/ogg; codecs=opus";
    response.file_path = path;
    return response;
  });
}

void MeetingsApi::Impl::delete_audio(const ExchangePtr& exchange) {
  const std::string path = recording_of(exchange->meeting, exchange->track);
  answer_from_database(exchange, [path, exchange](storage::Session& session) {
    const MeetingId id = exchange->meeting;
    const Status allowed = storage::may_write(session, exchange->call->principal, id);
    if (!allowed) return problem(allowed.error());
    const auto meeting = storage::find_meeting(session, id);
    if (!meeting) return problem(meeting.error());
    if (meeting->state != MeetingState::kEnded)
      return problem({ErrorCode::kConflict, "the meeting has not ended: end it first"});
    if (::access(path.c_str(), F_OK) != 0)
      return problem({ErrorCode::kNotFound, "there is no recording of this track"});
    const Status told = tell_of_deletion(session, exchange->call->principal, id, exchange->track);
    if (!told) return problem(told.error());
    if (::unlink(path.c_str()) != 0)
      return problem({ErrorCode::kUnavailable, "the recording cannot be deleted now"});
    HttpResponse response;
    response.status = 204;
    return response;
  });
}

void MeetingsApi::Impl::end(const ExchangePtr& exchange) {
  const auto self = shared_from_this();
  const bool taken = jobs_.submit([self, exchange](storage::Session& session) {
    const Status allowed =
        storage::may_write(session, exchange->call->principal, exchange->meeting);
    if (!allowed) return exchange->reply(problem(allowed.error()));
    auto meeting = storage::set_meeting_state(session, exchange->meeting, MeetingState::kEnding);
    if (meeting) return self->begin_end(exchange, *meeting);
    // Conflict: it has ended before, and ending it again changes nothing.
    const bool ended = meeting.error().code == ErrorCode::kConflict;
    if (ended) meeting = storage::find_meeting(session, exchange->meeting);
    exchange->reply(meeting_answer(meeting));
  });
  if (!taken) exchange->reply(problem(overloaded()));
}

void MeetingsApi::Impl::begin_end(const ExchangePtr& exchange, const MeetingInfo& meeting) {
  const auto ticket = ends_.add(meeting, exchange->reply);
  if (!ticket) {
    return exchange->reply(problem(
        {ErrorCode::kOverloaded, "too many requests wait for an end; try again in a second"}));
  }
  const auto self = shared_from_this();
  parts_.control.end_meeting(meeting.id,
                             [self, ticket = *ticket, id = meeting.id](const Status& ended) {
                               self->finish_end(ticket, id, ended);
                             });
}

void MeetingsApi::Impl::finish_end(EndWaits::Ticket ticket, MeetingId id, const Status& ended) {
  const auto self = shared_from_this();
  // Who waited too long has had 202; the state still has to be written.
  const auto answer = [self, ticket](HttpResponse response) {
    self->ends_.answer(ticket, std::move(response));
  };
  if (!ended) return answer(problem(ended.error()));
  // Not of jobs_: an end that media/ completes while the server shuts down is written too.
  const bool taken = parts_.database.submit([answer, id](storage::Session& session) {
    auto meeting = storage::set_meeting_state(session, id, MeetingState::kEnded);
    if (!meeting && meeting.error().code == ErrorCode::kConflict) {
      meeting = storage::find_meeting(session, id);
    }
    answer(meeting_answer(meeting));
  });
  if (!taken) answer(problem(overloaded()));
}

MeetingsApi::MeetingsApi(Options options, const Parts& parts)
    : impl_(std::make_shared<Impl>(std::move(options), parts)) {}

MeetingsApi::~MeetingsApi() {
  impl_->close();
}

std::vector<Route> MeetingsApi::routes() const {
  const auto take = [impl = impl_](Impl::Handler handler) -> RouteHandler {
    return [impl, handler](const CallPtr& call, HttpReply reply) {
      impl->take(call, std::move(reply), handler);
    };
  };
  using enum Permission;
  const std::string meeting = "/api/meetings/{id}";
  return {{"POST", "/api/meetings", kWrite, take(&Impl::create)},
          {"GET", "/api/meetings", kRead, take(&Impl::list)},
          {"GET", meeting, kRead, take(&Impl::show)},
          {"POST", meeting + "/end", kWrite, take(&Impl::end)},
          {"GET", meeting + "/export", kRead, take(&Impl::export_file)},
          {"GET", meeting + "/tracks", kRead, take(&Impl::tracks)},
          {"GET", meeting + "/tracks/{track}/audio", kRead, take(&Impl::audio)},
          {"DELETE", meeting + "/tracks/{track}/audio", kWrite, take(&Impl::delete_audio)}};
}

}  // namespace qylon::api
