// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// What .ci/platforms runs on each platform: checker NUMBERS.txt [REFERENCE.txt]. Checks golden vectors, the promises of
// three layers, checkpoints, and a short training. Writes its numbers into the first file. Prints what is wrong, how
// many checks have passed, the floats in a packet, the digest of the bits of all numbers, and how far these are from
// those of the second file.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/bit_cast.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/testing/check_layer.hpp"
#include "support/golden.hpp"
#include "support/short_training.hpp"

namespace {
using namespace minrnn;
using namespace minrnn::tests;

int passed = 0, failed = 0;
std::vector<std::pair<std::string, double>> noted;

void expect(bool ok, const std::string& what) {
  ++(ok ? passed : failed);
  if (!ok) std::printf("FAILED %s\n", what.c_str());
}
template <class S>
void note(const std::string& name, const S* values, Index count) {
  for (Index i = 0; i < count; ++i)
    noted.emplace_back(name + "[" + std::to_string(i) + "]", static_cast<double>(values[i]));
}

/// The larger of two errors; NaN, which std::max would leave out, is the largest of all.
double worse(double a, double b) { return std::isnan(a) || a > b ? a : b; }

/// |a - b| <= tolerance max(1, |b|) for every element.
template <class S>
void expect_near(const S* actual, const std::vector<double>& wanted, double tolerance, const std::string& what) {
  double worst = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    worst = worse(worst, std::fabs(static_cast<double>(actual[i]) - wanted[i]) / std::max(1.0, std::fabs(wanted[i])));
  expect(worst <= tolerance, what + ": off by " + std::to_string(worst));
}

/// The largest relative error of f for x in [from, to], in units of eps.
template <class F, class Wanted>
void check_function(const std::string& name, double from, double to, double allowed, F f, Wanted wanted) {
  double worst = 0;
  for (int i = 0; i <= 20000; ++i) {
    const float x = static_cast<float>(from + (to - from) * i / 20000);
    const double exact = wanted(static_cast<double>(x));
    worst = worse(worst, std::fabs(static_cast<double>(f(Packet<float>(x)).first()) / exact - 1));
  }
  worst /= static_cast<double>(std::numeric_limits<float>::epsilon());
  expect(worst <= allowed, name + ": off by " + std::to_string(worst) + " eps");
}
void check_functions() {
  const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
  check_function(
      "exp", -87, 88, 1.2, [](auto x) { return exp(x); }, [](double x) { return std::exp(x); });
  check_function(
      "sigmoid", -87, 87, 1.8, [](auto x) { return sigmoid(x); }, logistic);
  check_function(
      "tanh", 1e-4, 12, 1.2, [](auto x) { return tanh(x); }, [](double x) { return std::tanh(x); });
  check_function(
      "square_root", 1e-3, 1e3, 2.1, [](auto x) { return detail::square_root(x); },
      [](double x) { return std::sqrt(x); });
}

/// Result and gradient of the input are PyTorch's.
template <class Layer>
void check_golden(const std::string& name, const GoldenCase& golden, Layer layer, double tolerance) {
  using S = typename Layer::Scalar;
  const auto x = golden_sequence<S>(golden.at("x")), dy = golden_sequence<S>(golden.at("dy"));
  visit_parameters(layer, [&](const Name& parameter, Parameter<S>& p) {
    p.value = golden_weight<S>(golden.at("parameter/" + parameter.str()));
  });
  auto state = layer.initial_state(x.batch()), dstate = state;
  const auto read = [&](auto& into, const std::string& prefix) {
    Layer::State::visit(into, Name{}, [&](const Name& part, Matrix<S>& m) {
      m = golden_state<S>(golden.at(prefix + "/" + part.str()));
    });
  };
  read(state, "state");
  read(dstate, "dfinal");
  typename Layer::Cache cache;
  const auto y = layer.forward(x.view(), state, cache);
  expect_near(y.data(), golden.at("y").values, tolerance, name + ".y");
  note(name + ".y", y.data(), y.size());
  const auto dx = layer.backward(dy.view(), dstate, cache);
  expect_near(dx.data(), golden.at("dx").values, tolerance, name + ".dx");
  note(name + ".dx", dx.data(), dx.size());
}

template <template <class> class Layer>
void check_kind(const std::string& name, const std::string& kind) {
  static const auto cases = read_golden("layers.txt");
  const Random random(1);
  for (const auto& [inputs, features] : {std::pair<Index, Index>{5, 7}, {8, 16}}) {
    const auto& golden = cases.at(kind + "_" + std::to_string(inputs) + "_" + std::to_string(features));
    check_golden(name + ".double", golden, Layer<double>(inputs, features, random.stream(0)), 1e-12);
    check_golden(name + ".float", golden, Layer<float>(inputs, features, random.stream(0)), 1e-5);
  }
  for (const Finding& finding : check_layer(Layer<double>(5, 7, random.stream(0))))
    expect(false, name + ": " + to_string(finding));
  ++passed;
}
template <class S>
using PositiveMinGru = MinGru<S>;
template <class S>
using PositiveMinLstm = MinLstm<S>;

/// After a short training a checkpoint gives the same net.
void check_training() {
  Random random(1);
  auto net = small_net(random);
  Adam adam(net, {.learning_rate = 0.01f});
  const std::vector<double> losses = train_to_hold(net, adam, random);
  for (std::size_t i = 0; i < losses.size(); i += 50) note("loss." + std::to_string(i), &losses[i], 1);
  const double loss = losses.back();
  note("loss", &loss, 1);
  expect(loss < 0.05, "the training: its loss is " + std::to_string(loss));

  // A name with a blank, and with letters that are not all of one alphabet.
  const std::filesystem::path folder = u8"checker \u00e4\u6587", path = folder / u8"\u00fc \u4e2d.safetensors";
  std::filesystem::create_directory(folder);
  std::int64_t step = std::int64_t{1} << 40;
  for (int time = 0; time < 2; ++time)  // the second time over the first file
    save_checkpoint(path, Parts(Part{"net", net}, Part{"adam", adam}, Part{"step", step}));
  auto other = small_net(Random(7));
  Adam other_adam(other);
  std::int64_t other_step = 0;
  Parts parts{Part{"net", other}, Part{"adam", other_adam}, Part{"step", other_step}};
  load_checkpoint(path, parts);
  expect(other_step == step && other_adam.steps() == adam.steps(), "the numbers of a checkpoint");
  bool same = true;
  std::vector<Matrix<float>> wanted;
  visit_parameters(net, [&](const Name&, const Parameter<float>& p) { wanted.push_back(p.value); });
  std::size_t next = 0;
  visit_parameters(other, [&](const Name&, const Parameter<float>& p) { same &= p.value == wanted[next++]; });
  expect(same, "the weights of a checkpoint");

  // The bytes of a file do not depend on the platform: those of ones are known.
  Linear<float> ones{Matrix<float>(Matrix<float>::Ones(2, 3))};
  save_checkpoint(path, ones);
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  expect(bytes.ends_with(std::string("\0\0\x80\x3f\0\0\x80\x3f", 8)), "the bytes of a checkpoint");
  in.close();
  expect(std::distance(std::filesystem::directory_iterator(folder), {}) == 1, "no temporary file is left");
  std::filesystem::remove_all(folder);
}

std::uint64_t digest() {
  std::uint64_t bits = 14695981039346656037u;  // FNV-1a
  for (const auto& [name, value] : noted) bits = (bits ^ detail::bit_cast<std::uint64_t>(value)) * 1099511628211u;
  return bits;
}

/// The largest difference to the numbers of a file, relative where they are above 1.
double difference_to(const char* reference) {
  std::ifstream in(reference);
  std::string name;
  double worst = 0, wanted = 0;
  for (const auto& [own, value] : noted) {
    if (!(in >> name >> wanted) || name != own) return HUGE_VAL;
    worst = worse(worst, std::fabs(value - wanted) / std::max(1.0, std::fabs(wanted)));
  }
  return worst;
}

}  // namespace

int main(int count, char** arguments) try {
  check_functions();
  check_kind<PositiveMinGru>("min_gru", "min_gru_positive");
  check_kind<PositiveMinLstm>("min_lstm", "min_lstm_normalised_positive");
  check_kind<Gru>("gru", "gru");
  check_training();
  std::ofstream out(arguments[1]);
  for (const auto& [name, value] : noted) out << name << ' ' << std::setprecision(17) << value << '\n';
  std::printf("passed %d failed %d lanes %d digest %016llx difference %.2g\n", passed, failed,
              static_cast<int>(Packet<float>::size), static_cast<unsigned long long>(digest()),
              count > 2 ? difference_to(arguments[2]) : 0.0);
  return failed == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::printf("FAILED with an exception: %s\n", error.what());
  return 1;
}
