#include <atomic>
#include <chrono>
#include <future>

#include <gtest/gtest.h>

#include "api/core/database_jobs.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

TEST(DatabaseJobs, CloseWaitsForTheJobsUnderWay) {
  DatabaseJobs jobs(kDatabase->pool());
  std::promise<void> go;
  std::atomic<bool> done = false;
  ASSERT_TRUE(jobs.submit([&, going = go.get_future().share()](storage::Session&) {
    going.wait();
    done = true;
  }));
  auto closed = std::async(std::launch::async, [&] {
    jobs.close();
    return done.load();
  });
  EXPECT_EQ(closed.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  go.set_value();
  EXPECT_TRUE(closed.get());
}

TEST(DatabaseJobs, TakesNothingOnceClosed) {
  DatabaseJobs jobs(kDatabase->pool());
  jobs.close();
  EXPECT_FALSE(jobs.submit([](storage::Session&) { FAIL() << "it ran"; }));
}

}  // namespace
}  // namespace qylon::api
