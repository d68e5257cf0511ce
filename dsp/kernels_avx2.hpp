#pragma once
/// AVX2 loops that the AVX-512 set uses as they are: wider vectors gain nothing on short passes.

#include "dsp/kernels.hpp"

// Only these functions are compiled for AVX2 and FMA; the rest of the program runs anywhere.
#define QYLON_AVX2 __attribute__((target("avx2,fma")))
#define QYLON_AVX2_INLINE __attribute__((target("avx2,fma"), always_inline)) inline

namespace qylon::dsp {

void add_columns_avx2(const float* columns,
                      std::size_t rows,
                      const float* x,
                      std::size_t count,
                      float* sums) noexcept;
void split_pairs_avx2(const float* in, std::size_t count, float* even, float* odd) noexcept;
void fft_pass_avx2(const FftPass& pass) noexcept;
void fft_unpack_avx2(const FftUnpack& unpack) noexcept;
void squared_magnitude_avx2(const float* real,
                            const float* imag,
                            std::size_t count,
                            float* out) noexcept;
void dot_bands_avx2(const float* x,
                    const std::uint16_t* begins,
                    const float* rows,
                    std::size_t count,
                    float* out) noexcept;
void multiply_avx2(const float* a, const float* b, std::size_t count, float* out) noexcept;
void difference_avx2(const float* x, float factor, std::size_t count, float* out) noexcept;
void scaled_log_avx2(const float* x,
                     std::size_t count,
                     float floor,
                     float scale,
                     float* out) noexcept;
void hyperbolic_tangent_avx2(const float* x, std::size_t count, float* out) noexcept;
void sigmoid_avx2(const float* x, std::size_t count, float* out) noexcept;
void from_s16le_avx2(const std::uint8_t* bytes, std::size_t count, float* out) noexcept;
void from_f32le_avx2(const std::uint8_t* bytes, std::size_t count, float* out) noexcept;
void mean_of_pairs_avx2(const float* in, std::size_t count, float* out) noexcept;
void root_above_avx2(const float* power,
                     const float* floor,
                     std::size_t count,
                     float* out) noexcept;

}  // namespace qylon::dsp
