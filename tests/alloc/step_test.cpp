// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <thread>
#include <type_traits>
#include <vector>

#include "alloc/counting.hpp"
#include "conformance/listed_layer.hpp"
#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/diagonal_gru_cell.hpp"
#include "minrnn/cells/diagonal_lstm_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/prelu_cell.hpp"
#include "minrnn/cells/quantised_cell.hpp"
#include "minrnn/cells/residual_cell.hpp"
#include "minrnn/cells/rg_lru_cell.hpp"
#include "minrnn/cells/unfold_cell.hpp"
#include "minrnn/compose/quantised.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/unfold.hpp"
#include "minrnn/models/language_model.hpp"
#include "minrnn/models/mixer_blocks.hpp"
#include "minrnn/models/sequence_model.hpp"

#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

/// What a compiler may not remove as unused.
void* volatile escape;

TEST(AllocationCount, CountsEveryWayToAllocate) {
  const auto counted = [](auto&& allocate) {
    const AllocationCount count;
    allocate();
    return count.now();
  };
  EXPECT_EQ(counted([] {}), 0);
  EXPECT_GE(counted([] {
              int* p = new int;
              escape = p;
              delete p;
            }),
            1);
  EXPECT_GE(counted([] {
              struct alignas(128) Wide {
                char bytes[128];
              };
              Wide* p = new Wide[3];
              escape = p;
              delete[] p;
            }),
            1);
  EXPECT_GE(counted([] {
              std::thread other([] {
                const std::vector<int> v(100);
                escape = const_cast<int*>(v.data());
              });
              other.join();
            }),
            1);
  if (!AllocationCount::counts_malloc()) {
    std::cout << "malloc is not counted here (no glibc, or an address sanitizer): operator new alone\n";
    return;
  }
  EXPECT_GE(counted([] {
              escape = std::malloc(16);
              std::free(escape);
            }),
            1);
  EXPECT_GE(counted([] {
              escape = std::aligned_alloc(64, 128);
              std::free(escape);
            }),
            1);
  EXPECT_GE(counted([] {
              const Matrix<float> m = Matrix<float>::Zero(100, 100);
              escape = const_cast<float*>(m.data());
            }),
            1);
  // What a layer would do that multiplied by Eigen: the product of a large weight takes its blocks from the heap.
  const Matrix<float> w = Matrix<float>::Zero(512, 512), x = Matrix<float>::Zero(512, 64);
  Matrix<float> y(512, 64);
  EXPECT_GE(counted([&] { y.noalias() = w * x; }), 1);
  EXPECT_GE(counted([] {
              Sequence<double> sequence(5, 7, 3);
              escape = sequence.data();
            }),
            1);
}

template <class L, class Input>
void expect_no_allocation(const L& layer, std::string_view name, Index inputs, const std::vector<Index>& batches) {
  using S = typename L::Scalar;
  std::vector<typename L::State> states;
  std::vector<Matrix<Input>> frames;
  for (const Index batch : batches) {
    states.push_back(layer.initial_state(batch));
    frames.push_back(Matrix<Input>::Ones(inputs, batch));
  }
  typename L::Cache cache;
  const auto step = [&](std::size_t i) {
    const FrameView<const S> y = layer.step(frames[i], states[i], cache, context());
    escape = const_cast<S*>(y.data());
  };
  for (std::size_t i = 0; i < batches.size(); ++i) {
    step(i);  // the first call may allocate
    const AllocationCount count;
    for (int repeat = 0; repeat < 3; ++repeat) step(i);
    EXPECT_EQ(count.now(), 0) << name << ", " << inputs << " inputs, batch " << batches[i];
  }
  // The cache has seen all these batch sizes: to change between them takes nothing either.
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const AllocationCount count;
    step(i);
    EXPECT_EQ(count.now(), 0) << name << ", " << inputs << " inputs, again batch " << batches[i];
  }
  const auto initial = layer.initial_state(1);
  const AllocationCount count;
  for (auto& state : states) reset(state, 0, initial);
  EXPECT_EQ(count.now(), 0) << name << ", a sequence that begins anew";
}

/// Of what has no step, infer and training.
template <class L>
void expect_no_allocation_of_calls(L layer, std::string_view name, Index batch) {
  using S = typename L::Scalar;
  constexpr Index kTime = 5;
  Sequence<S> x(layer.input_size(), kTime, batch), dy(layer.output_size(), kTime, batch);
  std::fill_n(x.data(), x.size(), S(0.5));
  std::fill_n(dy.data(), dy.size(), S(0.25));
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(kTime * batch));
  starts[2] = 1;
  const auto input = SequenceView<const S>(x.view()).with_starts(starts.data());
  auto state = layer.initial_state(batch), dstate = zero_state(layer, batch);
  typename L::Cache cache;
  const auto call = [&] {
    layer.infer(input, state, cache, context());
    layer.forward(input, state, cache, context());
    layer.backward(dy.view(), dstate, cache, context());
  };
  call();
  const AllocationCount count;
  for (int repeat = 0; repeat < 3; ++repeat) call();
  EXPECT_EQ(count.now(), 0) << name << ", " << layer.input_size() << " inputs, batch " << batch;
}

using AnyLayer = conformance::AnyLayer<float>;

struct Size {
  Index inputs, outputs;
  std::vector<Index> batches;
};

