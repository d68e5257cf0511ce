#include "bench/loadgen/oracle_log.hpp"

#include <cinttypes>

namespace qylon::loadgen {

Result<std::unique_ptr<OracleLog>> OracleLog::open(const std::string& path) {
  std::unique_ptr<OracleLog> log(new OracleLog);
  if (path.empty()) return log;
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "w"));
  if (!file) return Error{ErrorCode::kInvalidArgument, "--log: cannot write " + path};
  const MutexLock lock(log->mutex_);
  log->file_ = std::move(file);
  return log;
}

void OracleLog::write(std::int64_t us,
                      std::string_view who,
                      std::string_view what,
                      std::uint64_t n) {
  const MutexLock lock(mutex_);
  if (!file_) return;
  std::fprintf(file_.get(),
               "{\"us\":%" PRId64 ",\"who\":\"%.*s\",\"what\":\"%.*s\",\"n\":%" PRIu64 "}\n",
               us,
               static_cast<int>(who.size()),
               who.data(),
               static_cast<int>(what.size()),
               what.data(),
               n);
}

}  // namespace qylon::loadgen
