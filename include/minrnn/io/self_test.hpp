// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/sequence_batch.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// A file of weights may hold an input and what the model made of it, so that whoever loads it sees that names and
/// shapes which fit also mean the same: a transposed weight, gates in another order, another epsilon. Both are tensors
/// of reserved names beside the weights, not metadata: numbers keep their bits, there may be as many as a model wants,
/// and every program that writes weights can write them.
///
/// Names     __self_test__/input, __self_test__/output
/// Shapes    x (F, T, B) and y (H, T, B) lie in memory as (B, T, F) and (B, T, H), PyTorch's batch_first, and have that
///           shape in the file; tokens (B, T). Sizes of 1 may be left out. Of one answer for a sequence y is (B, K)
/// Run       infer, from the initial state, of sequences without further starts
/// Error     max |y - y_file|, absolute, and over max |y_file|, relative
/// Allowed   a relative error of 2^10 roundings where the output is of F32 or F64 (1.2e-4, 2.3e-13): sums in another
///           order, other functions for exp and tanh, over many frames. Of 2^4 roundings where it is of F16 or BF16
///           (1.6e-2, 1.25e-1): each intermediate number was rounded once. The coarser type counts, of the output's and
///           the model's.
namespace minrnn {

/// By how much a model was off.
struct SelfTest {
  double absolute = 0;  // the largest difference
  double relative = 0;  // that over the largest number of the output; NaN where either is not finite
  double allowed = 0;

