// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <type_traits>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/bf16_product.hpp"
#include "minrnn/kernels/int8_product.hpp"
#include "minrnn/math/narrow_number.hpp"

/// The weights of cells in 16 or 8 bits: how they lie, and the products with them.
///
/// Elements    the matrices of products, each as the kernels of `Quantised` read it: gate after gate, each gate in
///             panels of up to 16 rows, in a panel a pair of columns after the other, in a pair row after row. The
///             second column of the last pair is zero where there is none. Rows are not filled up, so this depends on
///             no target
/// Numbers     what is no matrix, as scalars, in the order in which the cell has it; where its matrix would be stand
///             the scales of the rows, or with bf16 nothing
namespace minrnn::detail {

/// Rows [first, first + rows) of a matrix as elements, and their scales where these are integers.
template <class T, class S, class Weight>
void store_rows(const Weight& w, Index first, Index rows, Index columns, T* elements, S* scales) {
  constexpr Index kPanel = StoredMatrix<T>::kPanel;
  constexpr auto kFormat = std::is_same_v<T, std::int8_t> ? WeightFormat::int8 : WeightFormat::bf16;
  const Index length = (columns + 1) / 2 * 2;
  for (Index r = 0; r < rows; ++r) {
    const auto of_row = [&](Index c) { return static_cast<S>(w(first + r, c)); };
    for (Index c = 0; c < columns; ++c)
      check_that(fits(kFormat, of_row(c)), "QuantisedCell", "weight", wanted_of(kFormat),
                 static_cast<double>(of_row(c)));
    const Index panel = r / kPanel * kPanel, rows_of_panel = std::min<Index>(kPanel, rows - panel);
    const auto at = [&](Index c) -> T& {
      return elements[panel * length + c / 2 * 2 * rows_of_panel + (r - panel) * 2 + c % 2];
    };
    if (columns < length) at(columns) = 0;
    if constexpr (kFormat == WeightFormat::bf16) {
      for (Index c = 0; c < columns; ++c) at(c) = bf16_of(of_row(c));
    } else {
      scales[r] = int8_scale<S>(columns, of_row);
      for (Index c = 0; c < columns; ++c) at(c) = int8_of(of_row(c), scales[r]);
    }
  }
}

template <class S, class T>
struct NarrowPointer {
  static constexpr bool kHasScales = std::is_same_v<std::remove_const_t<T>, std::int8_t>;
  T* elements;
  S* numbers;

  /// How many numbers these are.
  static constexpr Index numbers_of(WeightsSize n) { return n.numbers + (kHasScales ? n.scales : 0); }

  constexpr NarrowPointer operator+(WeightsSize n) const { return {elements + n.elements, numbers + numbers_of(n)}; }
  /// Within numbers that are no matrix, or from the end of matrices on.
  constexpr NarrowPointer operator+(Index n) const { return {elements, numbers + n}; }
  constexpr operator S*() const { return numbers; }  // NOLINT: implicit, for what is no matrix

  /// As those of `GateProduct`.
  template <Index In, Index Hidden, Index gates, class Weight, class Bias>
  void pack(Index gate, const Weight& w, const Bias& b, Index first) const {
    constexpr auto kMatrix = WeightsSize::matrix(gates * Hidden, In);
    store_rows(w, first, Hidden, In, elements + gate * kMatrix.elements / gates, numbers + gate * Hidden);
    S* const bias = *this + kMatrix + gate * Hidden;
    for (Index r = 0; r < Hidden; ++r) bias[r] = b(first + r, 0);
  }