TEST(Step, OfAnyLayerAllocatesNothingAfterTheFirstCall) {
  ASSERT_FALSE(conformance::listed_layers().empty());
  for (const Size& size : {Size{5, 7, {1, 8, 64}}, {33, 16, {1, 8, 64}}, {512, 512, {1, 8, 64}}})
    for (const auto& listed : conformance::listed_layers()) {
      const auto layer = listed.make<float>({size.inputs, size.outputs});
      if (layer.is_causal())
        expect_no_allocation<AnyLayer, float>(layer, listed.name, size.inputs, size.batches);
      else
        for (const Index batch : {1, 8}) expect_no_allocation_of_calls(layer, listed.name, batch);
    }
}

TEST(Step, OfALayerWithNarrowWeightsAllocatesNothingAfterTheFirstCall) {
  for (const auto& listed : conformance::listed_layers()) {
    const auto layer = listed.make<float>({33, 16});
    if (!layer.is_causal()) continue;
    for (const WeightFormat format : {WeightFormat::bf16, WeightFormat::int8})
      expect_no_allocation<Quantised<AnyLayer>, float>(quantise(layer, format), listed.name, 33, {1, 8, 64});
  }
}

TEST(Step, OfALanguageModelAllocatesNothingAfterTheFirstCall) {
  using Mixer = MinGru<float>;
  for (const Index dim : {16, 256}) {
    Random random(1);
    const LanguageModel<Mixer> model(
        {.vocabulary = 65, .dim = dim, .layers = 2}, random.stream(0),
        [](Index inputs, Index features, RandomStream stream) { return Mixer(inputs, features, stream); });
    expect_no_allocation<LanguageModel<Mixer>, std::int32_t>(model, "language model", 1, {1, 8, 64});
    for (const WeightFormat format : {WeightFormat::bf16, WeightFormat::int8})
      expect_no_allocation<Quantised<LanguageModel<Mixer>>, std::int32_t>(quantise(model, format), "language model", 1,
                                                                          {1, 8, 64});
  }
}

TEST(Step, OfASequenceModelAllocatesNothingAfterTheFirstCall) {
  using Mixer = MinGru<float>;
  for (const Pooling pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
    Random random(1);
    const SequenceModel model(
        {.inputs = 5, .outputs = 3, .pooling = pooling}, random.stream(0),
        make_blocks<Mixer>({.dim = 16}, random.stream(1), [](Index inputs, Index features, RandomStream stream) {
          return Mixer(inputs, features, stream);
        }));
    expect_no_allocation<std::remove_const_t<decltype(model)>, float>(model, "sequence model", 5, {1, 8, 64});
  }
}

TEST(Step, OfACellNeverAllocates) {
  Random random(1);
  const MinGru<float> gru(3, 9, random.stream(0));
  const MinLstm<float> lstm(3, 9, random.stream(0));
  const DiagonalGru<float> diagonal_gru(3, 9, random.stream(0));
  const DiagonalLstm<float> diagonal_lstm(3, 9, random.stream(0));
  const RgLru<float> rg_lru(3, 9, random.stream(0));
  const AllocationCount count;
  const MinGruCell<float, 3, 9> gru_cell(gru);
  const MinLstmCell<float, 3, 9> lstm_cell(lstm);
  const DiagonalGruCell<float, 3, 9> diagonal_gru_cell(diagonal_gru);
  const DiagonalLstmCell<float, 3, 9> diagonal_lstm_cell(diagonal_lstm);
  const RgLruCell<float, 3, 9> rg_lru_cell(rg_lru);
  const Eigen::Matrix<float, 3, 1> x = Eigen::Matrix<float, 3, 1>::Ones();
  Eigen::Matrix<float, 9, 1> h = Eigen::Matrix<float, 9, 1>::Zero(), c = h;
  for (int repeat = 0; repeat < 3; ++repeat) {
    gru_cell.step(x, h);
    lstm_cell.step(x, h);
    diagonal_gru_cell.step(x, h);
    diagonal_lstm_cell.step(x, h, c);
    rg_lru_cell.step(x, h);
  }
  EXPECT_EQ(count.now(), 0);
  EXPECT_GT(h.maxCoeff(), 0);
}

TEST(Step, OfAChainOfCellsNeverAllocates) {
  Random random(1);
  const Sequential net{MinGru<float>(1, 16, random.stream(0)),
                       Residual(MinGru<float>(16, 16, random.stream(1))),
                       Gru<float>(16, 9, random.stream(2)),
                       Lstm<float>(9, 5, random.stream(3)),
                       Unfold<float>(5, 3, {.dilation = 2}),
                       Linear<float>(15, 5, random.stream(4)),
                       Prelu<float>(5),
                       Linear<float>(5, 1, random.stream(5))};
  using Model = CellChain<MinGruCell<float, 1, 16>, ResidualCell<MinGruCell<float, 16, 16>>, GruCell<float, 16, 9>,
                          LstmCell<float, 9, 5>, UnfoldCell<float, 5, 3, 2>, LinearCell<float, 15, 5>,
                          PreluCell<float, 5>, LinearCell<float, 5, 1>>;
  const auto expect_none = [&](auto of_type) {
    const AllocationCount count;
    const typename decltype(of_type)::type model(net);
    auto state = model.initial_state();
    float block[64] = {1};
    for (int repeat = 0; repeat < 3; ++repeat) model.process(block, block, 64, state);
    const float y = model.step(0.5f, state);
    model.reset(state);
    EXPECT_EQ(count.now(), 0);
    EXPECT_NE(y, 0);
  };
  expect_none(std::type_identity<Model>{});
  expect_none(std::type_identity<QuantisedCell<Model, WeightFormat::int8>>{});
  expect_none(std::type_identity<QuantisedCell<Model, WeightFormat::bf16>>{});
}

}  // namespace
}  // namespace minrnn::tests
