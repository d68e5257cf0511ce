#include <algorithm>

#include <immintrin.h>

#include "dsp/kernels.hpp"
#include "dsp/kernels_avx2.hpp"
#include "dsp/kernels_product.hpp"

#define QYLON_AVX512 __attribute__((target("avx512f")))
#define QYLON_AVX512_INLINE __attribute__((target("avx512f"), always_inline)) inline

namespace qylon::dsp {
namespace {

QYLON_AVX512 __mmask16 first_lanes(std::size_t count) noexcept {
  return static_cast<__mmask16>((1U << count) - 1U);
}

/// Halves added, then halves of halves. Not by _mm512_reduce_add_ps and the like, because GCC 12
/// warns about an operand which these leave undefined on purpose.
QYLON_AVX512 float sum_of(__m512 v) noexcept {
  const __m256 low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
  const __m256 high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m256 half = _mm256_add_ps(low, high);
  const __m128 quad = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 pair = _mm_add_ps(quad, _mm_movehl_ps(quad, quad));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}

QYLON_AVX512_INLINE __m512 multiply_add(const float* a, __m512 b, __m512 sum) noexcept {
  return _mm512_fmadd_ps(_mm512_loadu_ps(a), b, sum);
}

QYLON_AVX512 float dot(const float* a, const float* b, std::size_t count) noexcept {
  __m512 chain0 = _mm512_setzero_ps();
  __m512 chain1 = chain0;
  __m512 chain2 = chain0;
  __m512 chain3 = chain0;
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    chain0 = multiply_add(a + i, _mm512_loadu_ps(b + i), chain0);
    chain1 = multiply_add(a + i + 16, _mm512_loadu_ps(b + i + 16), chain1);
    chain2 = multiply_add(a + i + 32, _mm512_loadu_ps(b + i + 32), chain2);
    chain3 = multiply_add(a + i + 48, _mm512_loadu_ps(b + i + 48), chain3);
  }
  for (; i + 16 <= count; i += 16)
    chain0 = multiply_add(a + i, _mm512_loadu_ps(b + i), chain0);
  if (i < count) {
    const __mmask16 rest = first_lanes(count - i);
    chain1 = _mm512_fmadd_ps(
        _mm512_maskz_loadu_ps(rest, a + i), _mm512_maskz_loadu_ps(rest, b + i), chain1);
  }
  return sum_of(_mm512_add_ps(_mm512_add_ps(chain0, chain1), _mm512_add_ps(chain2, chain3)));
}

/// Per quarter: a0 + a2, b0 + b2, a1 + a3, b1 + b3.
QYLON_AVX512_INLINE __m512 fold(__m512 a, __m512 b) noexcept {
  return _mm512_add_ps(
      __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29),
      __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31));
}

