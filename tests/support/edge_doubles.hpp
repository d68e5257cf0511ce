#pragma once
/// Small parts behind an edge: a handler, an access rule, a meeting that takes audio, a history.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/access.hpp"
#include "core/http.hpp"
#include "core/meeting_gate.hpp"
#include "core/sync.hpp"
#include "media/ingress.hpp"
#include "realtime/history.hpp"

namespace qylon::test {

/// Echoes the request as text; some paths behave specially.
class EchoHandler final : public HttpHandler {
 public:
  void handle(HttpRequest request, HttpReply reply) override {
    ++handled;
    if (request.path == "/later") {
      const MutexLock lock(mutex_);
      later_.push_back(std::move(reply));
      return;
    }
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = request.method + " " + request.path + " [" + request.body + "]";
    for (const auto& [name, value] : request.query)
      response.body += " " + name + "=" + value;
    if (request.path == "/headers") {
      for (const auto& [name, value] : request.headers)
        response.body.append(" ").append(name).append("=").append(value);
    }
    if (request.path == "/big") response.body.assign(16 << 20, 'x');
    if (request.path == "/file") response.file_path = file_path;
    reply(std::move(response));
  }
  std::vector<HttpReply> take_later() {
    const MutexLock lock(mutex_);
    return std::exchange(later_, {});
  }

  std::atomic<int> handled{0};
  std::string file_path;

 private:
  Mutex mutex_;
  std::vector<HttpReply> later_ QYLON_GUARDED_BY(mutex_);
};

/// Everybody is the server itself, or who shows "secret" when a token is required; "user" is a
/// user's.
class TestAccess final : public Access {
 public:
  Result<Principal> identify(const Credentials& credentials) const override {
    if (credentials.token == "user") return Principal{"authenticated", "u1", "{}"};
    if (!token_required || credentials.token == "secret") return Principal::service();
    return Error{ErrorCode::kUnauthenticated, "show the token"};
  }
  std::atomic<bool> token_required{false};
};

/// Users may see what `seen_by_users` says; tickets are what the test put there.
class TestGate final : public MeetingGate {
 public:
  void ask(const Principal& /*principal*/,
           MeetingId meeting,
           MeetingVerb verb,
           Answer answer) override {
    ++asked;
    if (meeting != seen_by_users)
      return answer(Error{ErrorCode::kNotFound, "there is no such meeting"});
    if (verb == MeetingVerb::kSpeak && !users_may_speak)
      return answer(Error{ErrorCode::kForbidden, "you may only listen"});
    answer(ok());
  }
  Result<MeetingPass> redeem(std::string_view ticket) override {
    const auto found = tickets.find(std::string(ticket));
    if (found == tickets.end()) return Error{ErrorCode::kUnauthenticated, "no such ticket"};
    const MeetingPass pass = found->second;
    tickets.erase(found);
    return pass;
  }

  MeetingId seen_by_users;
  bool users_may_speak = false;
  int asked = 0;
  std::map<std::string, MeetingPass> tickets;
};

class TestTrack final : public media::TrackUplink {
 public:
  explicit TestTrack(TrackId id) : id_(id) {}

  Posted post(media::UplinkFrame&& frame) override {
    const Posted posted = answer;
    if (posted != Posted::kAccepted) return posted;
    const MutexLock lock(mutex_);
    frames_.push_back(std::move(frame));
    next_ = frames_.back().seq + 1;
    return posted;
  }
  Posted standing() const noexcept override {
    const Posted posted = answer;
    return posted == Posted::kBusy ? Posted::kAccepted : posted;
  }
  TrackId track() const noexcept override { return id_; }
  std::uint64_t next_seq() const noexcept override { return next_; }
  std::optional<std::uint64_t> durable_seq() const noexcept override { return durable.load(); }
  std::int64_t heard_ms() const noexcept override { return heard; }
  std::size_t frames() const {
    const MutexLock lock(mutex_);
    return frames_.size();
  }

  std::atomic<Posted> answer{Posted::kAccepted};
  std::atomic<std::uint64_t> durable{0};
  std::atomic<std::int64_t> heard{20};

 private:
  const TrackId id_;
  mutable Mutex mutex_;
  std::vector<media::UplinkFrame> frames_ QYLON_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> next_{0};
};

/// Knows one meeting.
class TestIngress final : public media::Ingress {
 public:
  void open(media::UplinkHello hello, Opened opened) override {
    if (hello.meeting != meeting) return opened(Error{ErrorCode::kNotFound, "no such meeting"});
    if (ended) return opened(Error{ErrorCode::kConflict, "the meeting has ended"});
    std::vector<std::shared_ptr<media::TrackUplink>> tracks;
    const MutexLock lock(mutex_);
    for (const auto& track : hello.tracks) {
      auto& known = tracks_[track.track];
      if (known == nullptr) known = std::make_shared<TestTrack>(track.track);
      tracks.push_back(known);
    }
    opened(std::move(tracks));
  }
  std::shared_ptr<TestTrack> track(TrackId id) {
    const MutexLock lock(mutex_);
    return tracks_[id];
  }

  MeetingId meeting = MeetingId::random();
  std::atomic<bool> ended{false};

 private:
  Mutex mutex_;
  std::map<TrackId, std::shared_ptr<TestTrack>> tracks_ QYLON_GUARDED_BY(mutex_);
};

/// Finals 1..n of one meeting.
class TestHistory final : public realtime::History {
 public:
  void read(MeetingId asked, std::uint64_t after, std::size_t limit, Answer answer) override {
    ++reads;
    if (failing) return answer(Error{ErrorCode::kUnavailable, "the database is away"});
    if (asked != meeting) return answer(Error{ErrorCode::kNotFound, "no such meeting"});
    Page page;
    page.epoch = epoch;
    {
      const MutexLock lock(mutex_);
      page.last_offset = finals_.size();
      for (std::uint64_t i = after; i < finals_.size() && page.finals.size() < limit; ++i)
        page.finals.emplace_back(i + 1, finals_[i]);
      page.status = status_;
    }
    answer(std::move(page));
  }
  void add(const std::string& json) {
    const MutexLock lock(mutex_);
    finals_.push_back(std::make_shared<const std::string>(json));
  }
  void set_status(const std::string& json) {
    const MutexLock lock(mutex_);
    status_ = std::make_shared<const std::string>(json);
  }

  MeetingId meeting = MeetingId::random();
  Epoch epoch = Epoch::random();
  std::atomic<bool> failing{false};
  std::atomic<int> reads{0};

 private:
  Mutex mutex_;
  std::vector<std::shared_ptr<const std::string>> finals_ QYLON_GUARDED_BY(mutex_);
  std::shared_ptr<const std::string> status_ QYLON_GUARDED_BY(mutex_);
};

/// A small caption-like text with the given offset in it.
inline std::string final_json(std::uint64_t offset) {
  return R"({"type":"caption","final":true,"offset":)" + std::to_string(offset) + "}";
}

}  // namespace qylon::test
