#include "realtime/fanout.hpp"

#include <algorithm>

namespace qylon::realtime {
namespace {

// One send(2) takes longer than the memory of two subscribers.
constexpr std::size_t kAhead = 2;

std::size_t index_of(Topic topic) {
  return static_cast<std::size_t>(topic);
}

}  // namespace

void Fanout::add(Topic topic, Subscription& subscription) {
  std::size_t& place = subscription.places_[index_of(topic)];
  if (place != Subscription::kNowhere) return;
  auto& list = meetings_[subscription.meeting()][index_of(topic)];
  place = list.size();
  list.push_back({&subscription, subscription.footprint()});
}

void Fanout::remove(Topic topic, Subscription& subscription) {
  std::size_t& place = subscription.places_[index_of(topic)];
  if (place == Subscription::kNowhere) return;
  const auto found = meetings_.find(subscription.meeting());
  Lists& lists = found->second;
  auto& list = lists[index_of(topic)];
  list[place] = list.back();
  list[place].subscription->places_[index_of(topic)] = place;
  list.pop_back();
  place = Subscription::kNowhere;
  if (std::all_of(lists.begin(), lists.end(), [](const auto& l) { return l.empty(); }))
    meetings_.erase(found);
}

void Fanout::remove_all(Subscription& subscription) {
  for (const Topic topic : {Topic::kCaptions, Topic::kStatus, Topic::kLevels})
    remove(topic, subscription);
}

void Fanout::deliver(const Delivery& delivery) {
  const auto found = meetings_.find(delivery.meeting);
  if (found == meetings_.end()) return;
  const auto& list = found->second[index_of(delivery.topic)];
  for (std::size_t i = 0; i < list.size(); ++i) {
    // A thousand subscribers do not fit the cache; the next ones are on their way meanwhile.
    if (i + kAhead < list.size()) {
      for (const void* const line : list[i + kAhead].footprint)
        __builtin_prefetch(line);
    }
    list[i].subscription->on_delivery(delivery);
  }
}

void Fanout::finals_lost() {
  for (auto& [meeting, lists] : meetings_) {
    for (const Entry& entry : lists[index_of(Topic::kCaptions)])
      entry.subscription->on_finals_lost();
  }
}

}  // namespace qylon::realtime
