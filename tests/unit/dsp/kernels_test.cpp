#include "dsp/kernels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/signals.hpp"

namespace qylon::dsp {
namespace {

constexpr float kEpsilon = std::numeric_limits<float>::epsilon();

struct NaiveDot {
  double value = 0.0;
  double magnitude = 0.0;  // sum |a b|: rounding errors are a small multiple of epsilon times it.
};

NaiveDot naive_dot(const float* a, const float* b, std::size_t count) {
  NaiveDot result;
  for (std::size_t i = 0; i < count; ++i) {
    const double product = static_cast<double>(a[i]) * static_cast<double>(b[i]);
    result.value += product;
    result.magnitude += std::abs(product);
  }
  return result;
}

/// Runs the body of every test on each instruction set that this machine has.
class EveryIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!isa_supported(GetParam())) GTEST_SKIP() << "this machine cannot run it";
  }
  const Kernels& kernel() const { return kernels(GetParam()); }
};

TEST_P(EveryIsa, DotOfAnySizeAndAlignmentIsTheNaiveSum) {
  const std::vector<float> a = testing::white_noise(128, 1.0, 1);
  const std::vector<float> b = testing::white_noise(128, 1.0, 2);
  for (std::size_t count = 0; count <= 67; ++count) {
    for (const std::size_t shift : {0, 1, 3, 7, 15}) {
      const float* const left = a.data() + shift;
      const float* const right = b.data() + (5 * shift) % 16;
      const NaiveDot expected = naive_dot(left, right, count);
      EXPECT_NEAR(static_cast<double>(kernel().dot(left, right, count)),
                  expected.value,
                  4.0 * static_cast<double>(kEpsilon) * expected.magnitude)
          << count << " from " << shift;
    }
  }
}

TEST_P(EveryIsa, DotEightIsTheNaiveSumOfEachRow) {
  const std::vector<float> window = testing::white_noise(100, 1.0, 3);
  const std::vector<float> rows = testing::white_noise(8 * 80 + 8, 1.0, 4);
  for (const std::size_t count : {0, 16, 32, 48, 64, 80}) {
    for (const std::size_t shift : {0, 1, 3, 7}) {
      std::array<float, 10> out{};
      out.fill(7.0F);
      kernel().dot_eight(window.data() + shift, rows.data() + shift, count, out.data() + 1);
      for (std::size_t row = 0; row < 8; ++row) {
        std::vector<float> taps;
        for (std::size_t k = 0; k < count; ++k)
          taps.push_back(rows[shift + k / 16 * 128 + row * 16 + k % 16]);
        const NaiveDot expected = naive_dot(window.data() + shift, taps.data(), count);
        ASSERT_NEAR(static_cast<double>(out[1 + row]),
                    expected.value,
                    4.0 * static_cast<double>(kEpsilon) * expected.magnitude)
            << row << " of " << count;
      }
      ASSERT_EQ(out[0], 7.0F) << "wrote before the start";
      ASSERT_EQ(out[9], 7.0F) << "wrote past the end";
    }
  }
}

TEST_P(EveryIsa, HalfBandOfAnySizeIsTheNaiveSum) {
  const std::vector<float> even = testing::white_noise(100, 1.0, 5);
  const std::vector<float> odd = testing::white_noise(80, 1.0, 6);
  const std::vector<float> taps = testing::white_noise(24, 0.1, 7);
  for (std::size_t count = 0; count <= 67; ++count) {
    for (const std::size_t tap_count : {2, 10, 22}) {
      std::vector<float> out(count + 2, 7.0F);
      kernel().half_band(
          even.data() + 3, odd.data() + 1, taps.data() + 1, tap_count, count, out.data() + 1);
      for (std::size_t i = 0; i < count; ++i) {
        const NaiveDot sum = naive_dot(even.data() + 3 + i, taps.data() + 1, tap_count);
        const double expected = sum.value + 0.5 * static_cast<double>(odd[1 + i]);
        ASSERT_NEAR(static_cast<double>(out[1 + i]),
                    expected,
                    4.0 * static_cast<double>(kEpsilon) * (sum.magnitude + 1.0));
      }
      ASSERT_EQ(out.front(), 7.0F) << "wrote before the start";
      ASSERT_EQ(out.back(), 7.0F) << "wrote past the end";
    }
  }
}

