#include <immintrin.h>

#include "dsp/kernels.hpp"
#include "dsp/kernels_avx2.hpp"

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

/// Sixty-four values: the four chains of one window, or as many taps.
struct Four {
  __m512 v0;
  __m512 v1;
  __m512 v2;
  __m512 v3;
};

QYLON_AVX512_INLINE Four zeros() noexcept {
  const __m512 zero = _mm512_setzero_ps();
  return {zero, zero, zero, zero};
}

QYLON_AVX512_INLINE Four load(const float* b) noexcept {
  return {_mm512_loadu_ps(b),
          _mm512_loadu_ps(b + 16),
          _mm512_loadu_ps(b + 32),
          _mm512_loadu_ps(b + 48)};
}

QYLON_AVX512_INLINE void add_64(const float* a, const Four& taps, Four& chains) noexcept {
  chains.v0 = multiply_add(a, taps.v0, chains.v0);
  chains.v1 = multiply_add(a + 16, taps.v1, chains.v1);
  chains.v2 = multiply_add(a + 32, taps.v2, chains.v2);
  chains.v3 = multiply_add(a + 48, taps.v3, chains.v3);
}

/// The rest of a window, under 64 values, onto the first two chains; then all in one number.
QYLON_AVX512_INLINE float finish(const float* a,
                                 const float* b,
                                 std::size_t count,
                                 Four& chains) noexcept {
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    chains.v0 = multiply_add(a + i, _mm512_loadu_ps(b + i), chains.v0);
  }
  if (i < count) {
    const __mmask16 rest = first_lanes(count - i);
    chains.v1 = _mm512_fmadd_ps(
        _mm512_maskz_loadu_ps(rest, a + i), _mm512_maskz_loadu_ps(rest, b + i), chains.v1);
  }
  return sum_of(
      _mm512_add_ps(_mm512_add_ps(chains.v0, chains.v1), _mm512_add_ps(chains.v2, chains.v3)));
}

QYLON_AVX512 float dot(const float* a, const float* b, std::size_t count) noexcept {
  Four chains = zeros();
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64)
    add_64(a + i, load(b + i), chains);
  return finish(a + i, b + i, count - i, chains);
}

QYLON_AVX512 void dot_pair(const float* a,
                           std::size_t stride,
                           const float* b,
                           std::size_t count,
                           float* out) noexcept {
  Four chains0 = zeros();
  Four chains1 = zeros();
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    const Four taps = load(b + i);
    add_64(a + i, taps, chains0);
    add_64(a + i + stride, taps, chains1);
  }
  out[0] = finish(a + i, b + i, count - i, chains0);
  out[1] = finish(a + i + stride, b + i, count - i, chains1);
}

QYLON_AVX512 void dot_quad(const float* a,
                           std::size_t stride,
                           const float* b,
                           std::size_t count,
                           float* out) noexcept {
  Four chains0 = zeros();
  Four chains1 = zeros();
  Four chains2 = zeros();
  Four chains3 = zeros();
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    const Four taps = load(b + i);
    add_64(a + i, taps, chains0);
    add_64(a + i + stride, taps, chains1);
    add_64(a + i + 2 * stride, taps, chains2);
    add_64(a + i + 3 * stride, taps, chains3);
  }
  out[0] = finish(a + i, b + i, count - i, chains0);
  out[1] = finish(a + i + stride, b + i, count - i, chains1);
  out[2] = finish(a + i + 2 * stride, b + i, count - i, chains2);
  out[3] = finish(a + i + 3 * stride, b + i, count - i, chains3);
}

}  // namespace

const Kernels& avx512_kernels() noexcept {
  static constexpr Kernels kSet{.dot = dot,
                                .dot_pair = dot_pair,
                                .dot_quad = dot_quad,
                                .add_columns = add_columns_avx2,
                                .split_pairs = split_pairs_avx2,
                                .fft_pass = fft_pass_avx2,
                                .fft_unpack = fft_unpack_avx2,
                                .squared_magnitude = squared_magnitude_avx2,
                                .root_above = root_above_avx2};
  return kSet;
}

}  // namespace qylon::dsp
