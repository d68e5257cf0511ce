#include "dsp/kernels_avx2.hpp"

#include <cmath>

#include <immintrin.h>

#include "dsp/kernels_product.hpp"

namespace qylon::dsp {
namespace {

/// ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)).
QYLON_AVX2_INLINE float sum_of(__m256 v) noexcept {
  const __m128 quad = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 pair = _mm_add_ps(quad, _mm_movehl_ps(quad, quad));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}

QYLON_AVX2_INLINE __m256 multiply_add(const float* a, __m256 b, __m256 sum) noexcept {
  return _mm256_fmadd_ps(_mm256_loadu_ps(a), b, sum);
}

QYLON_AVX2 float dot(const float* a, const float* b, std::size_t count) noexcept {
  // 2 FMA ports * 4 cycles of latency would want 8 chains; the loads of two operands halve that.
  __m256 chain0 = _mm256_setzero_ps();
  __m256 chain1 = chain0;
  __m256 chain2 = chain0;
  __m256 chain3 = chain0;
  std::size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    chain0 = multiply_add(a + i, _mm256_loadu_ps(b + i), chain0);
    chain1 = multiply_add(a + i + 8, _mm256_loadu_ps(b + i + 8), chain1);
    chain2 = multiply_add(a + i + 16, _mm256_loadu_ps(b + i + 16), chain2);
    chain3 = multiply_add(a + i + 24, _mm256_loadu_ps(b + i + 24), chain3);
  }
  for (; i + 8 <= count; i += 8)
    chain0 = multiply_add(a + i, _mm256_loadu_ps(b + i), chain0);
  float rest = 0.0F;
  for (; i < count; ++i)
    rest += a[i] * b[i];
  return rest + sum_of(_mm256_add_ps(_mm256_add_ps(chain0, chain1), _mm256_add_ps(chain2, chain3)));
}

/// Eight sums, one per row. Named members, because an array in a loop would live in memory.
struct Eight {
  __m256 v0, v1, v2, v3, v4, v5, v6, v7;
};

QYLON_AVX2_INLINE void add_rows(const float* rows, __m256 window, Eight& sums) noexcept {
  sums.v0 = multiply_add(rows, window, sums.v0);
  sums.v1 = multiply_add(rows + 16, window, sums.v1);
  sums.v2 = multiply_add(rows + 32, window, sums.v2);
  sums.v3 = multiply_add(rows + 48, window, sums.v3);
  sums.v4 = multiply_add(rows + 64, window, sums.v4);
  sums.v5 = multiply_add(rows + 80, window, sums.v5);
  sums.v6 = multiply_add(rows + 96, window, sums.v6);
  sums.v7 = multiply_add(rows + 112, window, sums.v7);
}

/// Per half: a0 + a2, b0 + b2, a1 + a3, b1 + b3.
QYLON_AVX2_INLINE __m256 fold(__m256 a, __m256 b) noexcept {
  return _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
}

/// Per half the sums of a, b, c and d there.
QYLON_AVX2_INLINE __m256 fold(__m256 a, __m256 b, __m256 c, __m256 d) noexcept {
  const __m256 ab = fold(a, b);
  const __m256 cd = fold(c, d);
  return _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xEE));
}

/// Each sum in one number.
QYLON_AVX2_INLINE __m256 fold(const Eight& sums) noexcept {
  const __m256 low = fold(sums.v0, sums.v1, sums.v2, sums.v3);
  const __m256 high = fold(sums.v4, sums.v5, sums.v6, sums.v7);
  return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20),
                       _mm256_permute2f128_ps(low, high, 0x31));
}

QYLON_AVX2 void dot_eight(const float* window,
                          const float* rows,
                          std::size_t count,
                          float* out) noexcept {
  const __m256 zero = _mm256_setzero_ps();
  Eight sums = {zero, zero, zero, zero, zero, zero, zero, zero};
  for (std::size_t k = 0; k < count; k += 16, rows += 128) {
    add_rows(rows, _mm256_loadu_ps(window + k), sums);
    add_rows(rows + 8, _mm256_loadu_ps(window + k + 8), sums);
  }
  _mm256_storeu_ps(out, fold(sums));
}

