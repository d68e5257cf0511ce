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
      peer_(std::move(peer)),
      executor_(std::move(executor)),
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
  if (!allowed_) {
    const std::string& token = message.token.empty() ? peer_.token : message.token;
    const auto principal =
        parts_.access.identify({.token = token, .peer_is_loopback = peer_.is_loopback});
    if (!principal) return fail(session_error(principal.error()));
    allowed_ = true;
  }
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
  if (!allowed_ && parts_.clock.monotonic_us() - opened_us_ > kHelloTimeoutUs)
    return fail({ErrorCode::kInvalidArgument, 4002, "subscribe must come within 5 s"});
  pump_all();
}

}  // namespace qylon::realtime
