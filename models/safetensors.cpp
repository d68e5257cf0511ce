#include "models/safetensors.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "models/safetensors_header.hpp"

namespace qylon::models {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kHeaderBytesMax = 1 << 20;
constexpr std::uintmax_t kFileBytesMax = 1U << 30;

Error invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, "weight file: " + std::move(message)};
}

/// IEEE 754 binary16.
float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const int fraction = half & 0x3FF;
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                          : exponent == 31
                              ? HUGE_VALF
                              : std::ldexp(static_cast<float>(fraction | 0x400), exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

std::vector<float> decoded(std::span<const std::byte> bytes, bool half) {
  std::vector<float> values(bytes.size() / (half ? 2 : 4));
  if (!half) {
    static_assert(std::endian::native == std::endian::little);
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto low = std::to_integer<unsigned>(bytes[2 * i]);
    const auto high = std::to_integer<unsigned>(bytes[2 * i + 1]);
    values[i] = half_to_float(static_cast<std::uint16_t>(low | (high << 8)));
  }
  return values;
}

/// Bytes that a tensor of that shape takes; nothing when that is more than any file has.
std::optional<std::uint64_t> size_bytes(std::span<const std::int64_t> shape, std::uint64_t each) {
  std::uint64_t total = each;
  for (const std::int64_t length : shape) {
    if (length != 0 && total > kFileBytesMax / static_cast<std::uint64_t>(length)) return {};
    total *= static_cast<std::uint64_t>(length);
  }
  return total;
}

Result<Tensor> read_tensor(const std::string& name,
                           const WeightHeader::Entry& entry,
                           std::span<const std::byte> data) {
  const bool half = entry.type == "F16";
  if (!half && entry.type != "F32") {
    return invalid("tensor '" + name + "' is " + entry.type + "; F32 and F16 can be read");
  }
  if (entry.begin > entry.end || entry.end > data.size()) {
    return invalid("tensor '" + name + "' lies outside the file");
  }
  if (size_bytes(entry.shape, half ? 2 : 4) != entry.end - entry.begin) {
    return invalid("tensor '" + name + "' has another size than its shape");
  }
  Tensor tensor{entry.shape, decoded(data.subspan(entry.begin, entry.end - entry.begin), half)};
  for (const float value : tensor.values) {
    if (!std::isfinite(value))
      return invalid("tensor '" + name + "' holds a value that is no number");
  }
  return tensor;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t length : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(length);
  }
  return text + "]";
}

}  // namespace

Result<WeightFile> WeightFile::parse(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) return invalid("shorter than its 8-byte header length");
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.data(), kLengthBytes);
  if (header_bytes > kHeaderBytesMax || header_bytes > file.size() - kLengthBytes) {
    return invalid("the header is longer than the file or than 1 MiB");
  }
  const auto* text = reinterpret_cast<const char*>(file.data()) + kLengthBytes;
  Result<WeightHeader> header = parse_weight_header({text, header_bytes});
  if (!header) return header.error();
  WeightFile out;
  out.metadata_ = std::move(header->metadata);
  const std::span<const std::byte> data = file.subspan(kLengthBytes + header_bytes);
  std::uint64_t claimed =
      0;  // Overlapping tensors could ask for far more memory than the file has.
  for (const auto& [name, entry] : header->tensors) {
    claimed += entry.end > entry.begin ? entry.end - entry.begin : 0;
    if (claimed > data.size()) return invalid("tensors overlap or lie outside the file");
    Result<Tensor> tensor = read_tensor(name, entry, data);
    if (!tensor) return tensor.error();
    out.tensors_[name] = *std::move(tensor);
  }
  return out;
}

Result<WeightFile> WeightFile::read(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return Error{ErrorCode::kNotFound, "weight file " + path + ": " + error.message()};
  if (size > kFileBytesMax) return invalid(path + " is larger than 1 GiB");
  std::vector<std::byte> bytes(size);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
    return Error{ErrorCode::kNotFound, "weight file " + path + " cannot be read"};
  }
  return parse(bytes);
}

bool WeightFile::has(std::string_view name) const {
  return tensors_.contains(name);
}

Result<std::span<const float>> WeightFile::tensor(std::string_view name,
                                                  std::span<const std::int64_t> shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return invalid("there is no tensor '" + std::string(name) + "'");
  const Tensor& tensor = found->second;
  if (!std::equal(shape.begin(), shape.end(), tensor.shape.begin(), tensor.shape.end())) {
    return invalid("tensor '" + found->first + "' is " + shape_text(tensor.shape) + ", not " +
                   shape_text(shape));
  }
  return std::span<const float>(tensor.values);
}

std::span<const std::int64_t> WeightFile::shape(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return {};
  return found->second.shape;
}

std::optional<std::string_view> WeightFile::metadata(std::string_view key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return std::nullopt;
  return found->second;
}

Result<float> WeightFile::number(std::string_view key) const {
  const std::optional<std::string_view> text = metadata(key);
  float value = 0;
  if (text) {
    const auto [stopped, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc{} && stopped == text->data() + text->size() && std::isfinite(value)) {
      return value;
    }
  }
  return invalid("metadata '" + std::string(key) + "' must be a number");
}

}  // namespace qylon::models