/// Thirty-two outputs, so that four chains share the loads of the taps.
QYLON_AVX2_INLINE void half_band_32(const float* even,
                                    const float* odd,
                                    const float* taps,
                                    std::size_t tap_count,
                                    float* out) noexcept {
  const __m256 half = _mm256_set1_ps(0.5F);
  __m256 sum0 = _mm256_mul_ps(half, _mm256_loadu_ps(odd));
  __m256 sum1 = _mm256_mul_ps(half, _mm256_loadu_ps(odd + 8));
  __m256 sum2 = _mm256_mul_ps(half, _mm256_loadu_ps(odd + 16));
  __m256 sum3 = _mm256_mul_ps(half, _mm256_loadu_ps(odd + 24));
  for (std::size_t j = 0; j < tap_count; ++j) {
    const __m256 tap = _mm256_broadcast_ss(taps + j);
    sum0 = multiply_add(even + j, tap, sum0);
    sum1 = multiply_add(even + j + 8, tap, sum1);
    sum2 = multiply_add(even + j + 16, tap, sum2);
    sum3 = multiply_add(even + j + 24, tap, sum3);
  }
  _mm256_storeu_ps(out, sum0);
  _mm256_storeu_ps(out + 8, sum1);
  _mm256_storeu_ps(out + 16, sum2);
  _mm256_storeu_ps(out + 24, sum3);
}

QYLON_AVX2 void half_band(const float* even,
                          const float* odd,
                          const float* taps,
                          std::size_t tap_count,
                          std::size_t count,
                          float* out) noexcept {
  std::size_t i = 0;
  for (; i + 32 <= count; i += 32)
    half_band_32(even + i, odd + i, taps, tap_count, out + i);
  for (; i < count; ++i) {
    float sum = 0.5F * odd[i];
    for (std::size_t j = 0; j < tap_count; ++j)
      sum = std::fma(even[i + j], taps[j], sum);  // As the vectors round.
    out[i] = sum;
  }
}

}  // namespace

QYLON_AVX2 void add_columns_avx2(const float* columns,
                                 std::size_t rows,
                                 const float* x,
                                 std::size_t count,
                                 float* sums) noexcept {
  for (std::size_t j = 0; j < rows; j += 32) {  // Four vectors of sums stay in registers.
    __m256 sum0 = _mm256_loadu_ps(sums + j);
    __m256 sum1 = _mm256_loadu_ps(sums + j + 8);
    __m256 sum2 = _mm256_loadu_ps(sums + j + 16);
    __m256 sum3 = _mm256_loadu_ps(sums + j + 24);
    for (std::size_t i = 0; i < count; ++i) {
      const __m256 factor = _mm256_broadcast_ss(x + i);
      const float* const column = columns + i * rows + j;
      sum0 = multiply_add(column, factor, sum0);
      sum1 = multiply_add(column + 8, factor, sum1);
      sum2 = multiply_add(column + 16, factor, sum2);
      sum3 = multiply_add(column + 24, factor, sum3);
    }
    _mm256_storeu_ps(sums + j, sum0);
    _mm256_storeu_ps(sums + j + 8, sum1);
    _mm256_storeu_ps(sums + j + 16, sum2);
    _mm256_storeu_ps(sums + j + 24, sum3);
  }
}

QYLON_AVX2 void split_pairs_avx2(const float* in,
                                 std::size_t count,
                                 float* even,
                                 float* odd) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 low = _mm256_loadu_ps(in + 2 * i);
    const __m256 high = _mm256_loadu_ps(in + 2 * i + 8);
    const __m256 front = _mm256_permute2f128_ps(low, high, 0x20);  // 0..3, 8..11
    const __m256 back = _mm256_permute2f128_ps(low, high, 0x31);   // 4..7, 12..15
    _mm256_storeu_ps(even + i, _mm256_shuffle_ps(front, back, 0x88));
    _mm256_storeu_ps(odd + i, _mm256_shuffle_ps(front, back, 0xDD));
  }
  for (; i < count; ++i) {
    even[i] = in[2 * i];
    odd[i] = in[2 * i + 1];
  }
}

