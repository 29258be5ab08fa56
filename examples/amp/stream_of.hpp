// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <type_traits>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/diagonal_gru_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "network.hpp"

namespace amp {

/// Scales what goes into something that plays some samples, and what comes out, a few at a time.
template <class Play>
class ScaledStream final : public Stream {
 public:
  template <class Model>
  ScaledStream(const Model& model, const Scales& scales)
      : play_(model), input_(static_cast<float>(scales.input)), output_(static_cast<float>(scales.output)) {}

  void process(const float* in, float* out, Index count) noexcept override {
    std::array<float, Play::kMost> x, y;
    for (Index first = 0; first < count; first += Play::kMost) {
      const Index n = std::min(Play::kMost, count - first);
      for (Index t = 0; t < n; ++t) x[static_cast<std::size_t>(t)] = input_ * in[first + t];
      play_(x.data(), y.data(), n);
      for (Index t = 0; t < n; ++t) out[first + t] = output_ * y[static_cast<std::size_t>(t)];
    }
  }
  void reset() noexcept override { play_.reset(); }

 private:
  Play play_;
  float input_, output_;
};

/// Cells of sizes that the compiler knows.
template <class Chain>
class PlayCells {
 public:
  static constexpr Index kMost = 64;

  template <class Model>
  explicit PlayCells(const Model& model) : chain_(model), state_(chain_.initial_state()) {}

  void operator()(const float* x, float* y, Index count) noexcept { chain_.process(x, y, count, state_); }
  void reset() noexcept { chain_.reset(state_); }

 private:
  Chain chain_;
  typename Chain::State state_;
};

/// Layers of any size.
template <class Model>
class PlayLayers {
 public:
  static constexpr Index kMost = 64;

  explicit PlayLayers(const Model& model) : model_(model), silence_(model_.initial_state(1)), state_(silence_) {
    std::array<float, kMost> x{}, y{};
    for (Index count = 1; count <= kMost; ++count) (*this)(x.data(), y.data(), count);  // what allocates does so here
    reset();
  }

  void operator()(const float* x, float* y, Index count) noexcept {
    const auto answer = model_.infer(minrnn::SequenceView<const float>(x, 1, count), state_, cache_);
    std::copy_n(answer.data(), count, y);
  }
  void reset() noexcept { minrnn::reset(state_, 0, silence_); }

 private:
  Model model_;
  typename Model::State silence_, state_;
  typename Model::Cache cache_;
};

/// The cell of a layer, as ::type.
template <class Mixer, Index in, Index hidden>
struct CellOf;
template <minrnn::Candidate candidate, minrnn::Decay decay, Index in, Index hidden>
struct CellOf<minrnn::MinGru<float, candidate, minrnn::Arithmetic::linear, decay>, in, hidden> {
  using type = minrnn::MinGruCell<float, in, hidden, candidate, decay>;
};
template <Index in, Index hidden>
struct CellOf<minrnn::DiagonalGru<float>, in, hidden> {
  using type = minrnn::DiagonalGruCell<float, in, hidden>;
};
template <Index in, Index hidden>
struct CellOf<minrnn::Gru<float>, in, hidden> {
  using type = minrnn::GruCell<float, in, hidden>;
};
template <Index in, Index hidden>
struct CellOf<minrnn::Lstm<float>, in, hidden> {
  using type = minrnn::LstmCell<float, in, hidden>;
};

/// The cells of a model of one mixer or two and an output.
template <Index size, class Mixer, class... Rest>
auto chain_of(const minrnn::Sequential<Mixer, Rest...>&) {
  using First = typename CellOf<Mixer, 1, size>::type;
  using Output = minrnn::LinearCell<float, size, 1>;
  if constexpr (sizeof...(Rest) == 1)
    return std::type_identity<minrnn::CellChain<First, Output>>{};
  else
    return std::type_identity<minrnn::CellChain<First, typename CellOf<Mixer, size, size>::type, Output>>{};
}

template <Index size, class Model>
std::unique_ptr<Stream> stream_of_cells(const Model& model, const Scales& scales) {
  using Chain = typename decltype(chain_of<size>(model))::type;
  return std::make_unique<ScaledStream<PlayCells<Chain>>>(model, scales);
}

/// By cells where there are some of this size.
template <class Model>
std::unique_ptr<Stream> make_stream(const Model& model, const Scales& scales) {
  switch (model.template layer<0>().output_size()) {
    case 8:
      return stream_of_cells<8>(model, scales);
    case 16:
      return stream_of_cells<16>(model, scales);
    case 32:
      return stream_of_cells<32>(model, scales);
    default:
      return std::make_unique<ScaledStream<PlayLayers<Model>>>(model, scales);
  }
}

}  // namespace amp
