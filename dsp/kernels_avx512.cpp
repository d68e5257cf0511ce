#include <immintrin.h>

#include "dsp/kernels.hpp"
#include "dsp/kernels_avx2.hpp"

#define QYLON_AVX512 __attribute__((target("avx512f")))

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

QYLON_AVX512 float dot(const float* a, const float* b, std::size_t count) noexcept {
  __m512 sums[4] = {
      _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    for (std::size_t chain = 0; chain < 4; ++chain) {
      const std::size_t at = i + 16 * chain;
      sums[chain] = _mm512_fmadd_ps(_mm512_loadu_ps(a + at), _mm512_loadu_ps(b + at), sums[chain]);
    }
  }
  for (; i + 16 <= count; i += 16) {
    sums[0] = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), sums[0]);
  }
  if (i < count) {
    const __mmask16 rest = first_lanes(count - i);
    sums[1] = _mm512_fmadd_ps(
        _mm512_maskz_loadu_ps(rest, a + i), _mm512_maskz_loadu_ps(rest, b + i), sums[1]);
  }
  return sum_of(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
}

QYLON_AVX512 void dot_pair(const float* a,
                           std::size_t stride,
                           const float* b,
                           std::size_t count,
                           float* out) noexcept {
  const __m512 zero = _mm512_setzero_ps();
  __m512 first[4] = {zero, zero, zero, zero};
  __m512 second[4] = {zero, zero, zero, zero};
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    for (std::size_t chain = 0; chain < 4; ++chain) {
      const float* const from = a + i + 16 * chain;
      const __m512 taps = _mm512_loadu_ps(b + i + 16 * chain);
      first[chain] = _mm512_fmadd_ps(_mm512_loadu_ps(from), taps, first[chain]);
      second[chain] = _mm512_fmadd_ps(_mm512_loadu_ps(from + stride), taps, second[chain]);
    }
  }
  for (; i + 16 <= count; i += 16) {
    const __m512 taps = _mm512_loadu_ps(b + i);
    first[0] = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), taps, first[0]);
    second[0] = _mm512_fmadd_ps(_mm512_loadu_ps(a + stride + i), taps, second[0]);
  }
  if (i < count) {
    const __mmask16 rest = first_lanes(count - i);
    const __m512 taps = _mm512_maskz_loadu_ps(rest, b + i);
    first[1] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(rest, a + i), taps, first[1]);
    second[1] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(rest, a + stride + i), taps, second[1]);
  }
  out[0] =
      sum_of(_mm512_add_ps(_mm512_add_ps(first[0], first[1]), _mm512_add_ps(first[2], first[3])));
  out[1] = sum_of(
      _mm512_add_ps(_mm512_add_ps(second[0], second[1]), _mm512_add_ps(second[2], second[3])));
}

}  // namespace

const Kernels kAvx512Kernels{.dot = dot,
                             .dot_pair = dot_pair,
                             .add_columns = add_columns_avx2,
                             .split_pairs = split_pairs_avx2,
                             .fft_pass = fft_pass_avx2,
                             .fft_unpack = fft_unpack_avx2,
                             .squared_magnitude = squared_magnitude_avx2};

}  // namespace qylon::dsp
