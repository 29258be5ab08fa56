// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "cell_kinds.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/cells/activation_cell.hpp"
#include "minrnn/cells/cell_text.hpp"
#include "minrnn/cells/conv1d_cell.hpp"
#include "minrnn/cells/diagonal_gru_cell.hpp"
#include "minrnn/cells/diagonal_lstm_cell.hpp"
#include "minrnn/cells/dropout_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/mlp_cell.hpp"
#include "minrnn/cells/prelu_cell.hpp"
#include "minrnn/cells/rg_lru_cell.hpp"
#include "minrnn/cells/rms_norm_cell.hpp"
#include "minrnn/cells/unfold_cell.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/math/activation_function.hpp"
#include "support/errors.hpp"

namespace convert {
namespace {

using minrnn::Candidate, minrnn::Decay, minrnn::GateScaling, minrnn::GeluForm;
using minrnn::Matrix, minrnn::MlpForm, minrnn::StoredTensor;

const StoredTensor* find(const LayerTensors& tensors, std::string_view leaf) {
  const auto& list = tensors.file.tensors;
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const StoredTensor& t) { return t.name == tensors.name(leaf); });
  return found == list.end() ? nullptr : &*found;
}

/// The sizes of a weight, by which a layer is made that then takes all of the tensors.
struct Sizes {
  Index rows, columns;
};
Sizes sizes_of(const CellKind& kind, const LayerTensors& tensors, std::string_view leaf, std::size_t dimensions = 2) {
  const std::string path = tool::shown(tensors.file.path.string());
  const StoredTensor* tensor = find(tensors, leaf);
  if (tensor == nullptr)
    throw tool::InputError(path + ": " + minrnn::printable(tensors.name(leaf)) + " of " + kind.name +
                           ": missing; there are " + tensors.leaves());
  const bool is_empty = std::count(tensor->shape.begin(), tensor->shape.end(), 0u) > 0;
  if (tensor->shape.size() != dimensions || is_empty || tensor->dtype == minrnn::Dtype::i8)
    throw tool::InputError(path + ": " + minrnn::printable(tensor->name) + " of " + kind.name + ": wanted floats of " +
                           std::to_string(dimensions) + " dimensions, given " + minrnn::describe(*tensor));
  return {static_cast<Index>(tensor->shape.front()), static_cast<Index>(tensor->shape.back())};
}
/// The rows of a weight that must be a multiple.
Index part_of(const CellKind& kind, const LayerTensors& tensors, std::string_view leaf, Index rows, Index parts) {
  if (rows % parts != 0)
    throw tool::InputError(tool::shown(tensors.file.path.string()) + ": " + minrnn::printable(tensors.name(leaf)) +
                           " of " + kind.name + ": wanted a multiple of " + std::to_string(parts) + " rows, given " +
                           std::to_string(rows));
  return rows / parts;
}

/// The layer with all tensors, none missing and none left over.
template <class Layer>
Layer restored(Layer layer, const LayerTensors& tensors) {
  if (tensors.path.empty())
    minrnn::restore(tensors.file, layer, tensors.conversion);
  else
    minrnn::restore(tensors.file, minrnn::Parts(minrnn::Part{tensors.path, layer}), tensors.conversion);
  return layer;
}
const minrnn::RandomStream kNoDraws = minrnn::Random().stream(0);

/// The numbers of matrices one behind the other, column after column.
template <class S>
std::vector<S> numbers_of(std::initializer_list<const Matrix<S>*> matrices) {
  std::vector<S> numbers;
  for (const Matrix<S>* m : matrices) numbers.insert(numbers.end(), m->data(), m->data() + m->size());
  return numbers;
}

