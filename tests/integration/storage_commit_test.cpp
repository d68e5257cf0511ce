// The answer to COMMIT is lost, again and again: the writer cannot know whether its batch was
// stored, asks again, and every row is there once. A relay before a real PostgreSQL cuts.

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/caption_writer.hpp"
#include "storage/database.hpp"
#include "storage/meeting_store.hpp"
#include "storage/migrations.hpp"
#include "storage/private_cluster.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

/// libpqxx 6.4.5 drops the answer of a statement whose connection breaks under it: 2 KB an outage.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:PQmakeEmptyPGresult\n";
}

namespace qylon::storage {
namespace {

const SystemClock kClock;
const Log kLog(kClock, LogLevel::kError, -1);

int unix_socket(const std::string& path,
                int (*use)(int socket, const sockaddr* address, socklen_t size)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.data(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(use(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << path << ": " << std::strerror(errno);
  return socket;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Carries a client's messages to PostgreSQL and its bytes back, and cuts some COMMITs'
/// connections. Source: PostgreSQL 15 manual, section 55.7 (message formats).
class CommitCutter {
 public:
  CommitCutter(std::string listen_path, std::string server_path, std::uint64_t seed)
      : server_path_(std::move(server_path)),
        random_(seed),
        listener_(unix_socket(listen_path, ::bind)) {
    EXPECT_EQ(::listen(listener_, 16), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~CommitCutter() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);  // Wakes the poll.
    thread_.join();
    ::close(listener_);
  }
  CommitCutter(const CommitCutter&) = delete;
  CommitCutter& operator=(const CommitCutter&) = delete;
  CommitCutter(CommitCutter&&) = delete;
  CommitCutter& operator=(CommitCutter&&) = delete;

  /// From now on cuts two of three COMMITs until `count` were cut.
  void cut(int count) { to_cut_ = count; }
  int to_cut() const { return to_cut_; }
  int cut_after_storing() const { return cut_after_storing_; }

 private:
  struct Pair {
    Pair(int client_socket, int server_socket) : client(client_socket), server(server_socket) {}
    ~Pair() {
      ::close(client);
      ::close(server);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    Pair(Pair&&) = delete;
    Pair& operator=(Pair&&) = delete;

    const int client;
    const int server;
    bool started = false;  // The first message has no type.
    std::string pending;   // Of the client; not yet a whole message.
  };

  void run() {
    while (!stopping_) {
      std::vector<pollfd> waiters{{listener_, POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        waiters.push_back({pair.client, POLLIN, 0});
        waiters.push_back({pair.server, POLLIN, 0});
      }
      ::poll(waiters.data(), waiters.size(), -1);
      std::size_t at = 1;
      for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
        const bool kept = (waiters[at].revents == 0 || carry_up(*pair)) &&
                          (waiters[at + 1].revents == 0 || carry_down(*pair));
        pair = kept ? std::next(pair) : pairs_.erase(pair);
      }
      if (waiters[0].revents != 0 && !stopping_) accept();
    }
  }
  void accept() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) pairs_.emplace_back(client, unix_socket(server_path_, ::connect));
  }

  static bool receive(int socket, std::string& into) {
    std::array<char, 16384> bytes{};
    const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (count <= 0) return false;
    into.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
  }
  static bool carry_down(const Pair& pair) {
    std::string bytes;
    return receive(pair.server, bytes) && send_all(pair.client, bytes);
  }
  bool carry_up(Pair& pair) {
    if (!receive(pair.client, pair.pending)) return false;
    for (std::string message; !(message = next_message(pair)).empty();) {
      if (is_commit(message) && to_cut_ > 0 && random_.below(3) != 0) {
        cut_at(pair, message);
        --to_cut_;
        return false;
      }
      if (!send_all(pair.server, message)) return false;
    }
    return true;
  }
  /// Empty when the next message is not whole yet.
  static std::string next_message(Pair& pair) {
    const std::size_t head = pair.started ? 1 : 0;
    if (pair.pending.size() < head + 4) return {};
    std::size_t size = 0;
    for (std::size_t i = head; i < head + 4; ++i)
      size = size << 8 | static_cast<unsigned char>(pair.pending[i]);
    if (pair.pending.size() < head + size) return {};
    std::string message = pair.pending.substr(0, head + size);
    pair.pending.erase(0, head + size);
    pair.started = true;
    return message;
  }
  static bool is_commit(std::string_view message) {
    return message.size() == 12 && message[0] == 'Q' && message.substr(5, 6) == "COMMIT";
  }

  /// In the middle of COMMIT, right behind it, or in the middle of its answer.
  void cut_at(const Pair& pair, std::string_view commit) {
    const std::uint64_t moment = random_.below(4);
    if (moment == 0) commit = commit.substr(0, random_.below(commit.size()));
    send_all(pair.server, commit);
    if (moment <= 1) return;
    std::string answer;
    constexpr std::size_t kCommandCompleteAndReady = 12 + 6;
    while (answer.size() < kCommandCompleteAndReady && receive(pair.server, answer)) {
    }
    ++cut_after_storing_;
    const std::size_t told = random_.below(kCommandCompleteAndReady);
    send_all(pair.client, std::string_view(answer).substr(0, told));
  }

  const std::string server_path_;
  test::Random random_;  // Owned by the thread, like the pairs.
  const int listener_;
  std::list<Pair> pairs_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> to_cut_{0};
  std::atomic<int> cut_after_storing_{0};
  std::thread thread_;
};

std::unique_ptr<Database> open_database(const std::string& url, Counters& counters) {
  Database::Options options;
  options.url = url;
  options.connections = 1;
  auto database = Database::open(options, kLog, counters, kClock);
  EXPECT_TRUE(database) << database.error().message;
  return *std::move(database);
}

template <typename T>
T run(Database& database, const std::function<T(Session&)>& job) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  EXPECT_TRUE(
      database.submit([promise, job](Session& session) { promise->set_value(job(session)); }));
  return future.get();
}

CaptionPtr caption(MeetingId meeting, std::uint64_t offset) {
  auto result = std::make_shared<Caption>();
  result->meeting = meeting;
  result->offset = offset;
  result->segment = offset;
  result->start_ms = static_cast<std::int64_t>(offset) * 1000;
  result->end_ms = result->start_ms + 900;
  result->speaker = {"s1", "Ann", Provenance::kEnrolled, 0.5F};
  result->text = "caption " + std::to_string(offset);
  result->words = {{"caption", result->start_ms, result->start_ms + 400, 0.75F},
                   {std::to_string(offset), result->start_ms + 500, result->end_ms, 0.25F}};
  result->language = "en";
  result->engine = "pocketsphinx";
  return result;
}

TEST(CaptionWriterInDoubt, FiftyLostAnswersToCommitLeaveEveryRowOnce) {
  constexpr int kCuts = 50;
  constexpr std::uint64_t kCaptions = 400;
  test::TemporaryDirectory directory(test::memory_directory());
  PrivateCluster::Options where;
  where.data_dir = directory.path();
  const auto cluster = PrivateCluster::start(where, kLog);
  ASSERT_TRUE(cluster) << cluster.error().message;
  ASSERT_TRUE(migrate((*cluster)->owner_url(), kLog));
  Counters counters;
  const auto direct = open_database((*cluster)->url(), counters);
  const auto meeting = run<Result<MeetingInfo>>(*direct, [](Session& session) {
    return create_meeting(session, {"In doubt", {}});
  });
  ASSERT_TRUE(meeting) << meeting.error().message;

  test::TemporaryDirectory relay_directory;
  constexpr const char* kSocket = "/.s.PGSQL.5432";
  CommitCutter cutter(
      relay_directory.path() + kSocket, directory.path() + "/postgres/socket" + kSocket, 7);
  Counters relayed_counters;
  const auto relayed =
      open_database((*cluster)->url() + " host=" + relay_directory.path(), relayed_counters);
  cutter.cut(kCuts);
  std::uint64_t settled = 0;
  {
    CaptionWriter writer(
        {.batch_interval_ms = 0, .retry_interval_ms = 1, .queue = {.batch_captions_max = 4}},
        {.on_stored =
             [&settled](MeetingId, std::uint64_t offset) {
               EXPECT_GT(offset, settled);
               settled = offset;
             },
         .reread = {}},
        *relayed,
        kLog,
        relayed_counters,
        kClock);
    for (std::uint64_t offset = 1; offset <= kCaptions; ++offset)
      writer.add(caption(meeting->id, offset));
    std::promise<Status> flushed;
    writer.flush([&flushed](const Status& status) { flushed.set_value(status); });
    const Status status = flushed.get_future().get();
    ASSERT_TRUE(status) << status.error().message;
  }
  EXPECT_EQ(cutter.to_cut(), 0);
  EXPECT_GT(cutter.cut_after_storing(), kCuts / 5);
  EXPECT_EQ(settled, kCaptions);
  EXPECT_EQ(relayed_counters.counter("qylon_caption_writer_refused_total", "").value(), 0U);
  const auto rows = run<Result<std::vector<Caption>>>(*direct, [&](Session& session) {
    return load_captions(session, meeting->id, 0, 2 * kCaptions);
  });
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), kCaptions);
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Caption& row = (*rows)[i];
    EXPECT_EQ(row.offset, i + 1);
    EXPECT_EQ(row.text, "caption " + std::to_string(i + 1));
    ASSERT_EQ(row.words.size(), 2U);
    EXPECT_EQ(row.words[1].text, std::to_string(i + 1));
  }
}

}  // namespace
}  // namespace qylon::storage
