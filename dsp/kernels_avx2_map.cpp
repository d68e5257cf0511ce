#include <array>
#include <cstring>

#include <immintrin.h>

#include "dsp/kernels_avx2.hpp"

namespace qylon::dsp {
namespace {

/// Eight signed 16-bit samples to floats.
struct FromS16 {
  static constexpr std::size_t kSize = 2;

  QYLON_AVX2_INLINE static __m256 convert(const std::uint8_t* bytes) noexcept {
    const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const __m256 values = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(words));
    return _mm256_mul_ps(values, _mm256_set1_ps(1.0F / 32768.0F));
  }
};

/// Eight floats clamped to full scale.
struct FromF32 {
  static constexpr std::size_t kSize = 4;

  QYLON_AVX2_INLINE static __m256 convert(const std::uint8_t* bytes) noexcept {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i exponent_mask = _mm256_set1_epi32(0x7F800000);
    const __m256i not_finite =
        _mm256_cmpeq_epi32(_mm256_and_si256(bits, exponent_mask), exponent_mask);
    const __m256 finite = _mm256_castsi256_ps(_mm256_andnot_si256(not_finite, bits));
    return _mm256_max_ps(_mm256_min_ps(finite, _mm256_set1_ps(1.0F)), _mm256_set1_ps(-1.0F));
  }
};

/// Whole vectors, then the rest through a padded copy, so that it rounds alike.
template <typename From>
QYLON_AVX2_INLINE void convert_all(const std::uint8_t* bytes,
                                   std::size_t count,
                                   float* out) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(out + i, From::convert(bytes + From::kSize * i));
  if (i == count) return;
  std::array<std::uint8_t, 8 * From::kSize> last{};
  std::array<float, 8> values{};
  std::memcpy(last.data(), bytes + From::kSize * i, From::kSize * (count - i));
  _mm256_storeu_ps(values.data(), From::convert(last.data()));
  std::memcpy(out + i, values.data(), sizeof(float) * (count - i));
}

/// Natural logarithm of normal positive floats, within 1.5e-7 of itself or of 1.
/// Source: S. L. Moshier, Cephes Mathematical Library, logf.c (polynomial for sqrt(1/2)..sqrt(2)).
QYLON_AVX2_INLINE __m256 natural_log(__m256 x) noexcept {
  const __m256 one = _mm256_set1_ps(1.0F);
  const __m256i bits = _mm256_castps_si256(x);
  // x = m 2^e with m in [1/2, 1); below sqrt(1/2) m is doubled.
  __m256 exponent =
      _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(126)));
  __m256 m =
      _mm256_castsi256_ps(_mm256_or_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0x007FFFFF)),
                                          _mm256_castps_si256(_mm256_set1_ps(0.5F))));
  const __m256 small = _mm256_cmp_ps(m, _mm256_set1_ps(0.70710678F), _CMP_LT_OQ);
  exponent = _mm256_sub_ps(exponent, _mm256_and_ps(small, one));
  m = _mm256_sub_ps(_mm256_add_ps(m, _mm256_and_ps(small, m)), one);
  constexpr std::array kTerms = {-1.1514610310E-1F,
                                 1.1676998740E-1F,
                                 -1.2420140846E-1F,
                                 1.4249322787E-1F,
                                 -1.6668057665E-1F,
                                 2.0000714765E-1F,
                                 -2.4999993993E-1F,
                                 3.3333331174E-1F};
  __m256 sum = _mm256_set1_ps(7.0376836292E-2F);
  for (const float term : kTerms)
    sum = _mm256_fmadd_ps(sum, m, _mm256_set1_ps(term));
  const __m256 square = _mm256_mul_ps(m, m);
  sum = _mm256_mul_ps(sum, _mm256_mul_ps(m, square));
  // ln 2 in two parts, the larger one exact in few bits.
  sum = _mm256_fmadd_ps(exponent, _mm256_set1_ps(-2.12194440e-4F), sum);
  sum = _mm256_fnmadd_ps(square, _mm256_set1_ps(0.5F), sum);
  return _mm256_fmadd_ps(exponent, _mm256_set1_ps(0.693359375F), _mm256_add_ps(sum, m));
}

