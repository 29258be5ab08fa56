// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <iterator>
#include <string_view>
#include <type_traits>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/cell_text.hpp"
#include "minrnn/core/types.hpp"

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
class CellView : public detail::BasicCell<typename Cell::Form, detail::WeightsElsewhere<typename Cell::Form>> {
  using Form = typename Cell::Form;
  using Base = detail::BasicCell<Form, detail::WeightsElsewhere<Form>>;

 public:
  using typename Base::Scalar;

  /// Of the weights of a header, which must stay. Those of other cells do not compile.
  template <class Weights>
  requires requires { Weights::kValues; }
  constexpr explicit CellView(const Weights&) : CellView(Weights::kValues) {
    static_assert(std::same_as<std::remove_cvref_t<decltype(Weights::kValues[0])>, Scalar>,
                  "the weights have another scalar than the cells");
    static_assert(std::string_view(Weights::kCells) == detail::description<Form>().text(),
                  "the weights are those of other cells: compare kCells of the header with the cells of the model");
    static_assert(static_cast<Index>(std::size(Weights::kValues)) == Form::kWeights + detail::kSlack,
                  "the weights are not as many as the cells have: write the header again");
  }
  /// Of weights_size() + weights_slack() scalars anywhere, which must stay: those of a cell, `cell.weights()`.
  constexpr explicit CellView(const Scalar* weights) : Base({weights}) {}
};

}  // namespace minrnn
