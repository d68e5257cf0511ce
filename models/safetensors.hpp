#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon::models {

/// One array of a weight file.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  ///< Row-major, as many as the shape says.
};

/// A file of named arrays with text metadata, in the safetensors format.
///
/// Input   : u64 little-endian header length, that many bytes of JSON, then the data. F32 and F16
///           tensors are read, both to float; others are refused.
/// Owns    : a copy of all values.
/// Errors  : kInvalidArgument that names the tensor: a header longer than the file or than 1 MiB,
///           JSON of another form, offsets outside the data or that do not match the shape,
///           values that are not finite; kNotFound for a missing file.
/// Source  : huggingface/safetensors README, "Format".
class WeightFile {
 public:
  static Result<WeightFile> parse(std::span<const std::byte> file);
  static Result<WeightFile> read(const std::string& path);

  bool has(std::string_view name) const;
  /// The tensor with exactly that shape; otherwise an error that names both shapes.
  Result<std::span<const float>> tensor(std::string_view name,
                                        std::span<const std::int64_t> shape) const;
  /// Its shape; empty when there is no such tensor.
  std::span<const std::int64_t> shape(std::string_view name) const;

  std::optional<std::string_view> metadata(std::string_view key) const;
  /// A number written in the metadata.
  Result<float> number(std::string_view key) const;

 private:
  std::map<std::string, Tensor, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

}  // namespace qylon::models
