// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/cell_text.hpp"

namespace minrnn {

/// A cell, or a `CellChain`, whose weights lie elsewhere: in read-only memory, from where nothing is copied. It holds
/// one pointer, is a constant expression, and steps as the cell does, with the same bits.
///
///   #include "my_weights.hpp"                                    // written by cells/weights_header.hpp
///   static constexpr CellView<Model> model(my_weights::Weights{});
///   static Model::State state = model.initial_state();            // all that is in memory that is written
///
/// Memory      the weights as the header has them, in the order in which a step reads them: there is no padding within
///             a cell, and the same header serves every target, with registers or without. Any address that a scalar
///             may have will do; the header aligns them to 64 bytes, where no register crosses a cache line
template <class Cell>
class CellView : public detail::BasicCell<typename Cell::Elsewhere> {
  using Elsewhere = typename Cell::Elsewhere;
  using Base = detail::BasicCell<Elsewhere>;

 public:
  /// Of the weights of a header, which must stay. Those of other cells do not compile.
  template <class Weights>
  requires requires { Weights::kCells; }
  constexpr explicit CellView(const Weights& weights) : Base(Elsewhere::of(weights)) {
    static_assert(std::string_view(Weights::kCells) == detail::description<Elsewhere>().text(),
                  "the weights are those of other cells: compare kCells of the header with the cells of the model");
  }
  /// Of weights anywhere, which must stay: those of a cell, `cell.weights()`, or weights_size() + weights_slack()
  /// scalars.
  constexpr explicit CellView(decltype(Elsewhere::values) weights) : Base({weights}) {}
};

}  // namespace minrnn
