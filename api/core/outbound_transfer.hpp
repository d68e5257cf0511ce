#pragma once
/// One request on its way through libcurl.

#include <cstdint>
#include <memory>
#include <string>

#include "api/core/outbound.hpp"

namespace qylon::api {

/// Threads: one, that of the multi handle it is added to.
class OutboundTransfer {
 public:
  OutboundTransfer(OutboundRequest request, Outbound::Done done, OutboundTarget target);
  ~OutboundTransfer();
  OutboundTransfer(const OutboundTransfer&) = delete;
  OutboundTransfer& operator=(const OutboundTransfer&) = delete;
  OutboundTransfer(OutboundTransfer&&) = delete;
  OutboundTransfer& operator=(OutboundTransfer&&) = delete;

  /// A new try; the result is a CURL*, whose CURLOPT_PRIVATE is this object.
  void* prepare(std::int64_t timeout_ms, bool may_be_private, const std::string& ca_file);
  /// What libcurl's result (a CURLcode) means.
  Result<OutboundAnswer> take_answer(int code);

  const OutboundRequest request;
  const Outbound::Done done;
  const OutboundTarget target;
  std::int64_t deadline_ms = 0;  ///< On the monotonic clock.
  std::int64_t due_ms = 0;       ///< Of the next try.
  int tries = 0;

 private:
  class Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace qylon::api
