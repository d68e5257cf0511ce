// `qylon audit verify` and `qylon vault rotate`, beside a running server and without one.

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "storage/cluster_files.hpp"
#include "storage/pg_connection.hpp"
#include "storage/sql.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/spawned_process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::server {
namespace {

struct Answer {
  int status = -1;
  std::string text;
};

/// Runs `qylon` with `words` and waits for it.
Answer run(const std::string& words) {
  std::FILE* const output =
      ::popen((std::string(QYLON_BINARY) + " " + words + " 2>&1").c_str(), "r");
  Answer answer;
  std::array<char, 512> piece{};
  while (std::fgets(piece.data(), piece.size(), output) != nullptr)
    answer.text += piece.data();
  const int status = ::pclose(output);
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

void change_as_owner(const std::string& data, const std::string& statement) {
  const SystemClock clock;
  const Log log(clock, LogLevel::kError);
  const auto files = storage::ClusterFiles::open(data);
  ASSERT_TRUE(files);
  const auto owner =
      storage::PgConnection::connect({.url = files->url("qylon_owner", "qylon")}, log);
  ASSERT_TRUE(owner) << owner.error().message;
  const Status changed = (*owner)->transact([&](pqxx::transaction_base& tx) {
    storage::Sql sql(tx);
    sql.run("alter table audit_log disable trigger user");
    sql.run(statement);
    sql.run("alter table audit_log enable trigger user");
    return ok();
  });
  ASSERT_TRUE(changed) << changed.error().message;
}

TEST(AuditCommand, FindsWhatWasChangedBesideAServerAndWithoutOneAlsoAfterARotation) {
  const test::TemporaryDirectory directory{test::memory_directory()};
  const std::string data = directory.path() + "/data";
  const std::string verify = "audit verify --data-dir " + data;
  {
    const test::SpawnedProcess server({QYLON_BINARY,
                                       "serve",
                                       "--listen",
                                       "127.0.0.1:0",
                                       "--data-dir",
                                       data,
                                       "--free-bytes-min",
                                       "0",
                                       "--log-level",
                                       "error"});
    ASSERT_TRUE(test::poll_until([&] { return run(verify).status == 0; }));
    // The organisation that every database begins with is an event, so it is in the log.
    ASSERT_TRUE(
        test::poll_until([&] { return run(verify).text.find("0 rows") == std::string::npos; }));
    change_as_owner(data, "update audit_log set action = 'org.forged' where seq = 1");
    const Answer edited = run(verify);
    EXPECT_EQ(edited.status, 1);
    EXPECT_NE(edited.text.find("row 1: it was edited"), std::string::npos) << edited.text;
  }
  const std::string publishable = run("token --publishable --data-dir " + data).text;
  const Answer rotated = run("vault rotate --data-dir " + data);
  EXPECT_EQ(rotated.status, 0) << rotated.text;
  // Clients hold it, so it survives.
  EXPECT_EQ(run("token --publishable --data-dir " + data).text, publishable);
  EXPECT_TRUE(publishable.starts_with("qyp_")) << publishable;
  const Answer later = run(verify);
  EXPECT_EQ(later.status, 1);
  EXPECT_NE(later.text.find("row 1: it was edited"), std::string::npos) << later.text;
}

TEST(AuditCommand, NeedsADirectoryThatHoldsADatabase) {
  const test::TemporaryDirectory directory;
  EXPECT_EQ(run("audit verify --data-dir " + directory.path()).status, 1);
  EXPECT_EQ(run("audit").status, 2);
  EXPECT_EQ(run("vault").status, 2);
}

}  // namespace
}  // namespace qylon::server
