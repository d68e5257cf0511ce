#include "realtime/admission.hpp"

#include <algorithm>
#include <utility>

namespace qylon::realtime {
namespace {

/// Some meetings on their way through the gate, one after another.
struct Round {
  MeetingGate& gate;
  Principal principal;
  MeetingVerb verb;
  std::vector<MeetingId> left;
  std::shared_ptr<NetExecutor> executor;
  Admission::Answer answer;
};

void ask_next(const std::shared_ptr<Round>& round, const Status& so_far) {
  if (!so_far || round->left.empty()) {
    round->executor->post([round, so_far] { round->answer(so_far); });
    return;
  }
  const MeetingId meeting = round->left.back();
  round->left.pop_back();
  round->gate.ask(round->principal, meeting, round->verb, [round](const Status& status) {
    ask_next(round, status);
  });
}

}  // namespace

Admission::Admission(const SessionParts& parts,
                     SessionPeer peer,
                     std::shared_ptr<NetExecutor> executor)
    : parts_(parts), peer_(std::move(peer)), executor_(std::move(executor)) {}

Status Admission::identify(const std::string& token) {
  if (identified()) return ok();
  if (!peer_.ticket.empty()) {
    const auto pass = parts_.gate.redeem(peer_.ticket);
    if (!pass) return pass.error();
    pass_ = *pass;
    ends_us_ = parts_.clock.monotonic_us() + pass->session_us;
    return ok();
  }
  auto principal = parts_.access.identify({.token = token.empty() ? peer_.token : token});
  if (!principal) return principal.error();
  if (principal->role == "anon") {
    return Error{ErrorCode::kUnauthenticated, "log in first: show a token, or come with ?ticket="};
  }
  principal_ = *std::move(principal);
  return ok();
}

Status Admission::judge_pass(const std::vector<MeetingId>& meetings, MeetingVerb verb) const {
  const bool is_for_them = std::all_of(meetings.begin(), meetings.end(), [this](MeetingId meeting) {
    return meeting == pass_->meeting;
  });
  if (is_for_them && verb == pass_->verb) return ok();
  return Error{ErrorCode::kForbidden, "the ticket is for another meeting, or for another verb"};
}

void Admission::ask(const std::string& token,
                    std::vector<MeetingId> meetings,
                    MeetingVerb verb,
                    Answer answer) {
  const Status identified = identify(token);
  if (!identified) return answer(identified);
  if (pass_) return answer(judge_pass(meetings, verb));
  if (principal_->role == "service_role") return answer(ok());
  ask_next(std::make_shared<Round>(Round{
               parts_.gate, *principal_, verb, std::move(meetings), executor_, std::move(answer)}),
           ok());
}

}  // namespace qylon::realtime
