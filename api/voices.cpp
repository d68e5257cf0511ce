#include "api/voices.hpp"

#include <memory>
#include <utility>

#include "api/http_answers.hpp"
#include "api/voice_json.hpp"
#include "core/ids.hpp"
#include "storage/enrolled_voices.hpp"

namespace qylon::api {
namespace {

// Windows of half a second: from less than 5 s of speech nobody is recognised reliably.
constexpr float kWeightMin = 10;

using Parts = std::shared_ptr<const VoiceParts>;

void submit(const Parts& parts,
            const HttpReply& reply,
            std::function<HttpResponse(storage::Session&)> job) {
  const bool taken = parts->jobs.submit(
      [reply, job = std::move(job)](storage::Session& session) { reply(job(session)); });
  if (!taken) {
    reply(problem(
        {ErrorCode::kOverloaded, "the database has too much to do; try again in a second"}));
  }
}

HttpResponse answer(int status, const Result<std::string>& json) {
  return json ? json_answer(status, *json) : problem(json.error());
}

HttpResponse invalid(const char* message) {
  return problem({ErrorCode::kInvalidArgument, message});
}

HttpResponse enrol(const VoiceParts& parts,
                   storage::Session& session,
                   const Principal& caller,
                   const VoiceRequest& request,
                   storage::VoiceRow heard) {
  const std::string& name = request.name.empty() ? heard.key : request.name;
  if (name.empty()) return invalid("name must say whose voice it is");
  if (heard.weight < kWeightMin) {
    return problem({ErrorCode::kConflict, "at least 5 s of speech are needed to know a voice"});
  }
  return answer(201,
                storage::enrol_voice(session,
                                     caller,
                                     {.name = name,
                                      .model = parts.model,
                                      .centroid = std::move(heard.centroid),
                                      .weight = heard.weight,
                                      .source = request.clip.empty() ? "meeting" : "clip",
                                      .consent_by = request.consent_by,
                                      .consent_text = request.consent_text,
                                      .consent_at = request.consent_at,
                                      .expires_at = request.expires_at}));
}

void enrol_speaker(const Parts& parts, const CallPtr& call, const HttpReply& reply) {
  const auto meeting = MeetingId::parse(call->captures[0]);
  if (!meeting) return reply(invalid("the meeting's id must be a UUID (RFC 9562)"));
  auto request = parse_voice_request(call->request.body);
  if (!request) return reply(problem(request.error()));
  request->clip.clear();
  submit(
      parts,
      reply,
      [parts, call, meeting = *meeting, request = *std::move(request)](storage::Session& session) {
        auto voice = storage::find_speakers_voice(
            session, call->principal, meeting, call->captures[1], parts->model);
        if (!voice) return problem(voice.error());
        return enrol(*parts, session, call->principal, request, *std::move(voice));
      });
}

void enrol_clip(const Parts& parts, const CallPtr& call, const HttpReply& reply) {
  auto request = parse_voice_request(call->request.body);
  if (!request) return reply(problem(request.error()));
  if (request->clip.empty()) return reply(invalid("clip must hold a WAV file in base64"));
  submit(parts, reply, [parts, call, request = *std::move(request)](storage::Session& session) {
    auto heard = parts->hear(request.clip);
    if (!heard) return problem(heard.error());
    return enrol(
        *parts, session, call->principal, request, {"", std::move(heard->centroid), heard->weight});
  });
}

void list(const Parts& parts, const CallPtr& call, const HttpReply& reply) {
  submit(parts, reply, [call](storage::Session& session) {
    return answer(200, storage::list_enrolled_voices(session, call->principal));
  });
}

void forget(const Parts& parts, const CallPtr& call, const HttpReply& reply) {
  if (!MeetingId::parse(call->captures[0])) return reply(invalid("a voice's id is a UUID"));
  submit(parts, reply, [call](storage::Session& session) {
    return answer(200, storage::forget_voice(session, call->principal, call->captures[0]));
  });
}

}  // namespace

std::vector<Route> voice_routes(const VoiceParts& given) {
  const auto parts = std::make_shared<const VoiceParts>(given);
  const auto route = [&](auto handler) -> RouteHandler {
    return [parts, handler](const CallPtr& call, const HttpReply& reply) {
      handler(parts, call, reply);
    };
  };
  using enum Permission;
  return {{"GET", "/api/voices", kRead, route(list)},
          {"POST", "/api/voices", kWrite, route(enrol_clip)},
          {"DELETE", "/api/voices/{id}", kWrite, route(forget)},
          {"POST", "/api/meetings/{id}/speakers/{key}/enrol", kWrite, route(enrol_speaker)}};
}

}  // namespace qylon::api
