#pragma once
/// Where a subscriber's past comes from: the finals and the newest status that are stored.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace qylon::realtime {

/// Threads: read() is called on net threads and must not block; the answer may come on any thread.
class History {
 public:
  struct Page {
    Epoch epoch;                    ///< The meeting's numbering.
    std::uint64_t last_offset = 0;  ///< Newest offset stored for the meeting, in this page or not.
    /// Finals with offset > after_offset as encode_caption() made them, rising without a hole.
    std::vector<std::pair<std::uint64_t, std::shared_ptr<const std::string>>> finals;
    std::shared_ptr<const std::string> status;  ///< encode_status(); null when none is known.
  };
  using Answer = std::function<void(Result<Page>)>;

  History() = default;
  virtual ~History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;
  History(History&&) = delete;
  History& operator=(History&&) = delete;

  /// At most `limit` finals after `after_offset`; limit 0 asks for epoch, position and status only.
  /// Calls `answer` exactly once. Errors: kNotFound unknown meeting; kOverloaded, kUnavailable:
  /// the session asks again later.
  virtual void read(MeetingId meeting,
                    std::uint64_t after_offset,
                    std::size_t limit,
                    Answer answer) = 0;
};

}  // namespace qylon::realtime
