#include "realtime/net_mailbox.hpp"

#include <utility>

namespace qylon::realtime {

void NetMailbox::open(std::function<void()> wake) {
  const MutexLock lock(mutex_);
  wake_ = std::move(wake);
  if (awake_) wake_();
}

void NetMailbox::close() {
  Mail dropped;  // Destroyed after the lock: tasks may own objects whose destructors are not ours.
  const MutexLock lock(mutex_);
  closed_ = true;
  wake_ = nullptr;
  std::swap(dropped, mail_);
  replaceable_.clear();
}

void NetMailbox::wake_owner() {
  if (awake_) return;
  awake_ = true;
  if (wake_) wake_();
}

bool NetMailbox::post(Task task) {
  const MutexLock lock(mutex_);
  if (closed_) return false;
  mail_.tasks.push_back(std::move(task));
  wake_owner();
  return true;
}

NetMailbox::Pushed NetMailbox::place(const DeliveryPtr& delivery) {
  std::vector<DeliveryPtr>& deliveries = mail_.deliveries;
  const bool is_replaceable = delivery->conflation_key != 0 && !delivery->is_final();
  if (is_replaceable) {
    const auto found = replaceable_.find(delivery->key());
    if (found != replaceable_.end()) {
      deliveries[found->second] = delivery;
      return Pushed::kReplaced;
    }
  }
  if (deliveries.size() >= publications_max_) {
    if (delivery->is_final()) mail_.finals_lost = true;
    return Pushed::kDropped;
  }
  if (is_replaceable) replaceable_.emplace(delivery->key(), deliveries.size());
  deliveries.push_back(delivery);
  return Pushed::kQueued;
}

NetMailbox::Pushed NetMailbox::push(const DeliveryPtr& delivery) {
  const MutexLock lock(mutex_);
  if (closed_) return Pushed::kDropped;
  const Pushed pushed = place(delivery);
  wake_owner();
  return pushed;
}

NetMailbox::Mail NetMailbox::take() {
  Mail mail;
  const MutexLock lock(mutex_);
  std::swap(mail, mail_);
  replaceable_.clear();
  awake_ = false;
  return mail;
}

}  // namespace qylon::realtime
