#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/check.hpp"
#include "storage/spool_disk.hpp"
#include "tests/support/random.hpp"

namespace qylon::test {

/// A disk with a page cache: what was written and not synced is lost or torn by a crash, a failed
/// sync drops it, and any call can be made to fail. Aborts when a file is used after its sync
/// failed. Threads: one at a time.
class SimDiskState {
 public:
  enum class Fault : std::uint8_t {
    kNone,
    kError,   ///< Nothing happens.
    kShort,   ///< A write stops half way; else as kError.
    kDone,    ///< It happens, and the answer is an error.
    kKilled,  ///< As kShort, but a sync drops nothing: the process dies before it.
  };
  /// Says what call number `call`, from 1, of those that change the disk does. Null: no fault.
  std::function<Fault(std::uint64_t call)> plan;
  storage::DiskSpace space{std::int64_t{1} << 40, std::int64_t{1} << 40};
  /// A sync that succeeds keeps nothing, as a drive with a volatile cache that ignores flushes.
  bool lies = false;

  std::uint64_t calls() const noexcept { return calls_; }
  std::map<std::uint64_t, std::vector<std::uint8_t>>& durable() noexcept { return durable_; }

  /// Power fails: of each file's unsynced sectors some are on the disk and some are not.
  void crash(Random& random) {
    ++power_;
    for (const std::uint64_t number : clean_)
      cached_.erase(number);
    clean_.clear();
    for (auto& [number, cached] : cached_) {
      auto& kept = durable_[number];
      constexpr std::size_t kSector = 512;
      for (std::size_t at = kept.size() / kSector * kSector; at < cached.size(); at += kSector) {
        if (!random.chance(0.5)) continue;
        const std::size_t end = std::min(at + kSector, cached.size());
        if (kept.size() < end) kept.resize(end);
        std::copy(cached.begin() + static_cast<std::ptrdiff_t>(at),
                  cached.begin() + static_cast<std::ptrdiff_t>(end),
                  kept.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    cached_.clear();
  }
  /// The process dies and the kernel lives: everything written stays, if the power does.
  void kill() { ++power_; }

 private:
  friend class SimDisk;
  Fault next() {
    ++calls_;
    return plan ? plan(calls_) : Fault::kNone;
  }

  std::map<std::uint64_t, std::vector<std::uint8_t>> durable_;
  std::map<std::uint64_t, std::vector<std::uint8_t>> cached_;  // Whole content of open files.
  // Of those, what the kernel shows and believes written. Source: Rebello et al., see File::sync.
  std::set<std::uint64_t> clean_;
  std::uint64_t calls_ = 0;
  std::uint64_t power_ = 0;  // Files of an earlier life write nothing any more.
};

class SimDisk final : public storage::SpoolDisk {
 public:
  using Fault = SimDiskState::Fault;
  explicit SimDisk(SimDiskState& state) : state_(state) {}

  Result<std::vector<std::uint64_t>> list() override {
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, bytes] : state_.durable_)
      numbers.push_back(number);
    return numbers;
  }
  Result<std::vector<std::uint8_t>> read(std::uint64_t number,
                                         std::size_t offset,
                                         std::size_t bytes_max) const override {
    const auto cached = state_.cached_.find(number);
    const auto durable = state_.durable_.find(number);
    if (durable == state_.durable_.end()) return error("read");
    const auto& bytes = cached == state_.cached_.end() ? durable->second : cached->second;
    const std::size_t begin = std::min(offset, bytes.size());
    const std::size_t end = begin + std::min(bytes_max, bytes.size() - begin);
    return std::vector<std::uint8_t>(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(end));
  }
  Result<std::unique_ptr<storage::SpoolFile>> create(std::uint64_t number, std::size_t) override {
    const Fault fault = state_.next();
    if (fault != Fault::kNone && fault != Fault::kDone) return error("create");
    QYLON_CHECK(!state_.durable_.contains(number));
    state_.durable_[number];
    if (fault == Fault::kDone) return error("create");
    return std::unique_ptr<storage::SpoolFile>(std::make_unique<File>(state_, number));
  }
  Status sync(std::uint64_t number) override {
    const Fault fault = state_.next();
    const auto cached = state_.cached_.find(number);
    const bool dirty = cached != state_.cached_.end() && !state_.clean_.contains(number);
    const bool lies = fault == Fault::kNone && state_.lies;
    if (dirty && !lies && (fault == Fault::kNone || fault == Fault::kDone))
      state_.durable_[number] = cached->second;
    if (fault == Fault::kNone) return ok();
    state_.clean_.insert(number);
    return error("fdatasync");
  }
  Status remove(std::uint64_t number) override {
    const Fault fault = state_.next();
    if (fault == Fault::kNone || fault == Fault::kDone) {
      state_.durable_.erase(number);
      state_.cached_.erase(number);
      state_.clean_.erase(number);
    }
    return fault == Fault::kNone ? ok() : Status(error("remove"));
  }
  Result<storage::DiskSpace> space() override {
    if (state_.next() != Fault::kNone) return error("space");
    return state_.space;
  }

 private:
  static Error error(const char* call) {
    return {ErrorCode::kUnavailable, std::string(call) + ": rehearsed"};
  }

  class File final : public storage::SpoolFile {
   public:
    File(SimDiskState& state, std::uint64_t number)
        : state_(state), number_(number), power_(state.power_) {}
    ~File() override {
      // The kernel writes it some day; until then only what was synced is sure.
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    File(File&&) = delete;
    File& operator=(File&&) = delete;

    Status write(std::span<const std::uint8_t> bytes) override {
      QYLON_CHECK(!failed_ && power_ == state_.power_);
      const Fault fault = state_.next();
      auto& cached = content();
      const bool cut = fault == Fault::kShort || fault == Fault::kKilled;
      const auto count = static_cast<std::ptrdiff_t>(fault == Fault::kError ? 0
                                                     : cut                  ? bytes.size() / 2
                                                                            : bytes.size());
      cached.insert(cached.end(), bytes.begin(), bytes.begin() + count);
      failed_ = fault != Fault::kNone;
      return failed_ ? Status(error("write")) : ok();
    }
    Status sync() override {
      QYLON_CHECK(!failed_ && power_ == state_.power_);
      const Fault fault = state_.next();
      const bool lies = fault == Fault::kNone && state_.lies;
      if (!lies && (fault == Fault::kNone || fault == Fault::kDone))
        state_.durable_[number_] = content();
      failed_ = fault != Fault::kNone;
      // Source: Rebello et al., USENIX ATC 2020: after the error the pages are clean, and gone.
      if (failed_ && fault != Fault::kKilled) state_.cached_.erase(number_);
      return failed_ ? Status(error("fdatasync")) : ok();
    }

   private:
    std::vector<std::uint8_t>& content() {
      const auto [entry, added] = state_.cached_.try_emplace(number_);
      if (added) entry->second = state_.durable_[number_];
      return entry->second;
    }

    SimDiskState& state_;
    const std::uint64_t number_;
    const std::uint64_t power_;
    bool failed_ = false;
  };

  SimDiskState& state_;
};

}  // namespace qylon::test
