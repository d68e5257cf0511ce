#include "dsp/kernels.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
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

TEST_P(EveryIsa, DotOfSeveralWindowsGivesTheBitsOfSingleOnes) {
  const std::vector<float> a = testing::white_noise(512, 1.0, 3);
  const std::vector<float> b = testing::white_noise(512, 1.0, 4);
  for (std::size_t count = 0; count <= 167; ++count) {
    for (const std::size_t stride : {0, 1, 2, 3, 6}) {
      std::array<float, 6> out{};
      kernel().dot_pair(a.data() + 1, stride, b.data() + 3, count, out.data());
      kernel().dot_quad(a.data() + 1, stride, b.data() + 3, count, out.data() + 2);
      for (std::size_t i = 0; i < 4; ++i) {
        const float single = kernel().dot(a.data() + 1 + i * stride, b.data() + 3, count);
        if (i < 2) {
          EXPECT_EQ(out[i], single) << count;
        }
        EXPECT_EQ(out[2 + i], single) << count;
      }
    }
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