QYLON_AVX2_INLINE __m256 tangent_of(__m256 x) noexcept {
  const __m256 limit = _mm256_set1_ps(4.97F);
  const __m256 y =
      _mm256_max_ps(_mm256_min_ps(x, limit), _mm256_sub_ps(_mm256_setzero_ps(), limit));
  const __m256 square = _mm256_mul_ps(y, y);
  const __m256 ones = _mm256_set1_ps(135135.0F);
  __m256 above = _mm256_add_ps(square, _mm256_set1_ps(378.0F));
  above = _mm256_fmadd_ps(above, square, _mm256_set1_ps(17325.0F));
  above = _mm256_mul_ps(_mm256_fmadd_ps(above, square, ones), y);
  __m256 below = _mm256_fmadd_ps(square, _mm256_set1_ps(28.0F), _mm256_set1_ps(3150.0F));
  below = _mm256_fmadd_ps(below, square, _mm256_set1_ps(62370.0F));
  return _mm256_div_ps(above, _mm256_fmadd_ps(below, square, ones));
}

struct Tangent {
  QYLON_AVX2_INLINE static __m256 of(__m256 x) noexcept { return tangent_of(x); }
};

struct Sigmoid {
  QYLON_AVX2_INLINE static __m256 of(__m256 x) noexcept {
    const __m256 half = _mm256_set1_ps(0.5F);
    return _mm256_fmadd_ps(half, tangent_of(_mm256_mul_ps(half, x)), half);
  }
};

/// Function::of() of every value; the rest through a padded copy, so that it rounds alike.
template <typename Function>
QYLON_AVX2_INLINE void apply(const float* x, std::size_t count, float* out) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(out + i, Function::of(_mm256_loadu_ps(x + i)));
  if (i == count) return;
  std::array<float, 8> last{};
  std::memcpy(last.data(), x + i, sizeof(float) * (count - i));
  _mm256_storeu_ps(last.data(), Function::of(_mm256_loadu_ps(last.data())));
  std::memcpy(out + i, last.data(), sizeof(float) * (count - i));
}

QYLON_AVX2_INLINE __m256 scaled_log(__m256 x, float floor, float scale) noexcept {
  // In this order the maximum of a NaN and the floor is the floor.
  const __m256 above = _mm256_max_ps(x, _mm256_set1_ps(floor));
  return _mm256_mul_ps(natural_log(above), _mm256_set1_ps(scale));
}

}  // namespace

QYLON_AVX2 void hyperbolic_tangent_avx2(const float* x, std::size_t count, float* out) noexcept {
  apply<Tangent>(x, count, out);
}

QYLON_AVX2 void sigmoid_avx2(const float* x, std::size_t count, float* out) noexcept {
  apply<Sigmoid>(x, count, out);
}

QYLON_AVX2 void from_s16le_avx2(const std::uint8_t* bytes, std::size_t count, float* out) noexcept {
  convert_all<FromS16>(bytes, count, out);
}

QYLON_AVX2 void from_f32le_avx2(const std::uint8_t* bytes, std::size_t count, float* out) noexcept {
  convert_all<FromF32>(bytes, count, out);
}

QYLON_AVX2 void mean_of_pairs_avx2(const float* in, std::size_t count, float* out) noexcept {
  const __m256 half = _mm256_set1_ps(0.5F);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 sums =
        _mm256_hadd_ps(_mm256_loadu_ps(in + 2 * i), _mm256_loadu_ps(in + 2 * i + 8));
    const __m256d ordered = _mm256_permute4x64_pd(_mm256_castps_pd(sums), 0xD8);  // 0, 2, 1, 3
    _mm256_storeu_ps(out + i, _mm256_mul_ps(half, _mm256_castpd_ps(ordered)));
  }
  for (; i < count; ++i)
    out[i] = 0.5F * (in[2 * i] + in[2 * i + 1]);
}

QYLON_AVX2 void scaled_log_avx2(const float* x,
                                std::size_t count,
                                float floor,
                                float scale,
                                float* out) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(out + i, scaled_log(_mm256_loadu_ps(x + i), floor, scale));
  if (i == count) return;
  std::array<float, 8> last{};
  std::memcpy(last.data(), x + i, sizeof(float) * (count - i));
  _mm256_storeu_ps(last.data(), scaled_log(_mm256_loadu_ps(last.data()), floor, scale));
  std::memcpy(out + i, last.data(), sizeof(float) * (count - i));
}

}  // namespace qylon::dsp
