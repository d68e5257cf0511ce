#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/check.hpp"
#include "dsp/kernels.hpp"

namespace qylon::dsp {
namespace {

static_assert(std::endian::native == std::endian::little, "samples are read as they lie in memory");

float dot(const float* a, const float* b, std::size_t count) noexcept {
  // Four chains: an addition depends on the one four before it, and rounding grows more slowly.
  float sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane)
      sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < count; ++i)
    sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void dot_eight(const float* window, const float* rows, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < 8; ++i) {
    float sums[4] = {};
    for (std::size_t k = 0; k < count; ++k)
      sums[k % 4] += window[k] * rows[k / 16 * 128 + i * 16 + k % 16];
    out[i] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
}

void half_band(const float* even,
               const float* odd,
               const float* taps,
               std::size_t tap_count,
               std::size_t count,
               float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    float sum = 0.5F * odd[i];
    for (std::size_t j = 0; j < tap_count; ++j)
      sum += even[i + j] * taps[j];
    out[i] = sum;
  }
}

void dot_bands(const float* x,
               const std::uint16_t* begins,
               const float* rows,
               std::size_t count,
               float* out) noexcept {
  for (std::size_t i = 0; i < 8; ++i) {
    float sum = 0.0F;
    for (std::size_t k = 0; k < count; ++k)
      sum += x[begins[i] + k] * rows[k / 8 * 64 + i * 8 + k % 8];
    out[i] = sum;
  }
}

void add_columns(const float* columns,
                 std::size_t rows,
                 const float* x,
                 std::size_t count,
                 float* sums) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < rows; ++j)
      sums[j] += x[i] * columns[i * rows + j];
  }
}

void add_product(const Product& p) noexcept {
  constexpr std::size_t kBlock = 32;
  for (std::size_t row = 0; row < p.rows; row += kBlock) {
    for (std::size_t t = 0; t < p.columns; ++t) {
      add_columns(p.weights + row * p.depth,
                  kBlock,
                  p.in + t * p.in_stride,
                  p.depth,
                  p.out + t * p.out_stride + row);
    }
  }
}

void rectify(float* x, const float* scale, const float* shift, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    x[i] = (x[i] > 0 ? x[i] : 0.0F) * scale[i] + shift[i];
}

void split_pairs(const float* in, std::size_t count, float* even, float* odd) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    even[i] = in[2 * i];
    odd[i] = in[2 * i + 1];
  }
}

/// out = (real + i imag) * (w_real + i w_imag), stored at `index`.
void store_turned(const FftPass& pass,
                  std::size_t index,
                  float real,
                  float imag,
                  const float* twiddle) noexcept {
  const float w_real = twiddle[0];
  const float w_imag = twiddle[pass.quarter];
  pass.out_real[index] = real * w_real - imag * w_imag;
  pass.out_imag[index] = real * w_imag + imag * w_real;
}

void butterfly(const FftPass& pass, std::size_t p, std::size_t q) noexcept {
  const std::size_t span = pass.stride * pass.quarter;
  const std::size_t in = q + pass.stride * p;
  const std::size_t out = q + pass.stride * 4 * p;
  const float* const re = pass.in_real + in;
  const float* const im = pass.in_imag + in;
  const float sum_ac_re = re[0] + re[2 * span];
  const float sum_ac_im = im[0] + im[2 * span];
  const float difference_ac_re = re[0] - re[2 * span];
  const float difference_ac_im = im[0] - im[2 * span];
  const float sum_bd_re = re[span] + re[3 * span];
  const float sum_bd_im = im[span] + im[3 * span];
  const float difference_bd_re = re[span] - re[3 * span];
  const float difference_bd_im = im[span] - im[3 * span];
  const float* const twiddles = pass.twiddles + p;
  pass.out_real[out] = sum_ac_re + sum_bd_re;
  pass.out_imag[out] = sum_ac_im + sum_bd_im;
  // (a - c) - i (b - d), (a + c) - (b + d), (a - c) + i (b - d)
  store_turned(pass,
               out + pass.stride,
               difference_ac_re + difference_bd_im,
               difference_ac_im - difference_bd_re,
               twiddles);
  store_turned(pass,
               out + 2 * pass.stride,
               sum_ac_re - sum_bd_re,
               sum_ac_im - sum_bd_im,
               twiddles + 2 * pass.quarter);
  store_turned(pass,
               out + 3 * pass.stride,
               difference_ac_re - difference_bd_im,
               difference_ac_im + difference_bd_re,
               twiddles + 4 * pass.quarter);
}