TEST_P(EveryIsa, HalfBandGivesTheSameBitsForAnyBlockSize) {
  const std::vector<float> even = testing::white_noise(200, 1.0, 5);
  const std::vector<float> odd = testing::white_noise(180, 1.0, 6);
  const std::vector<float> taps = testing::white_noise(20, 0.1, 7);
  std::vector<float> whole(150);
  kernel().half_band(even.data(), odd.data(), taps.data(), 20, whole.size(), whole.data());
  for (std::size_t first = 0; first <= 150; ++first) {
    std::vector<float> parts(150);
    kernel().half_band(even.data(), odd.data(), taps.data(), 20, first, parts.data());
    kernel().half_band(even.data() + first,
                       odd.data() + first,
                       taps.data(),
                       20,
                       150 - first,
                       parts.data() + first);
    ASSERT_EQ(parts, whole) << first;
  }
}

TEST_P(EveryIsa, AddColumnsIsAMatrixTimesAVector) {
  const std::vector<float> columns = testing::white_noise(68 * 96 + 1, 1.0, 5);
  const std::vector<float> x = testing::white_noise(70, 1.0, 6);
  for (const std::size_t rows : {32, 64, 96}) {
    for (std::size_t count = 0; count <= 67; ++count) {
      std::vector<float> sums(rows + 1, 0.5F);
      kernel().add_columns(columns.data() + 1, rows, x.data() + 1, count, sums.data() + 1);
      for (std::size_t row = 0; row < rows; ++row) {
        double expected = 0.5;
        for (std::size_t i = 0; i < count; ++i) {
          expected +=
              static_cast<double>(x[1 + i]) * static_cast<double>(columns[1 + i * rows + row]);
        }
        ASSERT_NEAR(static_cast<double>(sums[1 + row]), expected, 2e-5) << rows << " x " << count;
      }
    }
  }
}

TEST_P(EveryIsa, AddProductIsTheMatrixTimesEachVector) {
  constexpr std::size_t kInStride = 3;  // Vectors overlap, as in a convolution.
  constexpr std::size_t kDepth = 11;
  const std::vector<float> weights = testing::white_noise(96 * kDepth, 1.0, 15);
  const std::vector<float> in = testing::white_noise(40 * kInStride + kDepth, 1.0, 16);
  for (const std::size_t rows : {32, 64, 96}) {
    for (std::size_t columns = 0; columns <= 31; ++columns) {
      const std::size_t out_stride = rows + 5;
      std::vector<float> out(32 * out_stride, 0.5F);
      kernel().add_product(
          {weights.data(), rows, kDepth, in.data(), kInStride, columns, out.data(), out_stride});
      for (std::size_t t = 0; t < 32; ++t) {
        for (std::size_t row = 0; row < out_stride; ++row) {
          double expected = 0.5;
          for (std::size_t i = 0; row < rows && t < columns && i < kDepth; ++i) {
            const float weight = weights[(row / 32 * kDepth + i) * 32 + row % 32];
            expected += static_cast<double>(weight) * static_cast<double>(in[t * kInStride + i]);
          }
          ASSERT_NEAR(static_cast<double>(out[t * out_stride + row]), expected, 2e-5)
              << rows << " x " << columns;
        }
      }
    }
  }
}

TEST_P(EveryIsa, RectifyCutsScalesAndShifts) {
  const std::vector<float> x = testing::white_noise(97, 1.0, 17);
  const std::vector<float> scale = testing::white_noise(97, 1.0, 18);
  const std::vector<float> shift = testing::white_noise(97, 1.0, 19);
  std::vector<float> out = x;
  kernel().rectify(out.data() + 1, scale.data() + 1, shift.data() + 1, 64);
  for (std::size_t i = 1; i < 65; ++i) {
    ASSERT_NEAR(out[i], std::max(x[i], 0.0F) * scale[i] + shift[i], 1e-6F);
  }
  EXPECT_EQ(out[0], x[0]);
  EXPECT_EQ(out[65], x[65]);
}

TEST_P(EveryIsa, SplitPairsSeparatesEvenFromOdd) {
  const std::vector<float> in = testing::white_noise(160, 1.0, 7);
  for (std::size_t count = 0; count <= 67; ++count) {
    for (const std::size_t shift : {0, 1, 5}) {
      std::vector<float> even(count + 9, 7.0F);
      std::vector<float> odd(count + 9, 7.0F);
      kernel().split_pairs(in.data() + shift, count, even.data() + 1, odd.data() + 1);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(even[1 + i], in[shift + 2 * i]);
        ASSERT_EQ(odd[1 + i], in[shift + 2 * i + 1]);
      }
      ASSERT_EQ(even[1 + count], 7.0F) << "wrote past the end";
      ASSERT_EQ(odd[1 + count], 7.0F) << "wrote past the end";
    }
  }
}

