#pragma once
/// Inner loops written once per instruction set. Numerical code takes `kernels()`; tests take each
/// set that the machine can run through `kernels(isa)`. No function here allocates, and all take
/// pointers of any alignment.

#include <cstddef>
#include <cstdint>

#include "dsp/isa.hpp"

namespace qylon::dsp {

/// Radix-4 pass of a Stockham FFT, decimation in frequency, real and imaginary parts apart: for
/// p < quarter and q < stride, a..d = in[q + stride * (p + {0, 1, 2, 3} * quarter)], and
/// out[q + stride * (4 p + k)] is element k of the 4-point transform of a..d times w^(k p).
struct FftPass {
  const float* in_real;
  const float* in_imag;
  float* out_real;
  float* out_imag;
  const float* twiddles;  ///< float32[6, quarter]: re, im of w^p, of w^2p, of w^3p.
  std::size_t quarter;    ///< Points of this pass / 4; >= 8 if stride is 1, even if stride is 4.
  std::size_t stride;     ///< 1, 4, 16, ...
};

/// Last step of a real FFT of 2 n points: the spectrum of x from that of x[2k] + i x[2k + 1].
struct FftUnpack {
  const float* in_real;  ///< float32[n + 1], element n equal to element 0.
  const float* in_imag;
  float* out_real;  ///< float32[n]; bin n is the caller's.
  float* out_imag;
  const float* cosines;  ///< float32[n] of pi k / n.
  const float* sines;
  std::size_t points;  ///< n, a multiple of 8.
};

/// A matrix times several vectors, added: out[t * out_stride + j] += sum of w(j, i) *
/// in[t * in_stride + i], j < rows, i < depth, t < columns. Vectors may overlap, so a convolution
/// over time is one product.
struct Product {
  const float* weights;  ///< float32[rows / 32, depth, 32] of w(j, i).
  std::size_t rows;      ///< A multiple of 32.
  std::size_t depth;
  const float* in;
  std::size_t in_stride;
  std::size_t columns;
  float* out;
  std::size_t out_stride;
};

struct Kernels {
  /// sum of a[i] * b[i], i < count. The order of summation depends on count only.
  float (*dot)(const float* a, const float* b, std::size_t count) noexcept;

  /// out[i] = sum of window[k] * row i[k], i < 8, k < count, where 16 values of each row lie side
  /// by side: row i[k] = rows[k / 16 * 128 + i * 16 + k % 16]. REQUIRES: count a multiple of 16.
  void (*dot_eight)(const float* window, const float* rows, std::size_t count, float* out) noexcept;

  /// out[i] = odd[i] / 2 + sum of even[i + j] * taps[j], i < count, j < tap_count. An output's bits
  /// do not depend on `count`.
  void (*half_band)(const float* even,
                    const float* odd,
                    const float* taps,
                    std::size_t tap_count,
                    std::size_t count,
                    float* out) noexcept;

  /// out[i] = sum of x[begins[i] + k] * row i[k], i < 8, k < count, where row i[k] =
  /// rows[k / 8 * 64 + i * 8 + k % 8]. REQUIRES: count a multiple of 8.
  void (*dot_bands)(const float* x,
                    const std::uint16_t* begins,
                    const float* rows,
                    std::size_t count,
                    float* out) noexcept;

  /// sums[j] += sum of x[i] * columns[i * rows + j], i < count, j < rows: a matrix, column by
  /// column, times a vector. REQUIRES: rows a multiple of 32.
  void (*add_columns)(const float* columns,
                      std::size_t rows,
                      const float* x,
                      std::size_t count,
                      float* sums) noexcept;

  void (*add_product)(const Product& product) noexcept;

  /// x[i] = max(x[i], 0) * scale[i] + shift[i], i < count. REQUIRES: count a multiple of 32.
  void (*rectify)(float* x, const float* scale, const float* shift, std::size_t count) noexcept;

  /// even[i] = in[2 i], odd[i] = in[2 i + 1], i < count.
  void (*split_pairs)(const float* in, std::size_t count, float* even, float* odd) noexcept;

  void (*fft_pass)(const FftPass& pass) noexcept;
  void (*fft_unpack)(const FftUnpack& unpack) noexcept;

  /// out[i] = real[i]^2 + imag[i]^2, i < count.
  void (*squared_magnitude)(const float* real,
                            const float* imag,
                            std::size_t count,
                            float* out) noexcept;

  /// out[i] = sqrt(max(power[i] - floor[i], 0)), i < count.
  void (*root_above)(const float* power,
                     const float* floor,
                     std::size_t count,
                     float* out) noexcept;

  /// out[i] = a[i] * b[i], i < count.
  void (*multiply)(const float* a, const float* b, std::size_t count, float* out) noexcept;

  /// out[i] = x[i] - factor * x[i - 1], i < count; x[-1] is read.
  void (*difference)(const float* x, float factor, std::size_t count, float* out) noexcept;

  /// out[i] = scale * ln(max(x[i], floor)) within 2e-7 of itself or of `scale`; what is no number
  /// counts as `floor`. REQUIRES: floor >= the smallest normal float; x finite.
  void (*scaled_log)(const float* x,
                     std::size_t count,
                     float floor,
                     float scale,
                     float* out) noexcept;

  /// out[i] = tanh(x[i]) within 1e-4, i < count. `out` may be `x`.
  /// Source: Lambert's continued fraction to its 7th term, cut off at +-4.97, where it reaches 1.
  void (*hyperbolic_tangent)(const float* x, std::size_t count, float* out) noexcept;

  /// out[i] = 1 / (1 + exp(-x[i])) as 0.5 + 0.5 tanh(0.5 x[i]), within 1e-4. `out` may be `x`.
  void (*sigmoid)(const float* x, std::size_t count, float* out) noexcept;

  /// out[i] = sample i / 32768 of signed 16-bit little-endian bytes, i < count.
  void (*from_s16le)(const std::uint8_t* bytes, std::size_t count, float* out) noexcept;

  /// out[i] = float i of little-endian bytes, clamped to +-1; NaN and infinities become 0.
  void (*from_f32le)(const std::uint8_t* bytes, std::size_t count, float* out) noexcept;

  /// out[i] = (in[2 i] + in[2 i + 1]) / 2, i < count. `out` may be `in`.
  void (*mean_of_pairs)(const float* in, std::size_t count, float* out) noexcept;
};

/// REQUIRES: isa_supported(isa).
const Kernels& kernels(Isa isa) noexcept;

/// Those of active_isa().
const Kernels& kernels() noexcept;

/// One per instruction set, each in a file of its own.
const Kernels& scalar_kernels() noexcept;
const Kernels& avx2_kernels() noexcept;
const Kernels& avx512_kernels() noexcept;

}  // namespace qylon::dsp