  /// k = W x + b, the rows of each gate `apart` from those of the one before: the bits of `multiply_narrow`.
  template <Index In, Index Hidden, Index gates, Index apart, class Scalar>
  MINRNN_INLINE void multiply(const Scalar* x, Scalar* k) const {
    constexpr auto kMatrix = WeightsSize::matrix(gates * Hidden, In);
    constexpr Index kOfGate = kMatrix.elements / gates;
    const Scalar* const bias = *this + kMatrix;
    if constexpr (kHasScales) {
      constexpr Index kMost = IntegerFrame<Scalar>::kMost, kWhole = In / kMost * kMost, kRest = In - kWhole;
      const auto add_slice = [&](auto depth, Index first) MINRNN_INLINE_LAMBDA {
        constexpr Index pairs = (depth + 1) / 2;
        IntegerFrame<Scalar, 2 * pairs> frame;
        frame.take(x + first, depth);
        for (Index gate = 0; gate < gates; ++gate) {
          const T* const w = elements + gate * kOfGate;
          const Index row_0 = gate * Hidden;
          for_panels<Hidden>([&](auto rows, Index row) MINRNN_INLINE_LAMBDA {
            Scalar* const y = k + gate * apart + row;
            Int8Product<Scalar>::template panel<rows>(pairs, w + row * (kOfGate / Hidden) + first * rows,
                                                      numbers + row_0 + row, frame, first == 0 ? bias + row_0 + row : y,
                                                      y);
          });
        }
      };
      for (Index first = 0; first < kWhole; first += kMost) add_slice(std::integral_constant<Index, kMost>{}, first);
      if constexpr (kRest > 0) add_slice(std::integral_constant<Index, kRest>{}, kWhole);
    } else if constexpr (apart == Hidden && Hidden % StoredMatrix<Bf16>::kPanel == 0) {
      Bf16Product<Scalar>::template panels<gates * Hidden, In>(elements, x, bias, k);
    } else {
      for (Index gate = 0; gate < gates; ++gate)
        Bf16Product<Scalar>::template panels<Hidden, In>(elements + gate * kOfGate, x, bias + gate * Hidden,
                                                         k + gate * apart);
    }
  }

 private:
  /// body(rows, row) for each panel from `row` on.
  template <Index rows, class Body>
  MINRNN_INLINE static void for_panels(Body&& body) {
    constexpr Index kPanel = StoredMatrix<Bf16>::kPanel, kWhole = rows / kPanel * kPanel;
    for (Index row = 0; row < kWhole; row += kPanel) body(std::integral_constant<Index, kPanel>{}, row);
    if constexpr (kWhole < rows) body(std::integral_constant<Index, rows - kWhole>{}, kWhole);
  }
};

template <WeightFormat format>
using NarrowElement = std::conditional_t<format == WeightFormat::int8, std::int8_t, std::uint16_t>;

/// Weights of few bits in somebody else's memory.
template <CellForm F, WeightFormat format>
struct NarrowWeightsElsewhere {
  using Form = F;
  using Elsewhere = NarrowWeightsElsewhere;
  using Scalar = typename F::Scalar;
  using Element = NarrowElement<format>;
  using Pointer = NarrowPointer<const Scalar, const Element>;
  static constexpr Index kElements = WeightsSize(F::kWeights).elements;
  static constexpr Index kNumbers = Pointer::numbers_of(F::kWeights);
  static constexpr Index kBytes =
      kElements * static_cast<Index>(sizeof(Element)) + kNumbers * static_cast<Index>(sizeof(Scalar));
  Pointer values;

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add(format == WeightFormat::int8 ? "int8 " : "bf16 ");
    F::describe(text);
  }
  /// Those of a header.
  template <class Header>
  static constexpr NarrowWeightsElsewhere of(const Header&) {
    static_assert(std::same_as<std::remove_cvref_t<decltype(Header::kElements[0])>, Element> &&
                      std::same_as<std::remove_cvref_t<decltype(Header::kNumbers[0])>, Scalar>,
                  "the weights have other types than the cells");
    static_assert(static_cast<Index>(std::size(Header::kElements)) == kElements + kSlack &&
                      static_cast<Index>(std::size(Header::kNumbers)) == kNumbers + kSlack,
                  "the weights are not as many as the cells have: write the header again");
    return {{Header::kElements, Header::kNumbers}};
  }

  MINRNN_INLINE constexpr Pointer data() const noexcept { return values; }
};
/// Weights of few bits in the cell itself.
template <CellForm F, WeightFormat format>
struct OwnNarrowWeights {
  using Elsewhere = NarrowWeightsElsewhere<F, format>;
  alignas(64) Array<NarrowElement<format>, Elsewhere::kElements + kSlack> elements{};
  Array<typename F::Scalar, Elsewhere::kNumbers + kSlack> numbers{};

  constexpr NarrowPointer<typename F::Scalar, NarrowElement<format>> data() noexcept {
    return {elements.data(), numbers.data()};
  }
  MINRNN_INLINE constexpr typename Elsewhere::Pointer data() const noexcept {
    return {elements.data(), numbers.data()};
  }
};

}  // namespace minrnn::detail
