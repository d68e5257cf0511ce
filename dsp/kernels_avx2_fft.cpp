#include <immintrin.h>

#include "dsp/kernels_avx2.hpp"

namespace qylon::dsp {
namespace {

/// Eight complex numbers.
struct Complex8 {
  __m256 re;
  __m256 im;
};

QYLON_AVX2_INLINE Complex8 load(const float* re, const float* im) noexcept {
  return {_mm256_loadu_ps(re), _mm256_loadu_ps(im)};
}

QYLON_AVX2_INLINE Complex8 add(const Complex8& a, const Complex8& b) noexcept {
  return {_mm256_add_ps(a.re, b.re), _mm256_add_ps(a.im, b.im)};
}

QYLON_AVX2_INLINE Complex8 subtract(const Complex8& a, const Complex8& b) noexcept {
  return {_mm256_sub_ps(a.re, b.re), _mm256_sub_ps(a.im, b.im)};
}

QYLON_AVX2_INLINE Complex8 multiply(const Complex8& a, const Complex8& b) noexcept {
  return {_mm256_fmsub_ps(a.re, b.re, _mm256_mul_ps(a.im, b.im)),
          _mm256_fmadd_ps(a.re, b.im, _mm256_mul_ps(a.im, b.re))};
}

struct Twiddles {
  Complex8 w1;
  Complex8 w2;
  Complex8 w3;
};

struct Quad {
  Complex8 y0;
  Complex8 y1;
  Complex8 y2;
  Complex8 y3;
};

/// Eight butterflies whose inputs begin at `in` and lie `span` apart.
QYLON_AVX2_INLINE Quad butterflies(const FftPass& pass,
                                   std::size_t in,
                                   const Twiddles& w) noexcept {
  const std::size_t span = pass.stride * pass.quarter;
  const float* const re = pass.in_real + in;
  const float* const im = pass.in_imag + in;
  const Complex8 a = load(re, im);
  const Complex8 b = load(re + span, im + span);
  const Complex8 c = load(re + 2 * span, im + 2 * span);
  const Complex8 d = load(re + 3 * span, im + 3 * span);
  const Complex8 sum_ac = add(a, c);
  const Complex8 difference_ac = subtract(a, c);
  const Complex8 sum_bd = add(b, d);
  const Complex8 difference_bd = subtract(b, d);
  const Complex8 minus_i = {difference_bd.im, _mm256_sub_ps(_mm256_setzero_ps(), difference_bd.re)};
  return {add(sum_ac, sum_bd),
          multiply(add(difference_ac, minus_i), w.w1),
          multiply(subtract(sum_ac, sum_bd), w.w2),
          multiply(subtract(difference_ac, minus_i), w.w3)};
}

/// Stores y0[i], y1[i], y2[i], y3[i] for i = 0..7 one after the other.
QYLON_AVX2_INLINE void store_transposed(float* out,
                                        __m256 y0,
                                        __m256 y1,
                                        __m256 y2,
                                        __m256 y3) noexcept {
  const __m256 low01 = _mm256_unpacklo_ps(y0, y1);  // y0[0] y1[0] y0[1] y1[1] | 4, 5
  const __m256 low23 = _mm256_unpacklo_ps(y2, y3);
  const __m256 high01 = _mm256_unpackhi_ps(y0, y1);  // 2, 3 | 6, 7
  const __m256 high23 = _mm256_unpackhi_ps(y2, y3);
  const __m256 row04 = _mm256_shuffle_ps(low01, low23, 0x44);  // 0 | 4
  const __m256 row15 = _mm256_shuffle_ps(low01, low23, 0xEE);  // 1 | 5
  const __m256 row26 = _mm256_shuffle_ps(high01, high23, 0x44);
  const __m256 row37 = _mm256_shuffle_ps(high01, high23, 0xEE);
  _mm256_storeu_ps(out, _mm256_permute2f128_ps(row04, row15, 0x20));
  _mm256_storeu_ps(out + 8, _mm256_permute2f128_ps(row26, row37, 0x20));
  _mm256_storeu_ps(out + 16, _mm256_permute2f128_ps(row04, row15, 0x31));
  _mm256_storeu_ps(out + 24, _mm256_permute2f128_ps(row26, row37, 0x31));
}

/// Stride 1: eight values of p side by side, their outputs interleaved.
QYLON_AVX2 void pass_stride1(const FftPass& pass) noexcept {
  const float* const t = pass.twiddles;
  const std::size_t n = pass.quarter;
  for (std::size_t p = 0; p < n; p += 8) {
    const Twiddles w = {load(t + p, t + n + p),
                        load(t + 2 * n + p, t + 3 * n + p),
                        load(t + 4 * n + p, t + 5 * n + p)};
    const Quad y = butterflies(pass, p, w);
    store_transposed(pass.out_real + 4 * p, y.y0.re, y.y1.re, y.y2.re, y.y3.re);
    store_transposed(pass.out_imag + 4 * p, y.y0.im, y.y1.im, y.y2.im, y.y3.im);
  }
}

/// w[0] four times, w[1] four times.
QYLON_AVX2_INLINE __m256 spread(const float* w) noexcept {
  return _mm256_set_m128(_mm_broadcast_ss(w + 1), _mm_broadcast_ss(w));
}

QYLON_AVX2_INLINE void store_halves(float* out,
                                    __m256 y0,
                                    __m256 y1,
                                    __m256 y2,
                                    __m256 y3) noexcept {
  _mm256_storeu_ps(out, _mm256_permute2f128_ps(y0, y1, 0x20));
  _mm256_storeu_ps(out + 8, _mm256_permute2f128_ps(y2, y3, 0x20));
  _mm256_storeu_ps(out + 16, _mm256_permute2f128_ps(y0, y1, 0x31));
  _mm256_storeu_ps(out + 24, _mm256_permute2f128_ps(y2, y3, 0x31));
}

/// Stride 4: two values of p with four of q each.
QYLON_AVX2 void pass_stride4(const FftPass& pass) noexcept {
  const float* const t = pass.twiddles;
  const std::size_t n = pass.quarter;
  for (std::size_t p = 0; p < n; p += 2) {
    const Twiddles w = {{spread(t + p), spread(t + n + p)},
                        {spread(t + 2 * n + p), spread(t + 3 * n + p)},
                        {spread(t + 4 * n + p), spread(t + 5 * n + p)}};
    const Quad y = butterflies(pass, 4 * p, w);
    store_halves(pass.out_real + 16 * p, y.y0.re, y.y1.re, y.y2.re, y.y3.re);
    store_halves(pass.out_imag + 16 * p, y.y0.im, y.y1.im, y.y2.im, y.y3.im);
  }
}

QYLON_AVX2_INLINE void store(const FftPass& pass, std::size_t at, const Complex8& y) noexcept {
  _mm256_storeu_ps(pass.out_real + at, y.re);
  _mm256_storeu_ps(pass.out_imag + at, y.im);
}

/// Stride 16 and more: eight values of q share the twiddles of one p.
QYLON_AVX2 void pass_wide(const FftPass& pass) noexcept {
  const float* const t = pass.twiddles;
  const std::size_t n = pass.quarter;
  for (std::size_t p = 0; p < n; ++p) {
    const Twiddles w = {{_mm256_broadcast_ss(t + p), _mm256_broadcast_ss(t + n + p)},
                        {_mm256_broadcast_ss(t + 2 * n + p), _mm256_broadcast_ss(t + 3 * n + p)},
                        {_mm256_broadcast_ss(t + 4 * n + p), _mm256_broadcast_ss(t + 5 * n + p)}};
    for (std::size_t q = 0; q < pass.stride; q += 8) {
      const Quad y = butterflies(pass, q + pass.stride * p, w);
      const std::size_t out = q + pass.stride * 4 * p;
      store(pass, out, y.y0);
      store(pass, out + pass.stride, y.y1);
      store(pass, out + 2 * pass.stride, y.y2);
      store(pass, out + 3 * pass.stride, y.y3);
    }
  }
}

/// The eight floats that end with at[0], last first.
QYLON_AVX2_INLINE __m256 load_reversed(const float* at) noexcept {
  const __m256i order = _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0);
  return _mm256_permutevar8x32_ps(_mm256_loadu_ps(at - 7), order);
}

}  // namespace

