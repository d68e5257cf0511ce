#include "api/speakers.hpp"

#include <charconv>
#include <memory>
#include <utility>

#include "api/http_answers.hpp"
#include "api/speaker_json.hpp"
#include "core/speaker_undo.hpp"
#include "storage/database.hpp"
#include "storage/meeting_rights.hpp"
#include "storage/meeting_store.hpp"
#include "storage/speaker_store.hpp"

namespace qylon::api {

struct SpeakersApi::Asked {
  MeetingId meeting;
  std::string part;  // The speaker's key, or the revision's offset.
  SpeakerRequest request;
  HttpReply reply;
};

namespace {

using Kind = SpeakerChange::Kind;

const Error kDatabaseFull{ErrorCode::kOverloaded,
                          "the database has too much to do; try again in a second"};

Speaker by_hand(std::string key, std::string name) {
  return {std::move(key), std::move(name), Provenance::kManual, 1.0F};
}

Error lacks(const char* what) {
  return {ErrorCode::kInvalidArgument, std::string("the body must have ") + what};
}

HttpResponse correction_answer(const Result<std::uint64_t>& offset) {
  return offset ? json_answer(200, correction_to_json(*offset)) : problem(offset.error());
}

/// What takes the meeting's correction `offset` back.
Result<std::vector<SpeakerChange>> load_undo(storage::Session& session,
                                             MeetingId meeting,
                                             std::uint64_t offset) {
  constexpr std::size_t kPage = 10'000;
  const auto found = storage::find_meeting(session, meeting);
  if (!found) return found.error();
  std::vector<Caption> published;
  for (std::size_t read = kPage; read == kPage;) {
    const std::uint64_t after = published.empty() ? 0 : *published.back().offset;
    auto page = storage::load_captions(session, meeting, after, kPage);
    if (!page) return page.error();
    read = page->size();
    std::move(page->begin(), page->end(), std::back_inserter(published));
  }
  const auto tracks = storage::load_tracks(session, meeting);
  if (!tracks) return tracks.error();
  std::vector<Speaker> given;
  for (const storage::TrackRow& row : *tracks) {
    if (!row.speaker.empty())
      given.push_back({"t" + std::to_string(row.track), row.speaker, Provenance::kTrack, 1.0F});
  }
  return undo_of(published, offset, given);
}

/// Corrections that are made one after another; the last one's offset is the answer.
void correct_all(MeetingControl& control,
                 MeetingId meeting,
                 std::vector<SpeakerChange> changes,
                 HttpReply reply) {
  if (changes.empty()) {
    return reply(problem({ErrorCode::kConflict, "everything it changed was changed again since"}));
  }
  SpeakerChange next = std::move(changes.front());
  changes.erase(changes.begin());
  control.correct_speakers(
      meeting,
      std::move(next),
      [&control, meeting, changes = std::move(changes), reply = std::move(reply)](
          const Result<std::uint64_t>& offset) {
        if (!offset || changes.empty()) return reply(correction_answer(offset));
        correct_all(control, meeting, changes, reply);
      });
}

}  // namespace

std::vector<Route> SpeakersApi::routes() const {
  const auto take = [this](Handler handler) -> RouteHandler {
    return [this, handler](const CallPtr& call, HttpReply reply) {
      this->take(call, std::move(reply), handler);
    };
  };
  using enum Permission;
  const std::string speakers = "/api/meetings/{id}/speakers";
  return {{"GET", speakers, kRead, take(&SpeakersApi::list)},
          {"POST", speakers, kWrite, take(&SpeakersApi::split)},
          {"PUT", speakers + "/{key}", kWrite, take(&SpeakersApi::rename)},
          {"POST", speakers + "/{key}/merge", kWrite, take(&SpeakersApi::merge)},
          {"POST", speakers + "/{key}/captions", kWrite, take(&SpeakersApi::relabel)},
          {"POST", "/api/meetings/{id}/revisions/{offset}/undo", kWrite, take(&SpeakersApi::undo)}};
}

void SpeakersApi::take(const CallPtr& call, HttpReply reply, Handler handler) const {
  const auto meeting = MeetingId::parse(call->captures[0]);
  if (!meeting) {
    return reply(
        problem({ErrorCode::kInvalidArgument, "the meeting's id must be a UUID (RFC 9562)"}));
  }
  const std::string part = call->captures.size() > 1 ? call->captures[1] : "";
  Asked asked{*meeting, part, {}, std::move(reply)};
  if (!call->request.body.empty()) {
    auto parsed = parse_speaker_request(call->request.body);
    if (!parsed) return asked.reply(problem(parsed.error()));
    asked.request = *std::move(parsed);
  }
  if (call->principal.role == "service_role") return (this->*handler)(asked);
  submit(asked, [this, call, asked, handler](storage::Session& session) {
    const auto may = call->request.method == "GET" ? storage::may_see : storage::may_write;
    const Status allowed = may(session, call->principal, asked.meeting);
    if (!allowed) return asked.reply(problem(allowed.error()));
    (this->*handler)(asked);
  });
}

void SpeakersApi::submit(const Asked& asked, storage::Database::Job job) const {
  if (!jobs_.submit(std::move(job))) asked.reply(problem(kDatabaseFull));
}

void SpeakersApi::list(const Asked& asked) const {
  submit(asked, [asked, &control = parts_.control](storage::Session& session) {
    const auto found = storage::find_meeting(session, asked.meeting);
    if (!found) return asked.reply(problem(found.error()));
    const auto speakers = storage::load_speakers(session, asked.meeting);
    if (!speakers) return asked.reply(problem(speakers.error()));
    control.voice_hints(asked.meeting,
                        [speakers = *speakers, reply = asked.reply](const auto& hints) {
                          reply(hints ? json_answer(200, speakers_to_json(speakers, *hints))
                                      : problem(hints.error()));
                        });
  });
}

void SpeakersApi::correct(const Asked& asked, SpeakerChange change) const {
  parts_.control.correct_speakers(
      asked.meeting, std::move(change), [reply = asked.reply](const Result<std::uint64_t>& offset) {
        reply(correction_answer(offset));
      });
}

void SpeakersApi::split(const Asked& asked) const {
  if (asked.request.captions.empty()) return asked.reply(problem(lacks("captions: who said them")));
  correct(asked, {Kind::kSplit, by_hand("", asked.request.name), "", asked.request.captions});
}

void SpeakersApi::rename(const Asked& asked) const {
  if (asked.request.name.empty()) return asked.reply(problem(lacks("a name that is not empty")));
  correct(asked, {Kind::kRename, by_hand(asked.part, asked.request.name), "", {}});
}

void SpeakersApi::merge(const Asked& asked) const {
  if (asked.request.into.empty()) return asked.reply(problem(lacks("into: a speaker's key")));
  correct(asked, {Kind::kMerge, by_hand(asked.request.into, ""), asked.part, {}});
}

void SpeakersApi::relabel(const Asked& asked) const {
  if (asked.request.captions.empty()) return asked.reply(problem(lacks("captions: offsets")));
  correct(asked, {Kind::kRelabel, by_hand(asked.part, ""), "", asked.request.captions});
}

void SpeakersApi::undo(const Asked& asked) const {
  std::uint64_t offset = 0;
  const char* const end = asked.part.data() + asked.part.size();
  const auto [stopped, error] = std::from_chars(asked.part.data(), end, offset);
  if (error != std::errc{} || stopped != end) {
    return asked.reply(problem({ErrorCode::kInvalidArgument, "a revision is named by its offset"}));
  }
  submit(asked,
         [&control = parts_.control, meeting = asked.meeting, reply = asked.reply, offset](
             storage::Session& session) {
           auto changes = load_undo(session, meeting, offset);
           if (!changes) return reply(problem(changes.error()));
           correct_all(control, meeting, *std::move(changes), reply);
         });
}

}  // namespace qylon::api