  bool passed() const { return detail::is_finite(relative) && relative <= allowed; }
};

namespace detail {

/// A map of sequences, of tokens, or of whole batches of sequences, whose answers are one for each.
template <class M>
concept MapsFeatures = requires(const M& model, SequenceView<const typename M::Scalar> x, typename M::State& state,
                                typename M::Cache& cache) {
  model.infer(x, state, cache);
  model.initial_state(Index{1});
};
template <class M>
concept MapsTokens = requires(const M& model, SequenceView<const std::int32_t> x, typename M::State& state,
                              typename M::Cache& cache) {
  model.infer(x, state, cache);
  model.initial_state(Index{1});
};
template <class M>
concept MapsBatches = requires(const M& model, const SequenceBatch<typename M::Scalar>& x, typename M::Cache& cache) {
  model.infer(x, cache);
};
template <class M>
concept SelfTested = MapsFeatures<M> || MapsTokens<M> || MapsBatches<M>;

/// What the input of a model is made of: its scalars, or tokens.
template <SelfTested M>
using InputScalar = std::conditional_t<MapsTokens<M>, std::int32_t, typename M::Scalar>;

/// The numbers of a view, features fastest, then time, then batch.
template <class S>
std::vector<S> numbers_of(SequenceView<const S> view) {
  std::vector<S> numbers;
  for (Index b = 0; b < view.batch(); ++b) {
    const S* from = view.column(0, b);
    numbers.insert(numbers.end(), from, from + view.features() * view.time());
  }
  return numbers;
}

struct ModelOutput {
  std::vector<double> numbers;
  std::vector<std::uint64_t> shape;  // (B, T, H)
};

template <class M, class X>
ModelOutput output_of(const M& model, SequenceView<const X> x) {
  typename M::Cache cache;
  const auto take = [](auto y) {
    const auto numbers = numbers_of(y);
    const auto size = [](Index n) { return static_cast<std::uint64_t>(n); };
    return ModelOutput{{numbers.begin(), numbers.end()}, {size(y.batch()), size(y.time()), size(y.features())}};
  };
  if constexpr (MapsBatches<M>) {
    std::vector<SequenceView<const X>> list;
    for (Index b = 0; b < x.batch(); ++b) list.push_back(x.sequences(b, 1));
    SequenceBatch<X> batch;
    batch.pad(list);
    ModelOutput y = take(model.infer(batch, cache));  // (K, 1, N)
    std::swap(y.shape[0], y.shape[1]);
    return y;
  } else {
    auto state = model.initial_state(x.batch());
    return take(model.infer(x, state, cache));
  }
}

inline std::vector<std::uint64_t> without_ones(std::vector<std::uint64_t> shape) {
  std::erase(shape, std::uint64_t{1});
  return shape;
}

/// The input that a file has, for a model of features or of tokens.
template <class X>
Sequence<X> self_test_input(const TensorFile& file) {
  const StoredTensor& tensor = find_tensor(file, kSelfTestInput);
  auto shape = tensor.shape;  // (B, T, F)
  if (std::integral<X> && shape.size() < 3) shape.push_back(1);
  if (shape.size() < 3) shape.insert(shape.begin(), 3 - shape.size(), 1);
  const bool is_empty = std::find(shape.begin(), shape.end(), std::uint64_t{0}) != shape.end();
  if (shape.size() > 3 || is_empty)
    throw_tensor(file.path, tensor.name, "an input (B, T, F) of at least one frame", describe(tensor));
  const auto values = numbers<X>(tensor, Conversion::exact, file.path);  // so each size is one that memory has
  const auto size = [&](std::size_t i) { return static_cast<Index>(shape[i]); };
  Sequence<X> x(size(2), size(1), size(0));
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

/// The numbers of y beside those that the file has.
template <class S>
SelfTest compare_outputs(const StoredTensor& wanted, const ModelOutput& y, const std::filesystem::path& path) {
  const auto values = numbers<double>(wanted, Conversion::exact, path);
  SelfTest result;
  double largest = 0;
  bool all_finite = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double difference = y.numbers[i] - values[i];
    all_finite &= is_finite(difference);
    result.absolute = std::max<double>(result.absolute, (std::fabs)(difference));
    largest = std::max<double>(largest, (std::fabs)(values[i]));
  }
  if (!all_finite) result.absolute = std::numeric_limits<double>::quiet_NaN();
  result.relative = largest > 0 ? result.absolute / largest : result.absolute;
  const double rounding = std::numeric_limits<S>::epsilon();
  result.allowed = 0x1p10 * rounding;
  if (wanted.dtype == Dtype::f32) result.allowed = std::max<double>(result.allowed, 0x1p-13);
  if (wanted.dtype == Dtype::f16) result.allowed = 0x1p-6;
  if (wanted.dtype == Dtype::bf16) result.allowed = 0x1p-3;
  return result;
}

}  // namespace detail

inline bool has_self_test(const TensorFile& file) {
  return std::any_of(file.tensors.begin(), file.tensors.end(),
                     [](const StoredTensor& tensor) { return detail::is_self_test(tensor.name); });
}

/// Runs a model on the input of a file and compares. Throws std::runtime_error with the path and the reason where the
/// file has no self-test, or one that is none of such a model; a large error throws nothing.
template <detail::SelfTested M>
SelfTest run_self_test(const TensorFile& file, const M& model) {
  using X = detail::InputScalar<M>;
  const auto x = detail::self_test_input<X>(file);
  const StoredTensor& wanted = find_tensor(file, detail::kSelfTestOutput);
  detail::ModelOutput y;
  try {
    y = detail::output_of(model, SequenceView<const X>(x));
  } catch (const std::invalid_argument& error) {
    detail::throw_file(file.path, "self-test: the model refuses the input: " + printable(error.what(), 1000));
  }
  if (detail::without_ones(wanted.shape) != detail::without_ones(y.shape))
    detail::throw_tensor(file.path, wanted.name, "an output " + detail::describe(wanted.dtype, y.shape),
                         describe(wanted));
  return detail::compare_outputs<typename M::Scalar>(wanted, y, file.path);
}

namespace detail {

/// Throws unless the model makes of the input of a file what the file says.
template <class M>
void check_self_test(const TensorFile& file, const M& model) {
  const SelfTest result = run_self_test(file, model);
  if (!result.passed())
    throw_file(file.path, "self-test: the output is off by " + number_text(static_cast<float>(result.absolute)) +
                              ", relative " + number_text(static_cast<float>(result.relative)) + ", allowed " +
                              number_text(static_cast<float>(result.allowed)));
}

/// A tensor of numbers in their own type.
template <class S>
StoredTensor tensor_of_numbers(std::string_view name, std::vector<std::uint64_t> shape, const std::vector<S>& numbers) {
  StoredTensor tensor{std::string(name), dtype_of<S>(), std::move(shape), {}};
  std::vector<std::byte>& bytes = tensor.bytes.own();
  bytes.resize(numbers.size() * sizeof(S));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    copy_little_endian(bytes.data() + i * sizeof(S), &numbers[i], sizeof(S));
  return tensor;
}

/// Puts an input and what `model` makes of it into a file, in place of what there was.
template <class M, class X>
void put_self_test(TensorFile& file, const M& model, SequenceView<const X> x) {
  using S = typename M::Scalar;
  check_that(x.starts().flags == nullptr, "add_self_test", "x", "sequences without starts of their own", "starts");
  check_that(x.size() > 0, "add_self_test", "x", "at least one frame", "none");
  const ModelOutput y = output_of(model, x);
  for (const double number : y.numbers)
    check_that(is_finite(number), "add_self_test", "output of the model", "finite numbers", number);
  const auto size = [](Index n) { return static_cast<std::uint64_t>(n); };
  std::erase_if(file.tensors, [](const StoredTensor& tensor) { return is_self_test(tensor.name); });
  file.tensors.push_back(
      tensor_of_numbers(kSelfTestInput, {size(x.batch()), size(x.time()), size(x.features())}, numbers_of(x)));
  const std::vector<S> output(y.numbers.begin(), y.numbers.end());
  file.tensors.push_back(tensor_of_numbers(kSelfTestOutput, y.shape, output));
}

}  // namespace detail
}  // namespace minrnn
