// The journal: checksum, scan, and what a record costs until it is called durable. The directory is
// QYLON_BENCH_DIR, or the temporary one: what is measured there is that disk.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/caption_record.hpp"
#include "storage/crc32c.hpp"
#include "storage/journal.hpp"

namespace qylon::storage {
namespace {

constexpr std::size_t kFrameBytes = 80;  // 20 ms of Opus at 32 kbit/s.

Record frame() {
  Record record;
  record.payload.assign(kFrameBytes, 7);
  return record;
}

void BM_Crc32c(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state)
    benchmark::DoNotOptimize(crc32c(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Crc32c)->Arg(80)->Arg(65536);

void BM_ScanSegment(benchmark::State& state) {
  const SegmentHeader header{};
  auto segment = encode_segment_header(header);
  while (segment.size() < (16U << 20))
    encode_record(frame(), header.seed(), segment);
  for (auto _ : state)
    benchmark::DoNotOptimize(scan_segment(segment, [](const Record&) {}).records);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(segment.size()));
}
BENCHMARK(BM_ScanSegment)->Unit(benchmark::kMillisecond);

/// A tenth of a second of `streams` streams, until the last frame is durable.
void BM_AppendUntilDurable(benchmark::State& state) {
  const char* chosen = std::getenv("QYLON_BENCH_DIR");
  const auto parent =
      chosen == nullptr ? std::filesystem::temp_directory_path() : std::filesystem::path(chosen);
  const std::string dir = (parent / "qylon-journal-bench").string();
  const SystemClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  Journal::Options options;
  options.dir = dir;
  auto journal = Journal::open(options, log, counters, clock);
  if (!journal) return state.SkipWithError(journal.error().message.c_str());
  const auto frames = state.range(0) * 5;
  for (auto _ : state) {
    std::promise<bool> last;
    for (std::int64_t i = 1; i < frames; ++i)
      benchmark::DoNotOptimize((*journal)->append(frame(), nullptr));
    benchmark::DoNotOptimize(
        (*journal)->append(frame(), [&last](bool durable) { last.set_value(durable); }));
    if (!last.get_future().get()) return state.SkipWithError("not durable");
  }
  state.SetItemsProcessed(state.iterations() * frames);
  journal->reset();
  std::filesystem::remove_all(dir);
}
BENCHMARK(BM_AppendUntilDurable)->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace qylon::storage

BENCHMARK_MAIN();
