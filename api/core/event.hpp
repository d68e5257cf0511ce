#pragma once
/// What happened: a fact of one stream, as it was written with the change that made it.

#include <cstdint>
#include <string>

namespace qylon::api {

/// A place in the order in which readers see events: below every running transaction, by
/// transaction, then by row.
struct EventCursor {
  std::string tx = "0";  ///< A 64-bit transaction id (xid8).
  std::int64_t pos = 0;
};

struct Event {
  EventCursor cursor;
  std::string id;            ///< UUID.
  std::string org;           ///< UUID of the organisation, or empty.
  std::string stream;        ///< "client:<UUID>".
  std::int64_t version = 0;  ///< 1, 2, ... in its stream.
  std::string type;          ///< "client.created".
  int type_version = 1;      ///< Of the shape of `data`.
  std::string data;          ///< JSON.
  std::string actor;         ///< UUID of the user, or empty.
  std::string traceparent;   ///< W3C Trace Context, or empty.
  std::string causation;     ///< UUID of the event that caused it, or empty.
  std::string correlation;   ///< UUID of the first event of that chain, or empty.
  std::string time;          ///< RFC 3339, UTC, microseconds.
};

}  // namespace qylon::api
