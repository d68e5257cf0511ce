#include "realtime/subscribe_session.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "realtime/meeting_watch.hpp"

namespace qylon::realtime {

SubscribeSession::SubscribeSession(SessionPort& port,
                                   const SessionParts& parts,
                                   SessionPeer peer,
                                   std::shared_ptr<NetExecutor> executor)
    : Session(port, parts),
      executor_(std::move(executor)),
      admission_(parts, std::move(peer), executor_),
      opened_us_(parts.clock.monotonic_us()),
      control_(TokenBucket::Options{}, opened_us_) {
  parts_.counters.subscribers.add(1);
}

SubscribeSession::~SubscribeSession() {
  parts_.counters.subscribers.add(-1);
}

void SubscribeSession::on_text(std::string_view text) {
  if (failed()) return;
  if (!control_.try_take(1.0, parts_.clock.monotonic_us()))
    return fail({ErrorCode::kOverloaded, 4005, "at most 20 control messages a second"});
  const auto message = parse_subscriber_message(text);
  if (!message) return fail({ErrorCode::kInvalidArgument, 4503, message.error().message});
  if (const auto* subscribe = std::get_if<SubscribeMessage>(&*message)) {
    on_subscribe(*subscribe);
  } else if (const auto* unsubscribe = std::get_if<UnsubscribeMessage>(&*message)) {
    on_unsubscribe(*unsubscribe);
  } else {
    port_.send(make_text_frame(encode_pong()));
  }
}

void SubscribeSession::on_binary(std::span<const std::uint8_t> /*bytes*/) {
  fail({ErrorCode::kInvalidArgument, 4503, "a subscriber sends JSON text messages only"});
}

MeetingWatch* SubscribeSession::find_watch(MeetingId meeting) {
  for (const auto& watch : watches_) {
    if (watch->meeting() == meeting) return watch.get();
  }
  return nullptr;
}

std::size_t SubscribeSession::topic_count() const {
  std::size_t count = 0;
  for (const auto& watch : watches_)
    count += watch->topic_count();
  return count;
}

void SubscribeSession::on_subscribe(const SubscribeMessage& message) {
  std::vector<MeetingId> meetings;
  for (const TopicName& topic : message.topics) {
    if (std::find(meetings.begin(), meetings.end(), topic.meeting) == meetings.end())
      meetings.push_back(topic.meeting);
  }
  admission_.ask(message.token,
                 std::move(meetings),
                 MeetingVerb::kSee,
                 [weak = weak_from_this(), message](const Status& allowed) {
                   const auto self = weak.lock();
                   if (self == nullptr || self->failed()) return;
                   if (!allowed) return self->fail(session_error(allowed.error()));
                   self->start(message);
                 });
}

void SubscribeSession::start(const SubscribeMessage& message) {
  for (const TopicName& topic : message.topics) {
    MeetingWatch* watch = find_watch(topic.meeting);
    if (watch == nullptr) {
      watches_.push_back(std::make_unique<MeetingWatch>(*this, topic.meeting, ++watch_count_));
      watch = watches_.back().get();
    }
    watch->start(topic.topic, message.from);
    if (topic_count() > kTopicsMax)
      return fail({ErrorCode::kInvalidArgument, 4503, "at most 128 topics a connection"});
  }
  pump_all();
}

void SubscribeSession::on_unsubscribe(const UnsubscribeMessage& message) {
  for (const TopicName& topic : message.topics) {
    MeetingWatch* const watch = find_watch(topic.meeting);
    if (watch != nullptr) watch->stop(topic.topic);
  }
  watches_.erase(
      std::remove_if(
          watches_.begin(), watches_.end(), [](const auto& watch) { return watch->is_empty(); }),
      watches_.end());
}

void SubscribeSession::ask_history(const MeetingWatch& watch,
                                   std::uint64_t after,
                                   std::size_t limit) {
  asking_ = true;
  parts_.history.read(watch.meeting(),
                      after,
                      limit,
                      [weak = weak_from_this(), executor = executor_, id = watch.id()](auto page) {
                        executor->post([weak, id, page = std::move(page)] {
                          if (const auto self = weak.lock()) self->on_page(id, page);
                        });
                      });
}

void SubscribeSession::on_page(std::uint64_t asked_by, const Result<History::Page>& page) {
  asking_ = false;
  if (failed()) return;
  for (const auto& watch : watches_) {
    if (watch->id() == asked_by) watch->on_page(page);
  }
  pump_all();
}

void SubscribeSession::pump_all() {
  for (const auto& watch : watches_)
    watch->pump();
}

void SubscribeSession::on_drained() {
  pump_all();
}

void SubscribeSession::on_tick() {
  if (failed()) return;
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (!admission_.identified() && now_us - opened_us_ > kHelloTimeoutUs)
    return fail({ErrorCode::kInvalidArgument, 4002, "subscribe must come within 5 s"});
  if (admission_.expired(now_us))
    return fail({ErrorCode::kUnavailable, 4000, "the ticket's time is over; come with a new one"});
  pump_all();
}

}  // namespace qylon::realtime
