// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/compose/quantised.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "conformance/fixture.hpp"
#include "minrnn/math/half.hpp"
#include "support/run.hpp"

/// Every layer of the list with its weights in 16 and in 8 bits.
namespace minrnn::tests {
namespace {

class QuantisedLayer : public LayerTest {
 protected:
  /// infer, in chunks, step by step, and on any number of threads: the same bits. Returns what infer gives. Where the
  /// layer's own ways differ by rounding, a number of a frame may become the next integer, 2^-14 of the largest away.
  template <class S>
  Results<S> run(const Quantised<AnyLayer<S>>& narrow, const AnyLayer<S>& layer, Index time, Index batch) const {
    const auto example = Example(narrow, time, batch).with_starts({{time / 2, 0}}).from_carried_state();
    const auto whole = infer(narrow, example);
    ThreadCount threads;
    for (const Index count : {1, 3}) {
      threads.use(count);
      EXPECT_TRUE(equal(infer(narrow, example), whole)) << count << " threads";
    }
    if (!layer.is_causal()) return whole;
    const double rounding = narrow.format() == WeightFormat::int8 ? 0x1p-12 : kRounding<S>;
    const auto chunks = infer_chunks(narrow, example, {1, time - 3, 2}), steps = stream(narrow, example);
    EXPECT_TRUE(GetParam().exact ? equal(chunks, whole) : close(chunks, whole, rounding));
    EXPECT_TRUE(GetParam().exact ? equal(steps, whole) : close(steps, whole, rounding));
    return whole;
  }

  template <class S>
  void run_all(Size size, Index time, Index batch) const {
    const AnyLayer<S> layer = make<S>(size);
    run(quantise(layer, WeightFormat::int8), layer, time, batch);
    const auto bf16 = run(quantise(layer, WeightFormat::bf16), layer, time, batch);
    AnyLayer<S> rounded = layer;
    visit_parameters(rounded, [](const Name&, Parameter<S>& p) {
      if (p.read_by == ReadBy::elements) return;
      const auto nearest = [](S w) {
        return static_cast<S>(float_from_bf16(bf16_from_double(static_cast<double>(w))));
      };
      p.value = p.value.unaryExpr(nearest).eval();
    });
    const auto example = Example(rounded, time, batch).with_starts({{time / 2, 0}}).from_carried_state();
    EXPECT_TRUE(equal(infer(rounded, example), bf16)) << "the layer with rounded weights";
  }
};

TEST_P(QuantisedLayer, GivesTheSameBitsHoweverItRuns) {
  run_all<float>(kOdd, 7, 3);
  run_all<float>(kLarge, 40, 1);
  run_all<float>(kSmall, 11, 34);
  run_all<double>(kOdd, 35, 2);
}

TEST_P(QuantisedLayer, IsNearTheLayer) {
  const AnyLayer<double> layer = make<double>(kOdd);
  const Example example(layer, 12, 2);
  const auto wanted = infer(layer, example);
  for (const WeightFormat format : {WeightFormat::bf16, WeightFormat::int8}) {
    const auto narrow = quantise(layer, format);
    // Half a step is 1 / 256 or 1 / 254 of a weight; of those in a row, and of up to three products behind each other,
    // the errors add up to several of these at most.
    EXPECT_TRUE(close(infer(narrow, Example(narrow, 12, 2)), wanted, format == WeightFormat::bf16 ? 0.02 : 0.05));
  }
}
MINRNN_TEST_ALL_LAYERS(QuantisedLayer);

}  // namespace
}  // namespace minrnn::tests
