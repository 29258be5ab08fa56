// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/narrow_weights.hpp"
#include "minrnn/core/narrow_weight.hpp"

namespace minrnn {

namespace detail {
/// What a `QuantisedCell` shows as its form where it is put into a chain, whose cells have one array of weights: it is
/// no `CellForm`.
struct OfFewBits {
  using Scalar = void;
};
}  // namespace detail

/// A cell, or a whole `CellChain`, with the matrices of its products in 16 or 8 bits, in the cell or in a header, where
/// they take a half or a quarter of the memory.
///
///   using Model = QuantisedCell<CellChain<MinGruCell<float, 1, 16>, LinearCell<float, 16, 1>>, WeightFormat::int8>;
///   const Model model(net);                       // of the trained net, as the cell itself
///   Model::State state = model.initial_state();   // that of the cell
///   const float y = model.step(x, state);
///
/// Equations   those of compose/quantised.hpp: the same bits as `step` of `quantise(net, format)`. It rounds the same
///             matrices in the same way, and what a product sums as integers is the same on every processor
/// Shapes      those of the cell
/// Memory      of W (R, C) R C' elements, C' = C or C + 1, an even number; and with int8 R scales. All else is as in
///             the cell, so what has few columns gains little. With int8 a step has the frame that is multiplied on the
///             stack, 2 bytes for each of up to 1024 numbers
/// Throws      std::invalid_argument as the cell, and for a weight that is not finite, with bf16 also in 16 bits
template <class Cell, WeightFormat format>
class QuantisedCell
    : public detail::OwningCell<typename Cell::Form, detail::OwnNarrowWeights<typename Cell::Form, format>> {
  using Base = detail::OwningCell<typename Cell::Form, detail::OwnNarrowWeights<typename Cell::Form, format>>;

 public:
  using Form = detail::OfFewBits;
  using Base::Base;
};

}  // namespace minrnn
