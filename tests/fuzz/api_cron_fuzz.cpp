// Schedules that people type: whatever is read comes after the moment asked about, or never.

#include <cstdint>
#include <string_view>

#include "api/core/cron.hpp"
#include "core/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kNow = 1'795'300'000;
  const auto cron = qylon::api::Cron::parse({reinterpret_cast<const char*>(data), size});
  if (!cron) return 0;
  const auto next = cron->next_after(kNow);
  if (next) QYLON_CHECK(*next > kNow && *next % 60 == 0 && cron->next_after(*next - 1) == next);
  return 0;
}
