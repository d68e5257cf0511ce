#include "dsp/fft.hpp"

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/kernels.hpp"
#include "tests/support/signals.hpp"

namespace qylon::dsp {
namespace {

/// The definition: X[k] = sum x[n] exp(-2 pi i k n / size).
std::vector<std::complex<double>> naive_dft(std::span<const float> input, std::size_t size) {
  std::vector<std::complex<double>> turn(size);
  for (std::size_t n = 0; n < size; ++n) {
    turn[n] = std::polar(
        1.0, -2.0 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(size));
  }
  std::vector<std::complex<double>> bins(size / 2 + 1);
  for (std::size_t k = 0; k < bins.size(); ++k) {
    for (std::size_t n = 0; n < input.size(); ++n) {
      bins[k] += static_cast<double>(input[n]) * turn[k * n % size];
    }
  }
  return bins;
}

void expect_transform_of_noise(int size, std::size_t samples) {
  const std::vector<float> input = testing::white_noise(samples);
  const RealFft fft = *RealFft::create(size);
  std::vector<std::complex<float>> spectrum(fft.bins());
  std::vector<float> power(fft.bins());
  fft.forward(input, spectrum);
  fft.power(input, power);
  std::vector<float> cosine(fft.bins());
  fft.cosine(input, cosine);
  const auto expected = naive_dft(input, static_cast<std::size_t>(size));
  // The error of a float FFT grows with log2(size) * epsilon * rms; 6 of those are generous.
  const double tolerance = 6.0 * std::log2(size) * 6e-8 * std::sqrt(size);
  for (std::size_t k = 0; k < fft.bins(); ++k) {
    ASSERT_NEAR(std::abs(std::complex<double>(spectrum[k]) - expected[k]), 0.0, tolerance)
        << "bin " << k << " of " << size;
    ASSERT_EQ(cosine[k], spectrum[k].real());
    ASSERT_NEAR(static_cast<double>(power[k]),
                std::norm(expected[k]),
                2.0 * tolerance * (std::abs(expected[k]) + 1.0));
  }
}

TEST(RealFft, OfEverySizeIsTheDiscreteFourierTransform) {
  for (int size = 64; size <= 4096; size *= 2) {
    expect_transform_of_noise(size, static_cast<std::size_t>(size));
  }
}

TEST(RealFft, TakesAShorterInputAsFollowedByZeros) {
  for (const std::size_t samples : {0U, 1U, 2U, 17U, 399U, 400U, 511U}) {
    expect_transform_of_noise(512, samples);
  }
}

TEST(RealFft, GivesAPureToneOneBin) {
  std::vector<float> tone(512);
  for (std::size_t n = 0; n < tone.size(); ++n) {
    tone[n] = static_cast<float>(
        std::cos(2.0 * std::numbers::pi * 37.0 * static_cast<double>(n) / 512.0));
  }
  const RealFft fft = *RealFft::create(512);
  std::vector<float> power(fft.bins());
  fft.power(tone, power);
  for (std::size_t k = 0; k < power.size(); ++k) {
    // A cosine of amplitude 1 gives size / 2 in its bin.
    EXPECT_NEAR(power[k], k == 37 ? 256.0F * 256.0F : 0.0F, 0.02F);
  }
}

TEST(RealFft, RefusesSizesThatAreNoPowerOfTwoInRange) {
  for (const int size : {-512, 0, 32, 100, 511, 8192}) {
    const auto fft = RealFft::create(size);
    ASSERT_FALSE(fft);
    EXPECT_EQ(fft.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(fft.error().message.find(std::to_string(size)), std::string::npos);
  }
}

/// One pass by its definition in kernels.hpp.
void naive_pass(const FftPass& pass) {
  for (std::size_t p = 0; p < pass.quarter; ++p) {
    for (std::size_t q = 0; q < pass.stride; ++q) {
      for (std::size_t k = 0; k < 4; ++k) {
        std::complex<double> sum = 0.0;
        for (std::size_t j = 0; j < 4; ++j) {
          const std::size_t at = q + pass.stride * (p + j * pass.quarter);
          const std::complex<double> value(static_cast<double>(pass.in_real[at]),
                                           static_cast<double>(pass.in_imag[at]));
          sum += value * std::polar(1.0, -0.5 * std::numbers::pi * static_cast<double>(j * k));
        }
        if (k > 0) {
          sum *= std::complex<double>(
              static_cast<double>(pass.twiddles[(2 * k - 2) * pass.quarter + p]),
              static_cast<double>(pass.twiddles[(2 * k - 1) * pass.quarter + p]));
        }
        const std::size_t at = q + pass.stride * (4 * p + k);
        pass.out_real[at] = static_cast<float>(sum.real());
        pass.out_imag[at] = static_cast<float>(sum.imag());
      }
    }
  }
}

TEST(FftPass, OfEveryInstructionSetIsTheNaivePass) {
  const std::vector<float> in = testing::white_noise(2 * 1025, 1.0, 11);
  const std::vector<float> twiddles = testing::white_noise(6 * 256 + 1, 1.0, 12);
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (!isa_supported(isa)) continue;
    for (const auto& [quarter, stride] : {std::pair<std::size_t, std::size_t>{8, 1},
                                          {256, 1},
                                          {2, 4},
                                          {64, 4},
                                          {1, 16},
                                          {16, 16},
                                          {4, 64}}) {
      const std::size_t points = 4 * quarter * stride;
      std::vector<float> got(2 * points + 2);
      std::vector<float> expected(2 * points + 2);
      // Odd offsets: nothing may depend on alignment.
      FftPass pass{.in_real = in.data() + 1,
                   .in_imag = in.data() + 1025,
                   .out_real = got.data() + 1,
                   .out_imag = got.data() + 1 + points,
                   .twiddles = twiddles.data() + 1,
                   .quarter = quarter,
                   .stride = stride};
      kernels(isa).fft_pass(pass);
      pass.out_real = expected.data() + 1;
      pass.out_imag = expected.data() + 1 + points;
      naive_pass(pass);
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_NEAR(got[i], expected[i], 2e-6F)
            << isa_name(isa) << " quarter " << quarter << " stride " << stride << " at " << i;
      }
    }
  }
}

TEST(FftUnpack, OfEveryInstructionSetAgreesWithTheScalarOne) {
  const std::vector<float> in = testing::white_noise(2 * 260, 1.0, 13);
  const std::vector<float> turns = testing::white_noise(2 * 260, 1.0, 14);
  for (const Isa isa : {Isa::kAvx2, Isa::kAvx512}) {
    if (!isa_supported(isa)) continue;
    for (std::size_t points = 8; points <= 256; points += 8) {
      std::vector<float> got(2 * points);
      std::vector<float> expected(2 * points);
      FftUnpack unpack{.in_real = in.data() + 1,
                       .in_imag = in.data() + 260,
                       .out_real = got.data(),
                       .out_imag = got.data() + points,
                       .cosines = turns.data() + 1,
                       .sines = turns.data() + 260,
                       .points = points};
      kernels(isa).fft_unpack(unpack);
      unpack.out_real = expected.data();
      unpack.out_imag = expected.data() + points;
      scalar_kernels().fft_unpack(unpack);
      for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], expected[i], 1e-6F);
    }
  }
}

}  // namespace
}  // namespace qylon::dsp