QYLON_AVX2 void root_above_avx2(const float* power,
                                const float* floor,
                                std::size_t count,
                                float* out) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 above = _mm256_sub_ps(_mm256_loadu_ps(power + i), _mm256_loadu_ps(floor + i));
    _mm256_storeu_ps(out + i, _mm256_sqrt_ps(_mm256_max_ps(above, _mm256_setzero_ps())));
  }
  for (; i < count; ++i) {
    const float above = power[i] - floor[i];
    out[i] = above > 0.0F ? std::sqrt(above) : 0.0F;
  }
}

QYLON_AVX2 void squared_magnitude_avx2(const float* real,
                                       const float* imag,
                                       std::size_t count,
                                       float* out) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 re = _mm256_loadu_ps(real + i);
    const __m256 im = _mm256_loadu_ps(imag + i);
    _mm256_storeu_ps(out + i, _mm256_fmadd_ps(re, re, _mm256_mul_ps(im, im)));
  }
  for (; i < count; ++i)
    out[i] = real[i] * real[i] + imag[i] * imag[i];
}

QYLON_AVX2 void dot_bands_avx2(const float* x,
                               const std::uint16_t* begins,
                               const float* rows,
                               std::size_t count,
                               float* out) noexcept {
  const __m256 zero = _mm256_setzero_ps();
  Eight sums = {zero, zero, zero, zero, zero, zero, zero, zero};
  for (std::size_t k = 0; k < count; k += 8, rows += 64, x += 8) {
    sums.v0 = multiply_add(x + begins[0], _mm256_loadu_ps(rows), sums.v0);
    sums.v1 = multiply_add(x + begins[1], _mm256_loadu_ps(rows + 8), sums.v1);
    sums.v2 = multiply_add(x + begins[2], _mm256_loadu_ps(rows + 16), sums.v2);
    sums.v3 = multiply_add(x + begins[3], _mm256_loadu_ps(rows + 24), sums.v3);
    sums.v4 = multiply_add(x + begins[4], _mm256_loadu_ps(rows + 32), sums.v4);
    sums.v5 = multiply_add(x + begins[5], _mm256_loadu_ps(rows + 40), sums.v5);
    sums.v6 = multiply_add(x + begins[6], _mm256_loadu_ps(rows + 48), sums.v6);
    sums.v7 = multiply_add(x + begins[7], _mm256_loadu_ps(rows + 56), sums.v7);
  }
  _mm256_storeu_ps(out, fold(sums));
}

QYLON_AVX2 void multiply_avx2(const float* a,
                              const float* b,
                              std::size_t count,
                              float* out) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
  for (; i < count; ++i)
    out[i] = a[i] * b[i];
}

QYLON_AVX2 void difference_avx2(const float* x,
                                float factor,
                                std::size_t count,
                                float* out) noexcept {
  const __m256 factors = _mm256_set1_ps(factor);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 before = _mm256_loadu_ps(x + i - 1);
    _mm256_storeu_ps(out + i, _mm256_fnmadd_ps(factors, before, _mm256_loadu_ps(x + i)));
  }
  for (; i < count; ++i)
    out[i] = std::fma(-factor, *(x + i - 1), x[i]);  // As the vectors round.
}

const Kernels& avx2_kernels() noexcept {
  static constexpr Kernels kSet{.dot = dot,
                                .dot_eight = dot_eight,
                                .half_band = half_band,
                                .dot_bands = dot_bands_avx2,
                                .add_columns = add_columns_avx2,
                                .add_product = add_product_avx2,
                                .rectify = rectify_avx2,
                                .split_pairs = split_pairs_avx2,
                                .fft_pass = fft_pass_avx2,
                                .fft_unpack = fft_unpack_avx2,
                                .squared_magnitude = squared_magnitude_avx2,
                                .root_above = root_above_avx2,
                                .multiply = multiply_avx2,
                                .difference = difference_avx2,
                                .scaled_log = scaled_log_avx2,
                                .hyperbolic_tangent = hyperbolic_tangent_avx2,
                                .sigmoid = sigmoid_avx2,
                                .from_s16le = from_s16le_avx2,
                                .from_f32le = from_f32le_avx2,
                                .mean_of_pairs = mean_of_pairs_avx2};
  return kSet;
}

}  // namespace qylon::dsp
