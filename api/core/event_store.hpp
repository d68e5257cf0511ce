#pragma once
/// Statements on table `events`. Rows that change emit their events themselves (trigger app.emit).
///
/// Threads: inside the body of a transaction as the server itself. What PostgreSQL refuses is
///          thrown through that body.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/core/event.hpp"
#include "core/result.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

struct NewEvent {
  std::string stream;  ///< Of an entity that emits its own changes: not that one.
  std::string type;
  std::string data = "{}";                         ///< JSON.
  std::optional<std::int64_t> expected_version{};  ///< 0: the stream is new; none: any.
  std::string org{};
  int type_version = 1;
};
/// Returns its version in the stream. Errors: kConflict (thrown through the transaction) when the
/// stream does not have the expected version.
std::int64_t append_event(storage::Sql& sql, const NewEvent& event);

/// Brings stored events to the shape that today's code reads, one version at a time. Stored rows
/// never change.
class Upcasters {
 public:
  /// From `data` of one version of a type to that of the next. Errors: kInvalidArgument.
  using Upcast = std::function<Result<std::string>(const std::string& data)>;

  void add(const std::string& type, int from_version, Upcast upcast);
  /// `event` at the highest version that is reached. Errors: what an upcaster returned.
  Result<Event> apply(Event event) const;

 private:
  std::map<std::pair<std::string, int>, Upcast> upcasts_;
};

/// At most `limit` events after `after`, in order. Events of transactions that still run, and all
/// behind them, come later: who has seen one has seen everything before it.
std::vector<Event> read_events(storage::Sql& sql, const EventCursor& after, std::size_t limit);

/// One stream from its beginning: until a version, or a moment (Unix time), or its end.
struct StreamPart {
  std::string stream;
  std::optional<std::int64_t> until_version{};
  std::optional<std::int64_t> until_ms{};
};
std::vector<Event> read_stream(storage::Sql& sql, const StreamPart& part);

/// Whether something lies behind reader `name`'s place. Writes nothing, unlike the next one.
bool has_news(storage::Sql& sql, const std::string& name);
/// Where reader `name` is, locked until the transaction ends; nothing while another server reads
/// for it. A new reader begins before the first event.
std::optional<EventCursor> lock_checkpoint(storage::Sql& sql, const std::string& name);
void move_checkpoint(storage::Sql& sql, const std::string& name, const EventCursor& cursor);

/// Marks what this transaction appends and enqueues from now on as caused by `event`.
void set_cause(storage::Sql& sql, const Event& event);

/// CloudEvents 1.0 in JSON: `source` is this server's URI reference; extensions traceparent,
/// correlationid, causationid, sequence and partitionkey. The caller names `application/
/// cloudevents+json`. Errors: kInvalidArgument when `data` is not JSON.
Result<std::string> cloud_event_json(const Event& event, const std::string& source);

}  // namespace qylon::api