/// Per quarter the sums of a, b, c and d there.
QYLON_AVX512_INLINE __m512 fold(__m512 a, __m512 b, __m512 c, __m512 d) noexcept {
  const __m512 ab = fold(a, b);
  const __m512 cd = fold(c, d);
  return _mm512_add_ps(
      __builtin_shufflevector(ab, cd, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
      __builtin_shufflevector(ab, cd, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31));
}

/// The four quarters of `low` added up, then those of `high`.
QYLON_AVX512_INLINE __m256 fold_quarters(__m512 low, __m512 high) noexcept {
  const __m512 halves = _mm512_add_ps(
      __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
      __builtin_shufflevector(
          low, high, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
  return _mm256_add_ps(__builtin_shufflevector(halves, halves, 0, 1, 2, 3, 8, 9, 10, 11),
                       __builtin_shufflevector(halves, halves, 4, 5, 6, 7, 12, 13, 14, 15));
}

QYLON_AVX512 void dot_eight(const float* window,
                            const float* rows,
                            std::size_t count,
                            float* out) noexcept {
  __m512 sum0 = _mm512_setzero_ps();
  __m512 sum1 = sum0;
  __m512 sum2 = sum0;
  __m512 sum3 = sum0;
  __m512 sum4 = sum0;
  __m512 sum5 = sum0;
  __m512 sum6 = sum0;
  __m512 sum7 = sum0;
  for (std::size_t k = 0; k < count; k += 16, rows += 128) {
    const __m512 samples = _mm512_loadu_ps(window + k);
    sum0 = multiply_add(rows, samples, sum0);
    sum1 = multiply_add(rows + 16, samples, sum1);
    sum2 = multiply_add(rows + 32, samples, sum2);
    sum3 = multiply_add(rows + 48, samples, sum3);
    sum4 = multiply_add(rows + 64, samples, sum4);
    sum5 = multiply_add(rows + 80, samples, sum5);
    sum6 = multiply_add(rows + 96, samples, sum6);
    sum7 = multiply_add(rows + 112, samples, sum7);
  }
  _mm256_storeu_ps(out, fold_quarters(fold(sum0, sum1, sum2, sum3), fold(sum4, sum5, sum6, sum7)));
}

/// Up to sixteen outputs.
QYLON_AVX512_INLINE void half_band_16(const float* even,
                                      const float* odd,
                                      const float* taps,
                                      std::size_t tap_count,
                                      __mmask16 lanes,
                                      float* out) noexcept {
  __m512 sum = _mm512_mul_ps(_mm512_set1_ps(0.5F), _mm512_maskz_loadu_ps(lanes, odd));
  for (std::size_t j = 0; j < tap_count; ++j) {
    sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, even + j), _mm512_set1_ps(taps[j]), sum);
  }
  _mm512_mask_storeu_ps(out, lanes, sum);
}

/// Sixty-four outputs, so that four chains share the loads of the taps.
QYLON_AVX512_INLINE void half_band_64(const float* even,
                                      const float* odd,
                                      const float* taps,
                                      std::size_t tap_count,
                                      float* out) noexcept {
  const __m512 half = _mm512_set1_ps(0.5F);
  __m512 sum0 = _mm512_mul_ps(half, _mm512_loadu_ps(odd));
  __m512 sum1 = _mm512_mul_ps(half, _mm512_loadu_ps(odd + 16));
  __m512 sum2 = _mm512_mul_ps(half, _mm512_loadu_ps(odd + 32));
  __m512 sum3 = _mm512_mul_ps(half, _mm512_loadu_ps(odd + 48));
  for (std::size_t j = 0; j < tap_count; ++j) {
    const __m512 tap = _mm512_set1_ps(taps[j]);
    sum0 = multiply_add(even + j, tap, sum0);
    sum1 = multiply_add(even + j + 16, tap, sum1);
    sum2 = multiply_add(even + j + 32, tap, sum2);
    sum3 = multiply_add(even + j + 48, tap, sum3);
  }
  _mm512_storeu_ps(out, sum0);
  _mm512_storeu_ps(out + 16, sum1);
  _mm512_storeu_ps(out + 32, sum2);
  _mm512_storeu_ps(out + 48, sum3);
}

QYLON_AVX512 void half_band(const float* even,
                            const float* odd,
                            const float* taps,
                            std::size_t tap_count,
                            std::size_t count,
                            float* out) noexcept {
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64)
    half_band_64(even + i, odd + i, taps, tap_count, out + i);
  for (; i < count; i += 16) {
    const __mmask16 lanes = first_lanes(std::min<std::size_t>(count - i, 16));
    half_band_16(even + i, odd + i, taps, tap_count, lanes, out + i);
  }
}

}  // namespace

const Kernels& avx512_kernels() noexcept {
  static constexpr Kernels kSet{.dot = dot,
                                .dot_eight = dot_eight,
                                .half_band = half_band,
                                .dot_bands = dot_bands_avx2,
                                .add_columns = add_columns_avx2,
                                .add_product = add_product_avx512,
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
