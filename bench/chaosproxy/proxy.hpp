#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "bench/chaosproxy/delay_line.hpp"
#include "bench/chaosproxy/weather.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/unique_fd.hpp"

namespace qylon::chaosproxy {

/// A TCP proxy whose network misbehaves as told.
///
/// Orders  : `up WEATHER` and `down WEATHER` (client to server, server to client; of all
///           connections from now on), `stall MS` (nothing passes, either way; kernels' buffers
///           fill), `rst [PERCENT]` (resets that share of the connections, chosen by the seed),
///           `halfclose` (the clients' sides are told that the server has finished, without more),
///           `forget` (stops passing anything on the present connections without closing them: the
///           dead peer), `stats`. Each is answered with one line, `ok ...` or `error ...`.
/// Threads : one thread calls everything.
/// Errors  : a connection that fails is closed on both sides; accept() out of descriptors waits.
class Proxy {
 public:
  struct Options {
    std::string host = "127.0.0.1";  ///< IPv4, of the server and of the proxy itself.
    int port = 0;                    ///< To listen on; 0 picks one.
    int server_port = 0;
    Weather up;
    Weather down;
    std::uint64_t seed = 1;
  };
  /// Errors: kInvalidArgument for a host that is no IPv4 address; kUnavailable when the port is
  /// taken.
  static Result<std::unique_ptr<Proxy>> listen(const Options& options, const Clock& clock);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  Proxy(Proxy&&) = delete;
  Proxy& operator=(Proxy&&) = delete;

  int port() const noexcept { return port_; }
  std::size_t connections() const noexcept { return pairs_.size(); }
  /// Becomes readable when there is something to do; see also patience_ms().
  int descriptor() const noexcept { return epoll_.get(); }
  /// How long nothing is due; -1: for ever.
  int patience_ms() const;
  /// Does what is due, without waiting.
  void step();
  std::string obey(std::string_view order);

 private:
  enum Side : std::uint8_t { kClient, kServer };
  struct Pair;
  struct End {
    Pair* pair = nullptr;
    Side side = kClient;
  };
  struct Pair {
    explicit Pair(std::uint64_t seed) : lines{DelayLine(seed), DelayLine(seed + 1)} {}
    std::array<UniqueFd, 2> sockets;
    std::array<DelayLine, 2> lines;         // By the side that the bytes come from.
    std::array<bool, 2> finished{};         // The side has sent its end.
    std::array<bool, 2> end_passed{};       // And the other side was told.
    std::array<bool, 2> blocked{};          // The side's socket takes no more for now.
    std::array<std::uint32_t, 2> events{};  // Asked of epoll.
    std::array<End, 2> ends;
    bool connecting = true;
    bool forgotten = false;
    bool dead = false;
  };

  Proxy(const Options& options, const Clock& clock);
  void accept_all();
  void on_event(const End& end, std::uint32_t events);
  void read(Pair& pair, Side from);
  void write(Pair& pair, Side from);
  void pass_end(Pair& pair, Side from);
  void ask(Pair& pair);
  void reset(Pair& pair);
  const Weather& weather(Side from) const noexcept { return from == kClient ? up_ : down_; }
  bool stalled() const { return clock_.monotonic_us() < stalled_until_us_; }
  std::string set_weather(Weather& weather, std::string_view text);
  std::string reset_some(std::string_view percent);

  const Options options_;
  const Clock& clock_;
  std::mt19937_64 random_;
  Weather up_;
  Weather down_;
  UniqueFd epoll_;
  UniqueFd listener_;
  int port_ = 0;
  std::list<Pair> pairs_;
  std::int64_t stalled_until_us_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t resets_ = 0;
  std::uint64_t passed_ = 0;  // Of connections that are gone.
};

}  // namespace qylon::chaosproxy
