#pragma once
/// The PostgreSQL of a test program. Include it in one .cpp of the program that runs tests against
/// a database; the cluster starts before the first test.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/sql.hpp"
#include "tests/support/private_database.hpp"

namespace qylon::test {

class TestDatabase final : public testing::Environment, public PrivateDatabase {
 public:
  /// The program's; its tests may use it, the program's start may not.
  static const TestDatabase* of_program() {
    return static_cast<TestDatabase*>(testing::AddGlobalTestEnvironment(new TestDatabase));
  }

  TestDatabase() : PrivateDatabase(memory_directory()) {}
  void SetUp() override {
    const Status started = start();
    ASSERT_TRUE(started) << started.error().message;
  }
  void TearDown() override { stop(); }

  /// What a statement of the server itself finds.
  std::vector<storage::SqlRow> rows(const std::string& statement,
                                    const std::vector<storage::SqlValue>& values = {}) const {
    std::vector<storage::SqlRow> found;
    const Status status =
        transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          found = storage::Sql(transaction).rows(statement, values);
          return ok();
        });
    EXPECT_TRUE(status) << status.error().message;
    return found;
  }
};

}  // namespace qylon::test
