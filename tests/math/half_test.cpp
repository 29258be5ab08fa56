// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/math/half.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "minrnn/core/random.hpp"

namespace minrnn::tests {
namespace {

/// A format of 16 bits: its exponent has `exponent_bits`, and what is left beside the sign is the fraction.
struct Format {
  const char* name;
  int exponent_bits;
  float (*to_float)(std::uint16_t);
  std::uint16_t (*from_float)(float);
  std::uint16_t (*from_double)(double);

  int fraction_bits() const { return 15 - exponent_bits; }
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  std::uint16_t infinity() const { return static_cast<std::uint16_t>(((1 << exponent_bits) - 1) << fraction_bits()); }
  bool is_nan(std::uint16_t bits) const { return (bits & 0x7fff) > infinity(); }

  /// What the bits mean, by the definition of the format.
  double value(std::uint16_t bits) const {
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    const int exponent = (bits & 0x7fff) >> fraction_bits(), fraction = bits & ((1 << fraction_bits()) - 1);
    if (is_nan(bits)) return std::numeric_limits<double>::quiet_NaN();
    if ((bits & 0x7fff) == infinity()) return sign * std::numeric_limits<double>::infinity();
    if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias() - fraction_bits());
    return sign * std::ldexp((1 << fraction_bits()) + fraction, exponent - bias() - fraction_bits());
  }
  /// The nearest to x, by the processor's rounding of a double to an integer, ties to even.
  double nearest(double x) const {
    if (x == 0 || !std::isfinite(x)) return x;
    const int unit = std::max(std::ilogb(x), 1 - bias()) - fraction_bits();
    const double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
    const double largest = value(static_cast<std::uint16_t>(infinity() - 1));
    return std::abs(rounded) > largest ? std::copysign(std::numeric_limits<double>::infinity(), x) : rounded;
  }
};

class Half : public ::testing::TestWithParam<Format> {
 protected:
  const Format& format = GetParam();

  static bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }
  void expect_nearest(double x) const {
    const double wanted = format.nearest(x);
    EXPECT_TRUE(same(format.value(format.from_double(x)), wanted)) << x;
    if (static_cast<double>(static_cast<float>(x)) == x) {
      EXPECT_TRUE(same(format.value(format.from_float(static_cast<float>(x))), wanted)) << x;
    }
  }
};

TEST_P(Half, EveryPatternIsTheNumberOfItsDefinition) {
  int nans = 0;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float x = format.to_float(bits);
    if (format.is_nan(bits)) {
      ++nans;
      EXPECT_TRUE(std::isnan(x)) << i;
      EXPECT_EQ(std::signbit(x), i >= 0x8000) << i;
    } else {
      EXPECT_TRUE(same(x, format.value(bits))) << i << ": " << x;
    }
  }
  EXPECT_EQ(nans, 2 * ((1 << format.fraction_bits()) - 1));
}

TEST_P(Half, EveryPatternComesBack) {
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float x = format.to_float(bits);
    const std::uint16_t back = format.from_float(x), from_double = format.from_double(static_cast<double>(x));
    if (format.is_nan(bits)) {
      EXPECT_TRUE(format.is_nan(back) && format.is_nan(from_double)) << i;
      EXPECT_EQ(back & 0x8000, i & 0x8000) << i;
    } else {
      EXPECT_EQ(back, i);
      EXPECT_EQ(from_double, i);
    }
  }
}

TEST_P(Half, RoundsToTheNearestAndTiesToEven) {
  for (std::uint32_t i = 0; i < format.infinity(); ++i) {
    const double low = format.value(static_cast<std::uint16_t>(i));
    // What comes after the largest, were there no end, decides where infinity begins.
    const double unit =
        std::ldexp(1, std::max(std::ilogb(low == 0 ? 1e-300 : low), 1 - format.bias()) - format.fraction_bits());
    const double tie = low + unit / 2;
    for (const double x : {tie, std::nextafter(tie, 0), std::nextafter(tie, 1e300), low + unit / 4,
                           static_cast<double>(std::nextafter(static_cast<float>(tie), 0.f)),
                           static_cast<double>(std::nextafter(static_cast<float>(tie), 1e38f))}) {
      expect_nearest(x);
      expect_nearest(-x);
    }
    EXPECT_EQ(format.from_double(tie), i + (i & 1)) << "the one that is even";
  }
}

TEST_P(Half, RoundsNumbersOfAnySize) {
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    const double x = std::ldexp(random.normal(), static_cast<int>(random.uniform() * 320) - 160);
    expect_nearest(x);
    expect_nearest(static_cast<double>(static_cast<float>(x)));
  }
  for (const double x : {0.0, 1e-320, 1e-46, 1e-40, 3.3e38, 3.4028235e38, 3.5e38, 1e300, 65519.999, 65520.0, 65536.0,
                         std::numeric_limits<double>::infinity()}) {
    expect_nearest(x);
    expect_nearest(-x);
  }
}

TEST_P(Half, KeepsANanOfAnyBits) {
  for (const std::uint32_t bits : {0x7f800001u, 0x7fffffffu, 0x7fc00000u, 0x7f802000u, 0xff800001u, 0xffffffffu})
    for (const double wide : {0.0, 1.0}) {
      const auto x = std::bit_cast<float>(bits);
      const std::uint16_t half = wide == 0 ? format.from_float(x) : format.from_double(static_cast<double>(x));
      EXPECT_TRUE(format.is_nan(half)) << bits;
      EXPECT_EQ(half >> 15, bits >> 31) << bits;
    }
}

// In a loop that the compiler may turn into packets.
TEST_P(Half, IsTheSameInALoop) {
  const bool is_f16 = format.exponent_bits == 5;
  std::vector<std::uint16_t> bits(65536), back(65536);
  std::vector<float> numbers(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
  for (std::size_t i = 0; i < bits.size(); ++i)
    numbers[i] = is_f16 ? float_from_f16(bits[i]) : float_from_bf16(bits[i]);
  for (std::size_t i = 0; i < bits.size(); ++i)
    back[i] = is_f16 ? f16_from_float(numbers[i]) : bf16_from_float(numbers[i]);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (format.is_nan(bits[i])) continue;
    EXPECT_TRUE(same(numbers[i], format.value(bits[i]))) << i;
    EXPECT_EQ(back[i], i);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Half,
                         ::testing::Values(Format{"F16", 5, float_from_f16, f16_from_float, f16_from_double},
                                           Format{"BF16", 8, float_from_bf16, bf16_from_float, bf16_from_double}),
                         [](const auto& format) { return format.param.name; });

}  // namespace
}  // namespace minrnn::tests
