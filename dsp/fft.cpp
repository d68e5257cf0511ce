#include "dsp/fft.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "core/check.hpp"
#include "dsp/kernels.hpp"

namespace qylon::dsp {

/// Twiddles of every pass of a complex FFT of size / 2 points, and of the unpacking after it.
struct FftTable {
  int size = 0;
  std::vector<std::vector<float>> twiddles;  // Per radix-4 pass, as FftPass wants them.
  std::vector<float> cosines;                // Of 2 pi k / size, k < size / 2.
  std::vector<float> sines;
};

namespace {

constexpr int kSizeMin = 64;
constexpr int kSizeMax = 4096;
// One more than half the longest FFT, rounded up to a cache line.
constexpr std::size_t kScratch = kSizeMax / 2 + 16;

std::vector<float> pass_twiddles(std::size_t points) {
  const std::size_t quarter = points / 4;
  std::vector<float> twiddles(6 * quarter);
  for (std::size_t power = 1; power <= 3; ++power) {
    for (std::size_t p = 0; p < quarter; ++p) {
      const double angle =
          -2.0 * std::numbers::pi * static_cast<double>(power * p) / static_cast<double>(points);
      twiddles[(2 * power - 2) * quarter + p] = static_cast<float>(std::cos(angle));
      twiddles[(2 * power - 1) * quarter + p] = static_cast<float>(std::sin(angle));
    }
  }
  return twiddles;
}

FftTable make_table(int size) {
  FftTable table;
  table.size = size;
  const auto points = static_cast<std::size_t>(size) / 2;
  for (std::size_t left = points; left >= 4; left /= 4) {
    table.twiddles.push_back(pass_twiddles(left));
  }
  for (std::size_t k = 0; k < points; ++k) {
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(k) / size;
    table.cosines.push_back(static_cast<float>(std::cos(angle)));
    table.sines.push_back(static_cast<float>(std::sin(angle)));
  }
  return table;
}

struct Split {
  alignas(64) std::array<float, kScratch> real;
  alignas(64) std::array<float, kScratch> imag;
};

/// Packs pairs of `input` as complex points and fills up with zeros.
void pack(std::span<const float> input, std::size_t points, Split& out) noexcept {
  const std::size_t pairs = input.size() / 2;
  kernels().split_pairs(input.data(), pairs, out.real.data(), out.imag.data());
  std::fill(out.real.begin() + static_cast<std::ptrdiff_t>(pairs),
            out.real.begin() + static_cast<std::ptrdiff_t>(points),
            0.0F);
  std::fill(out.imag.begin() + static_cast<std::ptrdiff_t>(pairs),
            out.imag.begin() + static_cast<std::ptrdiff_t>(points),
            0.0F);
  if (input.size() % 2 == 1) out.real[pairs] = input.back();
}

/// The last pass when the points are an odd power of two: n / 2 butterflies of two, in place.
void radix2_pass(std::span<float> values) noexcept {
  const std::size_t half = values.size() / 2;
  for (std::size_t q = 0; q < half; ++q) {
    const float a = values[q];
    const float b = values[q + half];
    values[q] = a + b;
    values[q + half] = a - b;
  }
}

/// Complex FFT of `points`; the result lies in the returned one of the two.
Split* transform(const FftTable& table, std::size_t points, Split* from, Split* to) noexcept {
  std::size_t stride = 1;
  for (const std::vector<float>& twiddles : table.twiddles) {
    kernels().fft_pass({.in_real = from->real.data(),
                        .in_imag = from->imag.data(),
                        .out_real = to->real.data(),
                        .out_imag = to->imag.data(),
                        .twiddles = twiddles.data(),
                        .quarter = twiddles.size() / 6,
                        .stride = stride});
    std::swap(from, to);
    stride *= 4;
  }
  if (stride != points) {
    radix2_pass(std::span(from->real).first(points));
    radix2_pass(std::span(from->imag).first(points));
  }
  return from;
}

/// Spectrum of `input` in split form, bins 0..size / 2; in the returned one of the two.
const Split* spectrum(const FftTable& table,
                      std::span<const float> input,
                      Split& a,
                      Split& b) noexcept {
  QYLON_CHECK(input.size() <= static_cast<std::size_t>(table.size));
  const auto points = static_cast<std::size_t>(table.size) / 2;
  pack(input, points, a);
  Split* const packed = transform(table, points, &a, &b);
  Split* const result = packed == &a ? &b : &a;
  packed->real[points] = packed->real[0];
  packed->imag[points] = packed->imag[0];
  kernels().fft_unpack({.in_real = packed->real.data(),
                        .in_imag = packed->imag.data(),
                        .out_real = result->real.data(),
                        .out_imag = result->imag.data(),
                        .cosines = table.cosines.data(),
                        .sines = table.sines.data(),
                        .points = points});
  result->real[points] = packed->real[0] - packed->imag[0];
  result->imag[points] = 0.0F;
  return result;
}

}  // namespace

Result<RealFft> RealFft::create(int size) {
  if (size < kSizeMin || size > kSizeMax || !std::has_single_bit(static_cast<unsigned>(size))) {
    return Error{ErrorCode::kInvalidArgument,
                 "an FFT's size is a power of two from 64 to 4096, not " + std::to_string(size)};
  }
  return RealFft(std::make_shared<const FftTable>(make_table(size)));
}

int RealFft::size() const noexcept {
  return table_->size;
}

// Scratch lies on the stack, uninitialised on purpose: 33 kB that only large sizes touch in full.
void RealFft::forward(std::span<const float> input,
                      std::span<std::complex<float>> output) const noexcept {
  QYLON_CHECK(output.size() == bins());
  Split a;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  Split b;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const Split* const result = spectrum(*table_, input, a, b);
  for (std::size_t k = 0; k < output.size(); ++k)
    output[k] = {result->real[k], result->imag[k]};
}

void RealFft::power(std::span<const float> input, std::span<float> output) const noexcept {
  QYLON_CHECK(output.size() == bins());
  Split a;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  Split b;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const Split* const result = spectrum(*table_, input, a, b);
  kernels().squared_magnitude(
      result->real.data(), result->imag.data(), output.size(), output.data());
}

void RealFft::cosine(std::span<const float> input, std::span<float> output) const noexcept {
  QYLON_CHECK(output.size() == bins());
  Split a;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  Split b;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const Split* const result = spectrum(*table_, input, a, b);
  std::copy_n(result->real.begin(), output.size(), output.begin());
}

}  // namespace qylon::dsp
