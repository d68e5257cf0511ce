#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/sync.hpp"

namespace qylon::loadgen {

/// Everything that was sent, acknowledged and received, one JSON object a line:
/// `{"us":MONOTONIC,"who":"uplink 3","what":"sent","n":57}`. `us` is CLOCK_MONOTONIC, so that
/// other programs of this machine can place their own deeds among the lines.
///
/// Bounds  : the file grows by about 60 bytes a line; without a path nothing is written.
/// Threads : every method is safe from any thread.
class OracleLog {
 public:
  /// Errors: kInvalidArgument when `path`, not empty, cannot be written.
  static Result<std::unique_ptr<OracleLog>> open(const std::string& path);

  void write(std::int64_t us, std::string_view who, std::string_view what, std::uint64_t n)
      QYLON_EXCLUDES(mutex_);

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  OracleLog() = default;

  Mutex mutex_;
  std::unique_ptr<std::FILE, Close> file_ QYLON_GUARDED_BY(mutex_);
};

}  // namespace qylon::loadgen