void fft_pass_avx2(const FftPass& pass) noexcept {
  if (pass.stride == 1) {
    pass_stride1(pass);
  } else if (pass.stride == 4) {
    pass_stride4(pass);
  } else {
    pass_wide(pass);
  }
}

QYLON_AVX2 void fft_unpack_avx2(const FftUnpack& u) noexcept {
  const __m256 half = _mm256_set1_ps(0.5F);
  for (std::size_t k = 0; k < u.points; k += 8) {
    const __m256 re = _mm256_loadu_ps(u.in_real + k);
    const __m256 im = _mm256_loadu_ps(u.in_imag + k);
    const __m256 mirror_re = load_reversed(u.in_real + u.points - k);
    const __m256 mirror_im = load_reversed(u.in_imag + u.points - k);
    const __m256 even_re = _mm256_mul_ps(half, _mm256_add_ps(re, mirror_re));
    const __m256 even_im = _mm256_mul_ps(half, _mm256_sub_ps(im, mirror_im));
    const __m256 odd_re = _mm256_mul_ps(half, _mm256_add_ps(im, mirror_im));
    const __m256 odd_im = _mm256_mul_ps(half, _mm256_sub_ps(mirror_re, re));
    const __m256 cosine = _mm256_loadu_ps(u.cosines + k);
    const __m256 sine = _mm256_loadu_ps(u.sines + k);
    _mm256_storeu_ps(u.out_real + k,
                     _mm256_fmadd_ps(sine, odd_im, _mm256_fmadd_ps(cosine, odd_re, even_re)));
    _mm256_storeu_ps(u.out_imag + k,
                     _mm256_fnmadd_ps(sine, odd_re, _mm256_fmadd_ps(cosine, odd_im, even_im)));
  }
}

}  // namespace qylon::dsp
