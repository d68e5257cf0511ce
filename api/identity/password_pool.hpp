#pragma once
/// The threads that hash passwords, apart from those that serve requests.

#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "api/identity/password.hpp"
#include "core/bounded_queue.hpp"

namespace qylon::api {

/// Each thread needs the memory and the core that one hash costs, so their number bounds both.
///
/// Queue   : `waiting_max` passwords; full means refuse: the caller answers 503.
/// Threads : hash() and verify() from any thread, never block; answers come on the pool's threads.
class PasswordPool {
 public:
  struct Options {
    int threads = 2;               ///< 1..16.
    std::size_t waiting_max = 64;  ///< About a second of guesses for one thread.
    PasswordCost cost;
  };

  explicit PasswordPool(const Options& options);
  /// Answers what waits, then joins.
  ~PasswordPool();
  PasswordPool(const PasswordPool&) = delete;
  PasswordPool& operator=(const PasswordPool&) = delete;
  PasswordPool(PasswordPool&&) = delete;
  PasswordPool& operator=(PasswordPool&&) = delete;

  /// `done` gets the PHC string. False when too many wait: `done` will not be called.
  [[nodiscard]] bool hash(std::string password, std::function<void(std::string)> done);
  /// `done` gets whether `phc` is the password's hash; an empty `phc` (nobody has that name) costs
  /// the same time and is no.
  [[nodiscard]] bool verify(std::string phc, std::string password, std::function<void(bool)> done);

 private:
  const PasswordCost cost_;    // Constant after construction.
  const std::string nobodys_;  // The hash of a password that nobody knows. Constant.
  BoundedQueue<std::function<void()>> work_;
  std::vector<std::thread> threads_;
};

}  // namespace qylon::api
