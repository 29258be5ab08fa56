// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Compiled once as it is and once for each of Eigen's macros that a user may set for a whole program:
//   eigen_macros write FILE              writes numbers of many layers
//   eigen_macros compare FILE TOLERANCE  fails where its own differ by more, relative to max(1, |number|)
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "minrnn/minrnn.hpp"

namespace minrnn {
namespace {

std::vector<double> numbers;

template <class M>
void add(const M& m) {
  for (Index j = 0; j < m.cols(); ++j)
    for (Index i = 0; i < m.rows(); ++i) numbers.push_back(static_cast<double>(m(i, j)));
}
template <class S>
void add(SequenceView<S> view) {
  for (Index b = 0; b < view.batch(); ++b) add(view.matrix(b));
}

template <class L>
void run(L layer) {
  using S = typename L::Scalar;
  const Index time = 9, batch = 3;
  Random random(2);
  Sequence<S> x(layer.input_size(), time, batch), dy(layer.output_size(), time, batch);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<S>(random.normal());
  for (Index i = 0; i < dy.size(); ++i) dy.data()[i] = static_cast<S>(random.normal());
  typename L::Cache cache, step_cache;
  auto state = layer.initial_state(batch), dstate = state;
  add(SequenceView<const S>(layer.forward(x, state, cache, {.draw = 0})));
  add(SequenceView<const S>(layer.backward(dy, dstate, cache)));
  L::State::visit(state, Name{}, [](const Name&, const auto& m) { add(m); });
  L::State::visit(dstate, Name{}, [](const Name&, const auto& m) { add(m); });
  visit_parameters(layer, [](const Name&, const auto& p) { add(p.grad); });
  Adam<S> adam(layer);
  clip_gradient_norm(layer, 1);
  adam.step(layer);
  visit_parameters(layer, [](const Name&, const auto& p) { add(p.value); });

  auto streaming = layer.initial_state(batch);
  layer.step(x.view().frame(0), streaming, step_cache);
#ifdef EIGEN_RUNTIME_NO_MALLOC
  Eigen::internal::set_is_malloc_allowed(false);
#endif
  const auto y = layer.step(x.view().frame(1), streaming, step_cache);
#ifdef EIGEN_RUNTIME_NO_MALLOC
  Eigen::internal::set_is_malloc_allowed(true);
#endif
  add(y.matrix());
}

/// What a user hands over in types of his own, which the macros change.
void run_own_types() {
  Eigen::MatrixXf weight(2, 3);
  weight << 1, 2, 3, 4, 5, 6;
  const Linear<float> linear(weight);
  const Eigen::Vector3f frame(1, 10, 100);
  const std::vector<float> memory{1, 10, 100, 2, 20, 200};
  const Eigen::Map<const Matrix<float>> frames(memory.data(), 3, 2);
  NoState none;
  Linear<float>::Cache cache;
  add(linear.step(frame, none, cache).matrix());
  add(linear.step(frames, none, cache).matrix());
  // A matrix that lies row after row is no frame: it does not convert, rather than in a wrong order.
  static_assert(std::is_convertible_v<Eigen::MatrixXf&, FrameView<float>> == !Eigen::MatrixXf::IsRowMajor);
  Eigen::Tensor<float, 3> tensor(2, 2, 1);
  tensor.setValues({{{1}, {2}}, {{3}, {4}}});
  add(SequenceView<const float>(tensor));

  Random random(3);
  const MinGru<float> layer(2, 5, random.stream(0));
  const MinGruCell<float, 2, 5> cell(layer);
  Eigen::Vector<float, 5> h = Eigen::Vector<float, 5>::Zero();
  for (int t = 0; t < 3; ++t) cell.step(Eigen::Vector2f(0.5f, -1), h);
  add(h);
}

void run_all() {
  Random random(1);
  run(Linear<float>(3, 20, random.stream(0)));
  run(Mlp<float>(4, 18, random.stream(0), {.form = MlpForm::gated}));
  run(RmsNorm<float>(19));
  run(Dropout<float>(3, 0.5, random.stream(0)));
  run(Conv1d<float>(18, 3, random.stream(0)));
  run(MinGru<float>(3, 18, random.stream(0), {.learn_initial_state = true}));
  run(MinLstm<double>(3, 7, random.stream(0)));
  run(MinGru<float, Candidate::positive, Arithmetic::log_space>(3, 18, random.stream(0)));
  run(Gru<float>(3, 18, random.stream(0)));
  run(Lstm<double>(3, 7, random.stream(0)));
  run(Mamba<float>(6, random.stream(0)));
  run(Attention<float>(6, 1, random.stream(0), {.head_size = 4, .window = 5}));
  run_own_types();
}

int compare(std::FILE* file, double tolerance) {
  double worst = 0, wanted = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (std::fscanf(file, "%lf", &wanted) != 1) return std::printf("the file has %zu numbers only\n", i), 1;
    const double difference = std::fabs(numbers[i] - wanted) / std::fmax(1, std::fabs(wanted));
    if (!(difference <= tolerance)) return std::printf("number %zu: wanted %g, given %g\n", i, wanted, numbers[i]), 1;
    worst = std::fmax(worst, difference);
  }
  std::printf("%zu numbers, the worst %g away\n", numbers.size(), worst);
  return numbers.empty() || std::fscanf(file, "%lf", &wanted) == 1 ? 1 : 0;
}

}  // namespace
}  // namespace minrnn

int main(int count, char** arguments) {
  if (count < 3) return 2;
  minrnn::run_all();
  const bool writes = std::string_view(arguments[1]) == "write";
  std::FILE* file = std::fopen(arguments[2], writes ? "w" : "r");
  if (file == nullptr) return 2;
  int result = 0;
  if (writes)
    for (const double x : minrnn::numbers) std::fprintf(file, "%a\n", x);
  else
    result = minrnn::compare(file, std::atof(arguments[count - 1]));
  return std::fclose(file) == 0 ? result : 2;
}
