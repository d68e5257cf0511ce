// Weight files come by path from operators: any bytes load or are refused, and what loads gives
// exactly as many values as its shape says.

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/check.hpp"
#include "models/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file =
      qylon::models::WeightFile::parse(std::as_bytes(std::span<const std::uint8_t>(data, size)));
  if (!file || !file->has("a")) return 0;
  std::int64_t count = 1;
  for (const std::int64_t length : file->shape("a"))
    count *= length;
  const auto values = file->tensor("a", file->shape("a"));
  QYLON_CHECK(values);
  QYLON_CHECK(values->size() == static_cast<std::size_t>(count));
  return 0;
}