void fft_pass(const FftPass& pass) noexcept {
  for (std::size_t p = 0; p < pass.quarter; ++p) {
    for (std::size_t q = 0; q < pass.stride; ++q)
      butterfly(pass, p, q);
  }
}

void fft_unpack(const FftUnpack& u) noexcept {
  for (std::size_t k = 0; k < u.points; ++k) {
    const std::size_t mirror = u.points - k;
    const float even_re = 0.5F * (u.in_real[k] + u.in_real[mirror]);
    const float even_im = 0.5F * (u.in_imag[k] - u.in_imag[mirror]);
    const float odd_re = 0.5F * (u.in_imag[k] + u.in_imag[mirror]);
    const float odd_im = 0.5F * (u.in_real[mirror] - u.in_real[k]);
    u.out_real[k] = even_re + u.cosines[k] * odd_re + u.sines[k] * odd_im;
    u.out_imag[k] = even_im + u.cosines[k] * odd_im - u.sines[k] * odd_re;
  }
}

void squared_magnitude(const float* real,
                       const float* imag,
                       std::size_t count,
                       float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = real[i] * real[i] + imag[i] * imag[i];
}

void root_above(const float* power, const float* floor, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const float above = power[i] - floor[i];
    out[i] = above > 0.0F ? std::sqrt(above) : 0.0F;
  }
}

void multiply(const float* a, const float* b, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = a[i] * b[i];
}

void difference(const float* x, float factor, std::size_t count, float* out) noexcept {
  float before = x[-1];
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = x[i] - factor * before;
    before = x[i];
  }
}

void scaled_log(const float* x, std::size_t count, float floor, float scale, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = scale * std::log(x[i] > floor ? x[i] : floor);
}

float tangent_of(float x) noexcept {
  const float y = std::clamp(x, -4.97F, 4.97F);
  const float square = y * y;
  const float above = y * (135135.0F + square * (17325.0F + square * (378.0F + square)));
  const float below = 135135.0F + square * (62370.0F + square * (3150.0F + square * 28.0F));
  return above / below;
}

void hyperbolic_tangent(const float* x, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = tangent_of(x[i]);
}

void sigmoid(const float* x, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = 0.5F + 0.5F * tangent_of(0.5F * x[i]);
}

void from_s16le(const std::uint8_t* bytes, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    std::int16_t value = 0;
    std::memcpy(&value, bytes + 2 * i, sizeof value);
    out[i] = static_cast<float>(value) * (1.0F / 32768.0F);
  }
}

void from_f32le(const std::uint8_t* bytes, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    float value = 0.0F;
    std::memcpy(&value, bytes + 4 * i, sizeof value);
    out[i] = std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
  }
}

void mean_of_pairs(const float* in, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = 0.5F * (in[2 * i] + in[2 * i + 1]);
}

}  // namespace

const Kernels& scalar_kernels() noexcept {
  static constexpr Kernels kSet{.dot = dot,
                                .dot_eight = dot_eight,
                                .half_band = half_band,
                                .dot_bands = dot_bands,
                                .add_columns = add_columns,
                                .add_product = add_product,
                                .rectify = rectify,
                                .split_pairs = split_pairs,
                                .fft_pass = fft_pass,
                                .fft_unpack = fft_unpack,
                                .squared_magnitude = squared_magnitude,
                                .root_above = root_above,
                                .multiply = multiply,
                                .difference = difference,
                                .scaled_log = scaled_log,
                                .hyperbolic_tangent = hyperbolic_tangent,
                                .sigmoid = sigmoid,
                                .from_s16le = from_s16le,
                                .from_f32le = from_f32le,
                                .mean_of_pairs = mean_of_pairs};
  return kSet;
}

const Kernels& kernels(Isa isa) noexcept {
  QYLON_CHECK(isa_supported(isa));
  switch (isa) {
    case Isa::kAvx512:
      return avx512_kernels();
    case Isa::kAvx2:
      return avx2_kernels();
    case Isa::kScalar:
      break;
  }
  return scalar_kernels();
}

const Kernels& kernels() noexcept {
  static const Kernels& active = kernels(active_isa());
  return active;
}

}  // namespace qylon::dsp
