#include "dsp/kernels_product.hpp"

#include <immintrin.h>

#include "dsp/kernels_avx2.hpp"

#define QYLON_AVX512 __attribute__((target("avx512f")))
#define QYLON_AVX512_INLINE __attribute__((target("avx512f"), always_inline)) inline

namespace qylon::dsp {
namespace {

constexpr std::size_t kBlock = 32;  // Rows that lie together.

/// Two vectors of rows times kColumns columns: their sums stay in registers for the whole depth.
template <int kColumns>
QYLON_AVX512_INLINE void block_avx512(const Product& p,
                                      const float* weights,
                                      const float* in,
                                      float* out) noexcept {
  __m512 low[kColumns];
  __m512 high[kColumns];
#pragma GCC unroll 12
  for (int t = 0; t < kColumns; ++t) {
    const float* const sums = out + static_cast<std::size_t>(t) * p.out_stride;
    low[t] = _mm512_loadu_ps(sums);
    high[t] = _mm512_loadu_ps(sums + 16);
  }
  for (std::size_t i = 0; i < p.depth; ++i, weights += kBlock) {
    const __m512 weight_low = _mm512_loadu_ps(weights);
    const __m512 weight_high = _mm512_loadu_ps(weights + 16);
#pragma GCC unroll 12
    for (int t = 0; t < kColumns; ++t) {
      const __m512 value = _mm512_set1_ps(in[static_cast<std::size_t>(t) * p.in_stride + i]);
      low[t] = _mm512_fmadd_ps(weight_low, value, low[t]);
      high[t] = _mm512_fmadd_ps(weight_high, value, high[t]);
    }
  }
#pragma GCC unroll 12
  for (int t = 0; t < kColumns; ++t) {
    float* const sums = out + static_cast<std::size_t>(t) * p.out_stride;
    _mm512_storeu_ps(sums, low[t]);
    _mm512_storeu_ps(sums + 16, high[t]);
  }
}

/// Half a block of rows: two vectors of eight.
template <int kColumns>
QYLON_AVX2_INLINE void half_block_avx2(const Product& p,
                                       const float* weights,
                                       const float* in,
                                       float* out) noexcept {
  __m256 low[kColumns];
  __m256 high[kColumns];
#pragma GCC unroll 6
  for (int t = 0; t < kColumns; ++t) {
    const float* const sums = out + static_cast<std::size_t>(t) * p.out_stride;
    low[t] = _mm256_loadu_ps(sums);
    high[t] = _mm256_loadu_ps(sums + 8);
  }
  for (std::size_t i = 0; i < p.depth; ++i, weights += kBlock) {
    const __m256 weight_low = _mm256_loadu_ps(weights);
    const __m256 weight_high = _mm256_loadu_ps(weights + 8);
#pragma GCC unroll 6
    for (int t = 0; t < kColumns; ++t) {
      const __m256 value = _mm256_broadcast_ss(in + static_cast<std::size_t>(t) * p.in_stride + i);
      low[t] = _mm256_fmadd_ps(weight_low, value, low[t]);
      high[t] = _mm256_fmadd_ps(weight_high, value, high[t]);
    }
  }
#pragma GCC unroll 6
  for (int t = 0; t < kColumns; ++t) {
    float* const sums = out + static_cast<std::size_t>(t) * p.out_stride;
    _mm256_storeu_ps(sums, low[t]);
    _mm256_storeu_ps(sums + 8, high[t]);
  }
}

}  // namespace

QYLON_AVX512 void add_product_avx512(const Product& p) noexcept {
  for (std::size_t row = 0; row < p.rows; row += kBlock) {
    const float* const weights = p.weights + row * p.depth;
    std::size_t t = 0;
    for (; t + 12 <= p.columns; t += 12) {
      block_avx512<12>(p, weights, p.in + t * p.in_stride, p.out + t * p.out_stride + row);
    }
    for (; t + 4 <= p.columns; t += 4) {
      block_avx512<4>(p, weights, p.in + t * p.in_stride, p.out + t * p.out_stride + row);
    }
    for (; t < p.columns; ++t) {
      block_avx512<1>(p, weights, p.in + t * p.in_stride, p.out + t * p.out_stride + row);
    }
  }
}

QYLON_AVX2 void add_product_avx2(const Product& p) noexcept {
  for (std::size_t row = 0; row < p.rows; row += kBlock / 2) {
    const float* const weights = p.weights + row / kBlock * kBlock * p.depth + row % kBlock;
    std::size_t t = 0;
    for (; t + 6 <= p.columns; t += 6) {
      half_block_avx2<6>(p, weights, p.in + t * p.in_stride, p.out + t * p.out_stride + row);
    }
    for (; t < p.columns; ++t) {
      half_block_avx2<1>(p, weights, p.in + t * p.in_stride, p.out + t * p.out_stride + row);
    }
  }
}

QYLON_AVX2 void rectify_avx2(float* x,
                             const float* scale,
                             const float* shift,
                             std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; i += 8) {
    const __m256 positive = _mm256_max_ps(_mm256_loadu_ps(x + i), _mm256_setzero_ps());
    const __m256 scaled =
        _mm256_fmadd_ps(positive, _mm256_loadu_ps(scale + i), _mm256_loadu_ps(shift + i));
    _mm256_storeu_ps(x + i, scaled);
  }
}

}  // namespace qylon::dsp