/// Of gates that see the input, and the state through diagonal weights at most.
template <class Layer>
PackedCell<typename Layer::Scalar> pack_gated(const CellKind& kind, const LayerTensors& tensors) {
  using S = typename Layer::Scalar;
  using Gates = typename Layer::Gates;
  const auto [features, inputs] = sizes_of(kind, tensors, Gates::kWeights[0]);
  constexpr bool has_initial_state = requires(const Layer& l, S* h_0) { l.write_initial_state(minrnn::Row<S>(h_0)); };
  const Layer layer = restored(
      [&, inputs = inputs, features = features] {
        if constexpr (has_initial_state)
          return Layer(inputs, features, kNoDraws, {.learn_initial_state = find(tensors, "h_0") != nullptr});
        else
          return Layer(inputs, features, kNoDraws);
      }(),
      tensors);
  Product<S> all{Matrix<S>(Gates::kCount * features, inputs), Gates::kCount, {}};
  Matrix<S> numbers(features, Gates::kCount + Gates::kDiagonals + (has_initial_state ? 1 : 0));
  for (Index gate = 0; gate < Gates::kCount; ++gate) {
    all.w.middleRows(gate * features, features) = layer.weight(gate);
    numbers.col(gate) = layer.bias(gate);
  }
  if constexpr (Gates::kDiagonals > 0)
    for (Index i = 0; i < Gates::kDiagonals; ++i) numbers.col(Gates::kCount + i) = layer.diagonal(i);
  if constexpr (has_initial_state) layer.write_initial_state(minrnn::Row<S>(numbers.rightCols(1).data()));
  all.numbers = numbers_of<S>({&numbers});
  return {{inputs, features}, inputs, features, {all}};
}

template <class Layer>
PackedCell<typename Layer::Scalar> pack_recurrent(const CellKind& kind, const LayerTensors& tensors) {
  using S = typename Layer::Scalar;
  const auto [rows, inputs] = sizes_of(kind, tensors, "weight_ih");
  const Index features = sizes_of(kind, tensors, "weight_hh").columns;
  if (part_of(kind, tensors, "weight_ih", rows, Layer::Gates::kCount) != features)
    throw tool::InputError(tool::shown(tensors.file.path.string()) + ": " +
                           minrnn::printable(tensors.name("weight_hh")) + " of " + kind.name + ": wanted " +
                           std::to_string(rows / Layer::Gates::kCount) + " columns, given " + std::to_string(features));
  const Layer layer = restored(Layer(inputs, features, kNoDraws), tensors);
  constexpr Index gates = Layer::Gates::kCount;
  return {{inputs, features},
          inputs,
          features,
          {{layer.weight_ih(), gates, numbers_of<S>({&layer.bias_ih()})},
           {layer.weight_hh(), gates, numbers_of<S>({&layer.bias_hh()})}}};
}

template <class S>
PackedCell<S> pack_linear(const CellKind& kind, const LayerTensors& tensors) {
  const auto [outputs, inputs] = sizes_of(kind, tensors, "w");
  const minrnn::LinearOptions options{.bias = find(tensors, "b") != nullptr};
  const auto layer = restored(minrnn::Linear<S>(inputs, outputs, kNoDraws, options), tensors);
  std::vector<S> bias = numbers_of<S>({&layer.bias()});
  bias.resize(static_cast<std::size_t>(outputs));
  return {{inputs, outputs}, inputs, outputs, {{layer.weight(), 1, bias}}};
}

template <class S>
PackedCell<S> pack_conv(const CellKind& kind, const LayerTensors& tensors) {
  const auto [features, kernel] = sizes_of(kind, tensors, "w");
  const auto layer = restored(minrnn::Conv1d<S>(features, kernel, kNoDraws), tensors);
  return {{features, kernel}, features, features, {{{}, 1, numbers_of<S>({&layer.weight(), &layer.bias()})}}};
}

template <class S>
PackedCell<S> pack_norm(const CellKind& kind, const LayerTensors& tensors) {
  const Index features = sizes_of(kind, tensors, "gain", 1).rows;
  const auto layer = restored(minrnn::RmsNorm<S>(features), tensors);
  std::vector<S> numbers = numbers_of<S>({&layer.gain()});
  numbers.push_back(layer.epsilon());
  return {{features}, features, features, {{{}, 1, numbers}}};
}

template <class S>
PackedCell<S> pack_prelu(const CellKind& kind, const LayerTensors& tensors) {
  const Index features = sizes_of(kind, tensors, "alpha", 1).rows;
  const auto layer = restored(minrnn::Prelu<S>(features), tensors);
  return {{features}, features, features, {{{}, 1, numbers_of<S>({&layer.alpha()})}}};
}

