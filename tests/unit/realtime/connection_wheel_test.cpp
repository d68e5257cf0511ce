#include "realtime/connection_wheel.hpp"

#include <map>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/fake_session_port.hpp"

namespace qylon::realtime {
namespace {

class ConnectionWheelTest : public testing::Test {
 protected:
  Connection& add(std::uint64_t id) {
    return wheel_.add(std::make_unique<Connection>(
        parts_, id, PeerAddress{"127.0.0.1", true}, Newcomers::Place()));
  }
  std::set<std::uint64_t> all() {
    std::set<std::uint64_t> ids;
    wheel_.for_all([&ids](Connection& connection) { ids.insert(connection.id()); });
    return ids;
  }

  test::SessionWorld world_;
  test::EchoHandler http_;
  MemoryWatch memory_{{.bytes_max = 1, .bytes_taken = [] { return std::size_t{0}; }}};
  Newcomers newcomers_{1'000, world_.counters.newcomers};
  FurtherSessions further_;
  EdgeRules rules_;
  ConnectionParts parts_{.sessions = world_.parts,
                         .http = http_,
                         .memory = memory_,
                         .newcomers = newcomers_,
                         .further_sessions = further_,
                         .rules = rules_,
                         .executor = world_.executor,
                         .scratch = {},
                         .on_stalled = {}};
  ConnectionWheel wheel_;
};

TEST_F(ConnectionWheelTest, ARoundVisitsEveryConnectionOnce) {
  for (std::uint64_t id = 1; id <= 95; ++id)
    add(id);
  std::map<std::uint64_t, int> visits;
  for (std::size_t tick = 0; tick < ConnectionWheel::kSlots; ++tick) {
    std::size_t visited = 0;
    wheel_.turn([&](Connection& connection) {
      ++visits[connection.id()];
      ++visited;
    });
    EXPECT_LE(visited, 10U) << "a tick looks after its own tenth";
  }
  ASSERT_EQ(visits.size(), 95U);
  for (const auto& [id, count] : visits)
    EXPECT_EQ(count, 1) << id;
}

/// The last of a slot takes the place of the one that went, wherever that was.
TEST_F(ConnectionWheelTest, WhoStaysIsStillThereWhoeverGoes) {
  std::map<std::uint64_t, Connection*> connections;
  for (std::uint64_t id = 0; id < 60; ++id)
    connections[id] = &add(id);
  std::set<std::uint64_t> expected = all();
  for (const std::uint64_t id : {0, 50, 30, 10, 20, 40, 7, 57, 1}) {
    wheel_.remove(*connections.at(id));
    expected.erase(id);
    EXPECT_EQ(all(), expected) << id << " went";
    EXPECT_EQ(wheel_.size(), expected.size());
  }
  EXPECT_EQ(world_.registry.gauge("qylon_edge_connections", "").value(),
            static_cast<std::int64_t>(expected.size()));
}

}  // namespace
}  // namespace qylon::realtime
