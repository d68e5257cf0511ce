#include "storage/pg_link.hpp"

#include <utility>

#include <sys/socket.h>

namespace qylon::storage {

PgConnection* PgLink::take(std::chrono::milliseconds patience, std::int64_t now_us) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const MutexLock lock(mutex_);
  while (!lives()) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) return nullptr;
    filled_.wait_for(mutex_, std::chrono::ceil<std::chrono::microseconds>(left));
  }
  busy_since_us_ = now_us;
  return connection_.get();
}

bool PgLink::release() {
  const MutexLock lock(mutex_);
  busy_since_us_ = 0;
  return lives();
}

bool PgLink::lacks() const {
  const MutexLock lock(mutex_);
  return busy_since_us_ == 0 && !lives();
}

void PgLink::put(std::unique_ptr<PgConnection> connection) {
  const MutexLock lock(mutex_);
  socket_ = connection->socket();
  connection_.swap(connection);
  filled_.notify_all();
}

bool PgLink::cut() {
  const MutexLock lock(mutex_);
  return cut_locked();
}

bool PgLink::cut_if_busy_since(std::int64_t since_us) {
  const MutexLock lock(mutex_);
  return busy_since_us_ != 0 && busy_since_us_ <= since_us && cut_locked();
}

bool PgLink::lives() const {
  return socket_ >= 0 && connection_->alive();
}

bool PgLink::cut_locked() {
  if (socket_ < 0) return false;
  ::shutdown(std::exchange(socket_, -1), SHUT_RDWR);
  return true;
}

}  // namespace qylon::storage