template <class S, MlpForm form, GeluForm gelu>
PackedCell<S> pack_mlp(const CellKind& kind, const LayerTensors& tensors) {
  const auto [features, inner] = sizes_of(kind, tensors, "w_out");
  const auto layer = restored(minrnn::Mlp<S>(features, inner, kNoDraws, {.form = form, .gelu = gelu}), tensors);
  return {{features, inner},
          features,
          features,
          {{layer.weight_in(), form == MlpForm::gated ? 2 : 1, numbers_of<S>({&layer.bias_in()})},
           {layer.weight_out(), 1, numbers_of<S>({&layer.bias_out()})}}};
}

/// A kind by one of its cells, which says its name and its layout.
template <class Cell>
CellKind kind_of(const char* header, const char* type, const std::string& more, std::size_t sizes,
                 decltype(CellKind::pack_floats) floats, decltype(CellKind::pack_doubles) doubles) {
  const std::string text(minrnn::detail::description<typename Cell::Form>().text());
  return {text.substr(0, text.find('(')), Cell::Form::kLayout, header, type, more, sizes, floats, doubles};
}

template <Candidate candidate, Decay decay>
CellKind min_gru_kind(const char* type, const char* more) {
  using minrnn::MinGru, minrnn::Arithmetic;
  return kind_of<minrnn::MinGruCell<float, 1, 1, candidate, decay>>(
      "min_gru_cell.hpp", type, more, 2, pack_gated<MinGru<float, candidate, Arithmetic::linear, decay>>,
      pack_gated<MinGru<double, candidate, Arithmetic::linear, decay>>);
}
template <GateScaling scaling, Candidate candidate, Decay decay>
CellKind min_lstm_kind(const char* type, const char* more) {
  using minrnn::MinLstm, minrnn::Arithmetic;
  return kind_of<minrnn::MinLstmCell<float, 1, 1, scaling, candidate, decay>>(
      "min_lstm_cell.hpp", type, more, 2, pack_gated<MinLstm<float, scaling, candidate, Arithmetic::linear, decay>>,
      pack_gated<MinLstm<double, scaling, candidate, Arithmetic::linear, decay>>);
}
template <template <class, Index, Index> class Cell, template <class> class Layer>
CellKind gated_kind(const char* header, const char* type) {
  return kind_of<Cell<float, 1, 1>>(header, type, "", 2, pack_gated<Layer<float>>, pack_gated<Layer<double>>);
}
template <template <class, Index, Index> class Cell, template <class> class Layer>
CellKind recurrent_kind(const char* header, const char* type) {
  return kind_of<Cell<float, 1, 1>>(header, type, "", 2, pack_recurrent<Layer<float>>, pack_recurrent<Layer<double>>);
}
template <template <class, Index, Index, GeluForm> class Cell, MlpForm form, GeluForm gelu>
CellKind mlp_kind(const char* type, const char* more) {
  return kind_of<Cell<float, 1, 1, gelu>>("mlp_cell.hpp", type, more, 2, pack_mlp<float, form, gelu>,
                                          pack_mlp<double, form, gelu>);
}

std::vector<CellKind> activation_kinds() {
  std::vector<CellKind> kinds;
  minrnn::detail::for_each_activation([&]<minrnn::ActivationFunction function>(
                                          std::integral_constant<minrnn::ActivationFunction, function>) {
    std::string enumerator(minrnn::name_of(function));
    std::replace(enumerator.begin(), enumerator.end(), ' ', '_');
    kinds.push_back(kind_of<minrnn::ActivationCell<float, 1, function>>(
        "activation_cell.hpp", "ActivationCell", ", minrnn::ActivationFunction::" + enumerator, 1, nullptr, nullptr));
  });
  return kinds;
}

