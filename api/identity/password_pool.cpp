#include "api/identity/password_pool.hpp"

#include <utility>

#include "api/identity/digest.hpp"
#include "core/check.hpp"

namespace qylon::api {

PasswordPool::PasswordPool(const Options& options)
    : cost_(options.cost),
      nobodys_(hash_password(random_token(), options.cost)),
      work_(options.waiting_max) {
  QYLON_CHECK(options.threads >= 1 && options.threads <= 16);
  for (int i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this] {
      while (const auto task = work_.pop())
        (*task)();
    });
  }
}

PasswordPool::~PasswordPool() {
  work_.close();
  for (std::thread& thread : threads_)
    thread.join();
}

bool PasswordPool::hash(std::string password, std::function<void(std::string)> done) {
  return work_.try_push([this, password = std::move(password), done = std::move(done)] {
    done(hash_password(password, cost_));
  });
}

bool PasswordPool::verify(std::string phc, std::string password, std::function<void(bool)> done) {
  return work_.try_push(
      [this, phc = std::move(phc), password = std::move(password), done = std::move(done)] {
        const bool right = verify_password(phc.empty() ? nobodys_ : phc, password);
        done(right && !phc.empty());
      });
}

}  // namespace qylon::api
