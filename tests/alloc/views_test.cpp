// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// What an audio callback does with each buffer: views of it, and a layer over them. None of it takes memory.
#include <gtest/gtest.h>

#include "alloc/counting.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/unfold.hpp"
#include "minrnn/minrnn.hpp"

namespace minrnn::tests {
namespace {

TEST(Views, AndChecksThatSucceedAllocateNothing) {
  Eigen::Tensor<float, 3> tensor(3, 8, 2);
  tensor.setConstant(1);
  Matrix<float> frame = Matrix<float>::Ones(3, 2);
  const std::vector<std::uint8_t> flags(16, 0);
  Random random(1);
  const Stack stack(2, [&](Index i) { return Linear<float>(3, 3, random.stream(i)); });
  float sum = 0;
  const AllocationCount count;
  const SequenceView<const float> view = tensor;
  const SequenceView<float> writable = tensor;
  sum += view.with_starts(flags.data()).chunk(2, 3).sequences(1, 1).frame(1).sequence().matrix(0)(1, 0);
  sum += SequenceView<const float>(writable).matrix(1)(0, 0) + view.tensor()(0, 0, 0);
  sum += SequenceView<const float>(frame.data(), 3, 1, 2, 3).column(0, 1)[0];
  sum += SequenceView<const float>(frame.data(), 3, 2).column(1, 0)[0];
  sum += FrameView<const float>(frame).matrix()(0, 0) + FrameView<const float>(frame.col(1)).column(0)[2];
  sum += FrameView<const float>(frame.data(), 3, 2, 3).with_starts({}).sequence().column(0, 1)[1];
  detail::check_size("here", "size", 3);
  detail::check_batch("here", 3);
  detail::check_block("here", 3, 4, 5);
  detail::check_input("here", view, 3);
  detail::check_sequence("here", "x", view, 3, 8, 2);
  detail::check_matrix("here", "m", frame, 3, 2);
  detail::check_that(sum > 0, "here", {"one of ", 17, " arguments"}, {"a sum above ", 0.5},
                     {"a number that is not, ", -1});
  EXPECT_EQ(random.below(7) < 7, true);
  EXPECT_EQ(stack.layer(1).input_size(), 3);
  EXPECT_EQ(count.now(), 0);
  EXPECT_GT(sum, 0);
}

template <class L>
void expect_none(const L& layer, const char* name) {
  Sequence<float> buffer(layer.input_size(), 64, 1);
  std::fill_n(buffer.data(), buffer.size(), 0.5f);
  auto state = layer.initial_state(1);
  typename L::Cache cache;
  const auto callback = [&] {
    const SequenceView<const float> x = buffer.view();
    layer.infer(x, state, cache);                                      // a buffer at once
    layer.infer(x.chunk(0, 48), state, cache);                         // or a part of it
    FrameView<const float> y = layer.step(x.frame(48), state, cache);  // and frames one by one
    for (Index t = 49; t < 64; ++t) y = layer.step(x.frame(t), state, cache);
    for (int i = 0; i < 3 && layer.input_size() == layer.output_size(); ++i) y = layer.step(y, state, cache);
  };
  callback();
  const AllocationCount count;
  callback();
  EXPECT_EQ(count.now(), 0) << name;
}

TEST(Views, AndLayersOverABufferAllocateNothing) {
  Random random(1);
  expect_none(MinGru<float>(4, 4, random.stream(0)), "MinGru");
  expect_none(MinLstm<float>(1, 16, random.stream(0)), "MinLstm");
  expect_none(Gru<float>(4, 4, random.stream(0)), "Gru");
  expect_none(Lstm<float>(1, 16, random.stream(0)), "Lstm");
  expect_none(Linear<float>(4, 4, random.stream(0)), "Linear");
  expect_none(Conv1d<float>(4, 3, random.stream(0)), "Conv1d");
  expect_none(Sequential{Unfold<float>(4, 3), Linear<float>(12, 4, random.stream(0))}, "Unfold and Linear");
  expect_none(Prelu<float>(4), "Prelu");
  expect_none(Mlp<float>(4, 8, random.stream(0)), "Mlp");
  expect_none(RmsNorm<float>(4), "RmsNorm");
  expect_none(Residual(Sequential{RmsNorm<float>(4), MinGru<float>(4, 4, random.stream(0))}), "Residual");
  expect_none(Stack(2, [&](Index i) { return Linear<float>(4, 4, random.stream(i)); }), "Stack");
}

}  // namespace
}  // namespace minrnn::tests