TEST_P(EveryIsa, SquaredMagnitudeOfAnySizeIsExactToRounding) {
  const std::vector<float> re = testing::white_noise(80, 1.0, 8);
  const std::vector<float> im = testing::white_noise(80, 1.0, 9);
  for (std::size_t count = 0; count <= 67; ++count) {
    std::vector<float> out(count + 2, 7.0F);
    kernel().squared_magnitude(re.data() + 1, im.data() + 3, count, out.data() + 1);
    for (std::size_t i = 0; i < count; ++i) {
      const float expected = re[1 + i] * re[1 + i] + im[3 + i] * im[3 + i];
      ASSERT_NEAR(out[1 + i], expected, 2.0F * kEpsilon * expected);
    }
    ASSERT_EQ(out[1 + count], 7.0F) << "wrote past the end";
  }
}

TEST_P(EveryIsa, RootAboveTakesTheRootOfWhatExceedsTheFloor) {
  const std::vector<float> power = testing::white_noise(80, 1.0, 8);
  const std::vector<float> floor = testing::white_noise(80, 1.0, 9);
  for (std::size_t count = 0; count <= 67; ++count) {
    std::vector<float> out(count + 2, 7.0F);
    kernel().root_above(power.data() + 1, floor.data() + 3, count, out.data() + 1);
    for (std::size_t i = 0; i < count; ++i) {
      const float above = power[1 + i] - floor[3 + i];
      ASSERT_NEAR(out[1 + i], above > 0.0F ? std::sqrt(above) : 0.0F, 1e-6F);
    }
    ASSERT_EQ(out[1 + count], 7.0F) << "wrote past the end";
  }
}

TEST_P(EveryIsa, DotBandsIsTheNaiveSumOfEachBand) {
  const std::vector<float> x = testing::white_noise(200, 1.0, 10);
  const std::vector<float> rows = testing::white_noise(8 * 40 + 8, 1.0, 11);
  const std::array<std::uint16_t, 8> begins = {0, 1, 5, 17, 40, 41, 99, 150};
  for (const std::size_t count : {0, 8, 16, 40}) {
    std::array<float, 10> out{};
    out.fill(7.0F);
    kernel().dot_bands(x.data() + 1, begins.data(), rows.data() + 3, count, out.data() + 1);
    for (std::size_t band = 0; band < 8; ++band) {
      std::vector<float> weights;
      for (std::size_t k = 0; k < count; ++k)
        weights.push_back(rows[3 + k / 8 * 64 + band * 8 + k % 8]);
      const NaiveDot expected = naive_dot(x.data() + 1 + begins[band], weights.data(), count);
      ASSERT_NEAR(static_cast<double>(out[1 + band]),
                  expected.value,
                  4.0 * static_cast<double>(kEpsilon) * expected.magnitude);
    }
    ASSERT_EQ(out[0], 7.0F) << "wrote before the start";
    ASSERT_EQ(out[9], 7.0F) << "wrote past the end";
  }
}

TEST_P(EveryIsa, MultiplyAndDifferenceAreTheirDefinitions) {
  const std::vector<float> a = testing::white_noise(80, 1.0, 12);
  const std::vector<float> b = testing::white_noise(80, 1.0, 13);
  for (std::size_t count = 0; count <= 67; ++count) {
    std::vector<float> products(count + 2, 7.0F);
    std::vector<float> differences(count + 2, 7.0F);
    kernel().multiply(a.data() + 1, b.data() + 3, count, products.data() + 1);
    kernel().difference(a.data() + 1, 0.97F, count, differences.data() + 1);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(products[1 + i], a[1 + i] * b[3 + i]);
      ASSERT_NEAR(differences[1 + i], a[1 + i] - 0.97F * a[i], 2.0F * kEpsilon);
    }
    ASSERT_EQ(products[1 + count], 7.0F) << "wrote past the end";
    ASSERT_EQ(differences[1 + count], 7.0F) << "wrote past the end";
  }
}

TEST_P(EveryIsa, ScaledLogIsTheLogarithmFromTheFloorUp) {
  constexpr float kFloor = 1e-10F;
  std::vector<float> x;
  for (double power = 1e-14; power < 1e9; power *= 1.0137)
    x.push_back(static_cast<float>(power));
  x.insert(x.end(), {0.0F, -1.0F, 1.0F, std::nextafter(1.0F, 0.0F), kFloor, 0.70710678F});
  x.push_back(std::numeric_limits<float>::quiet_NaN());
  std::vector<float> out(x.size());
  kernel().scaled_log(x.data(), x.size(), kFloor, 4.3F, out.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double above = x[i] > kFloor ? static_cast<double>(x[i]) : static_cast<double>(kFloor);
    const double expected = 4.3 * std::log(above);
    ASSERT_NEAR(static_cast<double>(out[i]), expected, 2e-7 * (std::abs(expected) + 4.3)) << x[i];
  }
  for (std::size_t count = 0; count <= 67; ++count) {
    std::vector<float> part(count + 2, 7.0F);
    kernel().scaled_log(x.data() + 1, count, kFloor, 4.3F, part.data() + 1);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(part[1 + i], out[1 + i]);
    ASSERT_EQ(part[1 + count], 7.0F) << "wrote past the end";
  }
}

