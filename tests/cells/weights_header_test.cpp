// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/cell_view.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/narrow_weights.hpp"
#include "minrnn/cells/quantised_cell.hpp"
#include "minrnn/cells/residual_cell.hpp"
#include "minrnn/cells/rms_norm_cell.hpp"
#include "minrnn/cells/weights_header.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "support/compare.hpp"
#include "support/message.hpp"

namespace minrnn::tests {
namespace {

template <class S>
using Model = CellChain<ResidualCell<CellChain<RmsNormCell<S, 3>, SignedMinGruCell<S, 3, 3>>>, LinearCell<S, 3, 2>,
                        MinLstmCell<S, 2, 5, GateScaling::unnormalised, Candidate::plain>>;

template <class S>
auto layers() {
  const Random random(1);
  const MinLstm<S, GateScaling::unnormalised, Candidate::plain> last(2, 5, random.stream(2),
                                                                     {.learn_initial_state = true});
  return Sequential{Residual(Sequential{RmsNorm<S>(3), SignedMinGru<S>(3, 3, random.stream(0))}),
                    Linear<S>(3, 2, random.stream(1)), last};
}
template <class S>
Model<S> model() {
  return Model<S>(layers<S>());
}

template <class Cell>
std::string header_of(const Cell& cell, std::string_view name = "weights::of_a_test") {
  std::ostringstream out;
  write_weights_header(out, cell, name);
  return out.str();
}

/// The numbers of an array, as a compiler reads them.
template <class S>
std::vector<S> values_in(const std::string& header, const std::string& array = "kValues") {
  std::istringstream lines(header.substr(header.find(array + '[')));
  std::vector<S> values;
  std::string line, word;
  std::getline(lines, line);
  while (std::getline(lines, line) && line != "  };") {
    std::istringstream words(line.substr(0, line.find("//")));
    while (words >> word) {
      char* end = nullptr;
      if constexpr (std::is_integral_v<S>) {
        values.push_back(static_cast<S>(std::strtol(word.c_str(), &end, 0)));
        EXPECT_EQ(std::string(end), ",") << word;
        continue;
      }
      values.push_back(std::is_same_v<S, float> ? static_cast<S>(std::strtof(word.c_str(), &end))
                                                : static_cast<S>(std::strtod(word.c_str(), &end)));
      EXPECT_EQ(std::string(end), (std::is_same_v<S, float> ? "f," : ",")) << word;
      EXPECT_NE(word.find_first_of(".e"), std::string::npos) << word << " is an integer";
    }
  }
  return values;
}

template <class S>
void expect_all_bits_in_the_header() {
  const Model<S> of_layers = model<S>();
  const auto values = values_in<S>(header_of(of_layers));
  ASSERT_EQ(static_cast<Index>(values.size()), of_layers.weights_size() + of_layers.weights_slack());
  EXPECT_TRUE(std::equal(values.begin(), values.end(), of_layers.weights()));

  const CellView<Model<S>> view(values.data());
  auto state = of_layers.initial_state(), state_of_view = view.initial_state();
  for (int t = 0; t < 20; ++t) {
    const Eigen::Vector<S, 3> x(S(t % 3), S(0.5), S(-t % 5));
    ASSERT_TRUE(equal<S>(of_layers.step(x, state), view.step(x, state_of_view))) << "step " << t;
  }
}

TEST(WeightsHeader, HoldsEveryBit) {
  expect_all_bits_in_the_header<float>();
  expect_all_bits_in_the_header<double>();
}

template <class S, WeightFormat format>
void expect_all_few_bits_in_the_header() {
  using Narrow = QuantisedCell<Model<S>, format>;
  const Narrow cells(layers<S>());
  const std::string header = header_of(cells);
  const auto elements = values_in<minrnn::detail::NarrowElement<format>>(header, "kElements");
  const auto numbers = values_in<S>(header, "kNumbers");
  constexpr Index kSlack = Narrow::weights_slack();
  ASSERT_EQ(static_cast<Index>(elements.size()), Narrow::Elsewhere::kElements + kSlack);
  ASSERT_EQ(static_cast<Index>(numbers.size()), Narrow::Elsewhere::kNumbers + kSlack);
  EXPECT_TRUE(std::equal(elements.begin(), elements.end() - kSlack, cells.weights().elements));
  EXPECT_TRUE(std::equal(numbers.begin(), numbers.end() - kSlack, cells.weights().numbers));

  const CellView<Narrow> view({elements.data(), numbers.data()});
  auto state = cells.initial_state(), state_of_view = view.initial_state();
  for (int t = 0; t < 20; ++t) {
    const Eigen::Vector<S, 3> x(S(t % 3), S(0.5), S(-t % 5));
    ASSERT_TRUE(equal<S>(cells.step(x, state), view.step(x, state_of_view))) << "step " << t;
  }
}

TEST(WeightsHeader, HoldsEveryBitOfWeightsOfFewBits) {
  expect_all_few_bits_in_the_header<float, WeightFormat::int8>();
  expect_all_few_bits_in_the_header<float, WeightFormat::bf16>();
  expect_all_few_bits_in_the_header<double, WeightFormat::int8>();
}

TEST(WeightsHeader, OfASingleCellOfFewBits) {
  Matrix<float> w(2, 3), b(2, 1);
  w << 127, -1, 0.4f, -254, 3, 4;
  b << 0.5f, -3;
  const Linear<float> layer(w, b);
  const std::string int8 = header_of(QuantisedCell<LinearCell<float, 3, 2>, WeightFormat::int8>(layer));
  EXPECT_NE(int8.find("#include <cstdint>\n"), std::string::npos) << int8;
  EXPECT_NE(int8.find("kCells[] =\n      \"int8 Linear(3, 2)\";\n"), std::string::npos) << int8;
  // Scales 1 and 2; pairs of columns, of each pair row after row, the last column with none beside it.
  EXPECT_NE(int8.find(" std::int8_t kElements[40] = {\n      // Linear(3, 2) from 0 on\n"
                      "      127, -1, -127, 2, 0, 0, 2, 0,\n"),
            std::string::npos)
      << int8;
  EXPECT_NE(
      int8.find(" float kNumbers[36] = {\n      // Linear(3, 2) from 0 on: W, b\n      1.0f, 2.0f, 0.5f, -3.0f,\n"),
      std::string::npos)
      << int8;
  const std::string bf16 = header_of(QuantisedCell<LinearCell<float, 3, 2>, WeightFormat::bf16>(layer));
  EXPECT_NE(bf16.find(" std::uint16_t kElements[40] = {\n      // Linear(3, 2) from 0 on\n      "
                      "0x42fe, 0xbf80, 0xc37e, 0x4040, 0x3ecd, 0x0000, 0x4080, 0x0000,\n"),
            std::string::npos)
      << bf16;
  EXPECT_NE(bf16.find(" float kNumbers[34] = {\n      // Linear(3, 2) from 0 on: W, b\n      0.5f, -3.0f,\n"),
            std::string::npos)
      << bf16;
}

TEST(WeightsHeader, SaysWhatItIsInLinesThatFitAScreen) {
  const std::string header = header_of(model<float>());
  EXPECT_NE(header.find("\nnamespace weights::of_a_test {\n"), std::string::npos) << header;
  EXPECT_NE(header.find("\"(Residual (RmsNorm(3), signed MinGru(3, 3)), Linear(3, 2), "
                        "unnormalised plain MinLstm(2, 5))\";"),
            std::string::npos)
      << header;
  EXPECT_NE(header.find("\n      // 0/1: signed MinGru(3, 3) from 16 on: W, b, "), std::string::npos) << header;
  std::istringstream lines(header);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120) << line;
}

TEST(WeightsHeader, IsTheSameWhateverTheLocaleOfTheStream) {
  struct Grouped : std::numpunct<char> {
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\1"; }
  };
  const Model<float> cell = model<float>();
  std::ostringstream out;
  out.imbue(std::locale(std::locale::classic(), new Grouped));
  write_weights_header(out, cell, "weights::of_a_test");
  EXPECT_EQ(out.str(), header_of(cell));
}

TEST(WeightsHeader, OfASingleCell) {
  Matrix<float> w(1, 2), b(1, 1);
  w << 0.1f, -3;
  b << 1e-20f;
  const std::string header = header_of(LinearCell<float, 2, 1>(Linear<float>(w, b)));
  EXPECT_NE(header.find("kCells[] =\n      \"Linear(2, 1)\";\n"), std::string::npos) << header;
  EXPECT_NE(header.find(" kValues[35] = {\n      // Linear(2, 1) from 0 on: W, b\n      0.1f, -3.0f, 1e-20f,\n"),
            std::string::npos)
      << header;
}

TEST(WeightsHeader, RefusesWhatIsNoNamespaceAndWeightsThatAreNoNumbers) {
  const LinearCell<float, 1, 1> cell(Linear<float>(Matrix<float>::Ones(1, 1)));
  const auto message = [](auto&& body) { return message_of<std::invalid_argument>(body); };
  for (const char* name : {"", "9a", "a b", "a:b", "a::", "::a", "a::9", "a:::b", "a-b"})
    EXPECT_EQ(message([&] { header_of(cell, name); }),
              "write_weights_header: namespace_name: wanted identifiers, :: between them, given " + std::string(name));
  for (const char* name : {"a", "_a9::B", "a::b::c"}) EXPECT_NE(header_of(cell, name), "");
  const float infinity = std::numeric_limits<float>::infinity();
  const LinearCell<float, 1, 1> infinite(Linear<float>(Matrix<float>::Constant(1, 1, infinity)));
  EXPECT_EQ(message([&] { header_of(infinite); }),
            "write_weights_header: weights: wanted finite numbers, given one that is not");
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  EXPECT_EQ(message([&] { write_weights_header(out, cell, "a"); }),
            "write_weights_header: out: wanted a stream that takes what is written, given one that fails");
}

}  // namespace
}  // namespace minrnn::tests
