#include "api/speakers.hpp"

#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "api/http_answers.hpp"
#include "api/route.hpp"
#include "api/speaker_json.hpp"
#include "core/speaker_undo.hpp"
#include "storage/database.hpp"
#include "storage/meeting_store.hpp"
#include "storage/speaker_store.hpp"

namespace qylon::api {

struct SpeakersApi::Call {
  MeetingId meeting;
  std::string part;  // The speaker's key, or the revision's offset.
  SpeakerRequest request;
  HttpReply reply;
};

struct SpeakersApi::Route {
  std::string_view method;
  std::string_view pattern;
  void (SpeakersApi::*handler)(const Call&) const;
  static const std::array<Route, 6> kAll;
};

const std::array<SpeakersApi::Route, 6> SpeakersApi::Route::kAll{
    {{"GET", "/api/meetings/{id}/speakers", &SpeakersApi::list},
     {"POST", "/api/meetings/{id}/speakers", &SpeakersApi::split},
     {"PUT", "/api/meetings/{id}/speakers/{key}", &SpeakersApi::rename},
     {"POST", "/api/meetings/{id}/speakers/{key}/merge", &SpeakersApi::merge},
     {"POST", "/api/meetings/{id}/speakers/{key}/captions", &SpeakersApi::relabel},
     {"POST", "/api/meetings/{id}/revisions/{offset}/undo", &SpeakersApi::undo}}};

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

bool SpeakersApi::takes(std::string_view path) noexcept {
  for (const Route& route : Route::kAll) {
    if (match_path(route.pattern, path)) return true;
  }
  return false;
}

void SpeakersApi::handle(HttpRequest request, HttpReply reply) {
  const auto principal = identify(parts_.access, request);
  if (!principal) return reply(problem(principal.error()));
  const Route* found = nullptr;
  Captures captures{};
  std::string methods;
  for (const Route& route : Route::kAll) {
    const auto matched = match_path(route.pattern, request.path);
    if (!matched) continue;
    methods += (methods.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == request.method) found = &route;
    captures = *matched;
  }
  if (found == nullptr) return reply(method_not_allowed(methods));
  const auto meeting = MeetingId::parse(captures[0]);
  if (!meeting) {
    return reply(
        problem({ErrorCode::kInvalidArgument, "the meeting's id must be a UUID (RFC 9562)"}));
  }
  Call call{*meeting, std::string(captures[1]), {}, std::move(reply)};
  if (!request.body.empty()) {
    auto parsed = parse_speaker_request(request.body);
    if (!parsed) return call.reply(problem(parsed.error()));
    call.request = *std::move(parsed);
  }
  (this->*found->handler)(call);
}

SpeakersApi::~SpeakersApi() {
  const MutexLock lock(jobs_mutex_);
  while (jobs_ > 0)
    jobs_done_.wait(jobs_mutex_);
}

void SpeakersApi::submit(const Call& call, std::function<void(storage::Session&)> job) const {
  const auto finish = [this] {
    const MutexLock lock(jobs_mutex_);
    if (--jobs_ == 0) jobs_done_.notify_all();
  };
  {
    const MutexLock lock(jobs_mutex_);
    ++jobs_;
  }
  const bool taken =
      parts_.database.submit([finish, job = std::move(job)](storage::Session& session) {
        job(session);
        finish();
      });
  if (taken) return;
  finish();
  call.reply(problem(kDatabaseFull));
}

void SpeakersApi::list(const Call& call) const {
  submit(call, [meeting = call.meeting, reply = call.reply](storage::Session& session) {
    const auto found = storage::find_meeting(session, meeting);
    if (!found) return reply(problem(found.error()));
    const auto speakers = storage::load_speakers(session, meeting);
    reply(speakers ? json_answer(200, speakers_to_json(*speakers)) : problem(speakers.error()));
  });
}

void SpeakersApi::correct(const Call& call, SpeakerChange change) const {
  parts_.control.correct_speakers(
      call.meeting, std::move(change), [reply = call.reply](const Result<std::uint64_t>& offset) {
        reply(correction_answer(offset));
      });
}

void SpeakersApi::split(const Call& call) const {
  if (call.request.captions.empty()) return call.reply(problem(lacks("captions: who said them")));
  correct(call, {Kind::kSplit, by_hand("", call.request.name), "", call.request.captions});
}

void SpeakersApi::rename(const Call& call) const {
  if (call.request.name.empty()) return call.reply(problem(lacks("a name that is not empty")));
  correct(call, {Kind::kRename, by_hand(call.part, call.request.name), "", {}});
}

void SpeakersApi::merge(const Call& call) const {
  if (call.request.into.empty()) return call.reply(problem(lacks("into: a speaker's key")));
  correct(call, {Kind::kMerge, by_hand(call.request.into, ""), call.part, {}});
}

void SpeakersApi::relabel(const Call& call) const {
  if (call.request.captions.empty()) return call.reply(problem(lacks("captions: offsets")));
  correct(call, {Kind::kRelabel, by_hand(call.part, ""), "", call.request.captions});
}

void SpeakersApi::undo(const Call& call) const {
  std::uint64_t offset = 0;
  const char* const end = call.part.data() + call.part.size();
  const auto [stopped, error] = std::from_chars(call.part.data(), end, offset);
  if (error != std::errc{} || stopped != end) {
    return call.reply(problem({ErrorCode::kInvalidArgument, "a revision is named by its offset"}));
  }
  submit(call,
         [&control = parts_.control, meeting = call.meeting, reply = call.reply, offset](
             storage::Session& session) {
           auto changes = load_undo(session, meeting, offset);
           if (!changes) return reply(problem(changes.error()));
           correct_all(control, meeting, *std::move(changes), reply);
         });
}

}  // namespace qylon::api