TEST_P(EveryIsa, TangentAndSigmoidAreWithinTheirTolerance) {
  std::vector<float> x;
  for (float value = -30.0F; value < 30.0F; value += 0.07F)
    x.push_back(value);
  std::vector<float> tangent(x.size());
  std::vector<float> sigmoid(x.size());
  kernel().hyperbolic_tangent(x.data(), x.size(), tangent.data());
  kernel().sigmoid(x.data(), x.size(), sigmoid.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(tangent[i], std::tanh(x[i]), 1e-4F) << x[i];
    ASSERT_NEAR(sigmoid[i], 1.0F / (1.0F + std::exp(-x[i])), 1e-4F) << x[i];
  }
  for (std::size_t count = 0; count <= 67; ++count) {
    std::vector<float> part(x.begin() + 401, x.begin() + 401 + 70);
    kernel().hyperbolic_tangent(part.data(), count, part.data());  // In place.
    for (std::size_t i = 0; i < part.size(); ++i)
      ASSERT_EQ(part[i], i < count ? tangent[401 + i] : x[401 + i]) << count;
  }
}

TEST_P(EveryIsa, SamplesOfSixteenBitsAreTheirValueOfFullScale) {
  std::vector<std::uint8_t> bytes(150);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 89 + 7);
  for (std::size_t count = 0; count <= 67; ++count) {
    for (const std::size_t shift : {0, 1, 3}) {
      std::vector<float> out(count + 2, 7.0F);
      kernel().from_s16le(bytes.data() + shift, count, out.data() + 1);
      for (std::size_t i = 0; i < count; ++i) {
        const int value = bytes[shift + 2 * i] | (bytes[shift + 2 * i + 1] << 8);
        const int wrapped = value >= 32768 ? value - 65536 : value;
        ASSERT_EQ(out[1 + i], static_cast<float>(wrapped) / 32768.0F);
      }
      ASSERT_EQ(out[1 + count], 7.0F) << "wrote past the end";
    }
  }
}

TEST_P(EveryIsa, FloatSamplesAreClampedAndOnlyNumbers) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::array<float, 9> edges = {std::numeric_limits<float>::quiet_NaN(),
                                      kInfinity,
                                      -kInfinity,
                                      1.5F,
                                      -3e38F,
                                      0.5F,
                                      -1.0F,
                                      1e-40F,
                                      0.0F};
  std::vector<float> values(70);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = edges[i * 7 % edges.size()];
  std::vector<std::uint8_t> bytes(4 * values.size() + 1);
  std::memcpy(bytes.data() + 1, values.data(), 4 * values.size());  // Misaligned on purpose.
  for (std::size_t count = 0; count <= 67; ++count) {
    std::vector<float> out(count + 1, 7.0F);
    kernel().from_f32le(bytes.data() + 1, count, out.data());
    for (std::size_t i = 0; i < count; ++i) {
      const float expected = std::isfinite(values[i]) ? std::clamp(values[i], -1.0F, 1.0F) : 0.0F;
      ASSERT_EQ(out[i], expected) << values[i];
    }
    ASSERT_EQ(out[count], 7.0F) << "wrote past the end";
  }
}

TEST_P(EveryIsa, MeanOfPairsMayBeInPlace) {
  const std::vector<float> in = testing::white_noise(140, 1.0, 14);
  for (std::size_t count = 0; count <= 67; ++count) {
    std::vector<float> samples = in;
    kernel().mean_of_pairs(samples.data() + 1, count, samples.data() + 1);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(samples[1 + i], 0.5F * (in[1 + 2 * i] + in[2 + 2 * i])) << count;
    ASSERT_EQ(samples[1 + 2 * count], in[1 + 2 * count]) << "wrote past the end";
  }
}

std::string name_of(const ::testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}

INSTANTIATE_TEST_SUITE_P(Kernels,
                         EveryIsa,
                         ::testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512),
                         name_of);

TEST(Isa, FollowsTheEnvironmentWhereTheMachineCan) {
  const char* const wanted = std::getenv("QYLON_ISA");
  if (wanted == nullptr) GTEST_SKIP() << "QYLON_ISA is not set";
  if (std::string(wanted) == "scalar") {
    EXPECT_EQ(active_isa(), Isa::kScalar);
  }
  EXPECT_TRUE(isa_supported(active_isa()));
}

}  // namespace
}  // namespace qylon::dsp
