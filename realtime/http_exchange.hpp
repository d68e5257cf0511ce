#pragma once
/// One HTTP request and its answer.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>

#include "core/http.hpp"
#include "realtime/body_decoder.hpp"
#include "realtime/http_response.hpp"
#include "realtime/net_mailbox.hpp"
#include "realtime/request_rules.hpp"

namespace qylon::realtime {

/// Collects the body, hands the request to the handler once it is whole, and keeps the answer,
/// which may come inside handle() or later from any thread.
///
/// Threads: its connection's net thread; the reply through `executor`.
class HttpExchange : public std::enable_shared_from_this<HttpExchange> {
 public:
  enum class Body : std::uint8_t { kMore, kWhole, kLastChunk, kRefused };

  /// `on_answer` is called on the net thread when the answer comes later than handle().
  HttpExchange(HttpRequest request,
               const ResponseOptions& options,
               std::shared_ptr<NetExecutor> executor,
               std::function<void()> on_answer);

  /// A body with this plan follows.
  void expect_body(const BodyPlan& plan, std::size_t bytes_max);
  bool expects_body() const noexcept { return body_.has_value(); }
  /// kRefused: answer() was called with a problem, and the connection must close after it.
  Body on_body(std::string_view bytes);

  /// Hands the request over. Does nothing the second time.
  void dispatch(HttpHandler& handler);
  bool dispatched() const noexcept { return dispatched_; }
  /// Does nothing the second time.
  void answer(HttpResponse response);
  /// As answer(), and the connection closes afterwards.
  void refuse(int status, std::string_view detail);

  /// The connection closes after the answer.
  void close_afterwards() noexcept { options_.keep_alive = false; }
  bool answered() const noexcept { return stream_ != nullptr; }
  bool keep_alive() const noexcept { return options_.keep_alive; }
  /// REQUIRES: answered().
  ResponseStream& stream() { return *stream_; }

 private:
  HttpRequest request_;
  ResponseOptions options_;
  const std::shared_ptr<NetExecutor> executor_;
  const std::function<void()> on_answer_;
  std::optional<BodyDecoder> body_;  // While one is expected.
  bool dispatched_ = false;
  bool in_handler_ = false;
  std::unique_ptr<ResponseStream> stream_;
};

}  // namespace qylon::realtime