std::vector<CellKind> minimal_kinds() {
  constexpr auto positive = Candidate::positive, plain = Candidate::plain;
  constexpr auto keeps = Decay::positive, flips = Decay::flip;
  constexpr auto normalised = GateScaling::normalised, unnormalised = GateScaling::unnormalised;
  const char* const type = "MinLstmCell";
  return {
      min_gru_kind<positive, keeps>("MinGruCell", ""),
      min_gru_kind<plain, keeps>("MinGruCell", ", minrnn::Candidate::plain"),
      min_gru_kind<plain, flips>("SignedMinGruCell", ""),
      min_lstm_kind<normalised, positive, keeps>(type, ""),
      min_lstm_kind<normalised, plain, keeps>(type, ", minrnn::GateScaling::normalised, minrnn::Candidate::plain"),
      min_lstm_kind<normalised, plain, flips>("SignedMinLstmCell", ""),
      min_lstm_kind<unnormalised, positive, keeps>(type, ", minrnn::GateScaling::unnormalised"),
      min_lstm_kind<unnormalised, plain, keeps>(type, ", minrnn::GateScaling::unnormalised, minrnn::Candidate::plain"),
      min_lstm_kind<unnormalised, plain, flips>(
          type, ", minrnn::GateScaling::unnormalised, minrnn::Candidate::plain, minrnn::Decay::flip")};
}

std::vector<CellKind> all_kinds() {
  using namespace minrnn;
  std::vector<CellKind> kinds = minimal_kinds();
  for (CellKind& kind : activation_kinds()) kinds.push_back(std::move(kind));
  const char* const exact = ", minrnn::GeluForm::exact";
  for (CellKind& kind : std::vector<CellKind>{
           gated_kind<DiagonalGruCell, DiagonalGru>("diagonal_gru_cell.hpp", "DiagonalGruCell"),
           gated_kind<DiagonalLstmCell, DiagonalLstm>("diagonal_lstm_cell.hpp", "DiagonalLstmCell"),
           gated_kind<RgLruCell, RgLru>("rg_lru_cell.hpp", "RgLruCell"),
           recurrent_kind<GruCell, Gru>("gru_cell.hpp", "GruCell"),
           recurrent_kind<LstmCell, Lstm>("lstm_cell.hpp", "LstmCell"),
           kind_of<LinearCell<float, 1, 1>>("linear_cell.hpp", "LinearCell", "", 2, pack_linear<float>,
                                            pack_linear<double>),
           kind_of<Conv1dCell<float, 1, 1>>("conv1d_cell.hpp", "Conv1dCell", "", 3, pack_conv<float>,
                                            pack_conv<double>),
           kind_of<UnfoldCell<float, 1, 1>>("unfold_cell.hpp", "UnfoldCell", "", 3, nullptr, nullptr),
           kind_of<PreluCell<float, 1>>("prelu_cell.hpp", "PreluCell", "", 1, pack_prelu<float>, pack_prelu<double>),
           kind_of<RmsNormCell<float, 1>>("rms_norm_cell.hpp", "RmsNormCell", "", 1, pack_norm<float>,
                                          pack_norm<double>),
           mlp_kind<MlpCell, MlpForm::gelu, GeluForm::tanh>("MlpCell", ""),
           mlp_kind<MlpCell, MlpForm::gelu, GeluForm::exact>("MlpCell", exact),
           mlp_kind<GatedMlpCell, MlpForm::gated, GeluForm::tanh>("GatedMlpCell", ""),
           mlp_kind<GatedMlpCell, MlpForm::gated, GeluForm::exact>("GatedMlpCell", exact),
           kind_of<DropoutCell<float, 1>>("dropout_cell.hpp", "DropoutCell", "", 1, nullptr, nullptr)})
    kinds.push_back(std::move(kind));
  return kinds;
}

}  // namespace

std::string LayerTensors::leaves() const {
  std::string text;
  for (const StoredTensor& tensor : file.tensors)
    text += (text.empty() ? "" : ", ") + minrnn::printable(tensor.name.substr(path.empty() ? 0 : path.size() + 1));
  return text;
}

const CellKind& cell_kind(const std::string& name) {
  static const std::vector<CellKind> kinds = all_kinds();
  std::string known;
  for (const CellKind& kind : kinds) {
    if (kind.name == name) return kind;
    known += (known.empty() ? "" : ", ") + kind.name;
  }
  throw tool::InputError("--cells: there is no cell " + minrnn::printable(name) + ": wanted one of " + known +
                         ", Residual CELL, (CELL, CELL)");
}

}  // namespace convert
