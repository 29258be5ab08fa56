// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/checkpoint.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/optim/adam.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

template <class L>
L make(Index inputs, Index outputs, std::uint64_t seed) {
  return L(inputs, outputs, Random(seed).stream(0));
}

template <class L>
std::vector<Matrix<typename L::Scalar>> values_of_parameters(const L& layer) {
  std::vector<Matrix<typename L::Scalar>> values;
  visit_parameters(layer, [&](const Name&, const auto& p) { values.push_back(p.value); });
  return values;
}

template <class S>
::testing::AssertionResult same_values(const std::vector<Matrix<S>>& a, const std::vector<Matrix<S>>& b) {
  if (a.empty() || a.size() != b.size()) return ::testing::AssertionFailure() << a.size() << " and " << b.size();
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same_bits(a[i], b[i])) return ::testing::AssertionFailure() << "matrix " << i;
  return ::testing::AssertionSuccess();
}

template <class L>
bool same_parameters(const L& a, const L& b) {
  return bool(same_values(values_of_parameters(a), values_of_parameters(b)));
}

class Checkpoint : public ::testing::Test {
 protected:
  Folder folder;
  std::filesystem::path path = folder / "a.safetensors";
};

template <class S>
class CheckpointOf : public Checkpoint {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CheckpointOf, Scalars);

TYPED_TEST(CheckpointOf, KeepsEveryBit) {
  using S = TypeParam;
  using Bits = std::conditional_t<sizeof(S) == 4, std::uint32_t, std::uint64_t>;
  using Limits = std::numeric_limits<S>;
  auto layer = make<Linear<S>>(5, 3, 1);
  // Written through memory: a value in between could lose the bits of a signalling NaN.
  const Bits special[] = {std::bit_cast<Bits>(S(-0.0)),
                          std::bit_cast<Bits>(Limits::denorm_min()),
                          std::bit_cast<Bits>(-Limits::denorm_min()),
                          std::bit_cast<Bits>(Limits::max()),
                          std::bit_cast<Bits>(-Limits::infinity()),
                          std::bit_cast<Bits>(Limits::quiet_NaN()) | 5,
                          std::bit_cast<Bits>(Limits::infinity()) | 1,
                          ~Bits{0}};
  visit_parameters(layer, [&](const Name&, Parameter<S>& p) {
    for (Index i = 0; i < std::min<Index>(p.size(), 8); ++i) std::memcpy(p.value.data() + i, &special[i], sizeof(S));
    p.grad.setConstant(S(7));
  });
  save_checkpoint(this->path, layer, {{"key", "value"}});

  auto loaded = make<Linear<S>>(5, 3, 2);
  visit_parameters(loaded, [](const Name&, Parameter<S>& p) { p.grad.setConstant(S(9)); });
  EXPECT_FALSE(same_parameters(layer, loaded));
  EXPECT_EQ(load_checkpoint(this->path, loaded).at("key"), "value");
  EXPECT_TRUE(same_parameters(layer, loaded));
  visit_parameters(loaded, [](const Name& name, const Parameter<S>& p) {
    EXPECT_TRUE((p.grad.array() == S(9)).all()) << name.str() << ": a gradient is not in a checkpoint";
  });

  const std::string bytes = read_bytes(this->path);
  save_checkpoint(this->path, loaded, {{"key", "value"}});
  EXPECT_EQ(read_bytes(this->path), bytes);
}

TEST_F(Checkpoint, HasTheseBytes) {
  auto layer = make<Linear<float>>(3, 2, 1);
  visit_parameters(layer, [](const Name& name, Parameter<float>& p) {
    if (name.str() == "w")
      p.value << 1, 2, 3, 4, 5, 6;
    else
      p.value << 7, 8;
  });
  save_checkpoint(path, layer);
  std::string data;
  for (const float value : {1.f, 2.f, 3.f, 4.f, 5.f, 6.f, 7.f, 8.f})  // row by row
    for (int i = 0; i < 4; ++i) data += static_cast<char>(std::bit_cast<std::uint32_t>(value) >> (8 * i));
  std::string header = R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                       R"("b":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  EXPECT_EQ(read_bytes(path), file_of(header, data));
}

TEST_F(Checkpoint, NamesAreThePathsOfTheVisit) {
  Random random(1);
  const Stack net(2, [&](Index i) { return MinGru<double>(4, 4, random.stream(i)); });
  const TensorFile file = to_tensors(net);
  std::vector<std::string> names;
  visit_parameters(net, [&](const Name& name, const auto&) { names.push_back(name.str()); });
  ASSERT_EQ(file.tensors.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(file.tensors[i].name, names[i]);
  EXPECT_EQ(file.tensors.front().name, "0/w_z");
  EXPECT_EQ(file.tensors.back().name, "1/b_h");
}

TEST_F(Checkpoint, RefusesAnotherLayersFileAndChangesNothing) {
  using L = Linear<float>;
  const auto saved = make<L>(5, 3, 1);
  const auto fresh = make<L>(5, 3, 2);
  const auto expect_refused = [&](auto&& change, const std::string& reason) {
    TensorFile file = to_tensors(saved);
    change(file);
    write_safetensors(path, file);
    L layer = fresh;
    EXPECT_EQ(message_of([&] { load_checkpoint(path, layer); }), path.string() + ": tensor " + reason);
    EXPECT_TRUE(same_parameters(layer, fresh)) << reason;
  };
  expect_refused([](TensorFile& file) { file.tensors[1].name = "bias"; },
                 "b: wanted F32 (3), given none; nearest to it in the file: bias");
  expect_refused([](TensorFile& file) { file.tensors.pop_back(); }, "b: wanted F32 (3), given none");
  expect_refused([](TensorFile& file) { file.tensors.erase(file.tensors.begin()); },
                 "w: wanted F32 (3, 5), given none");
  expect_refused(
      [](TensorFile& file) {
        file.tensors.push_back(file.tensors[1]);
        file.tensors.back().name = "more";
      },
      "more: wanted none, given F32 (3)");
  expect_refused([](TensorFile& file) { file.tensors[0].shape = {5, 3}; }, "w: wanted F32 (3, 5), given F32 (5, 3)");
  expect_refused([](TensorFile& file) { file.tensors[0].shape = {15}; }, "w: wanted F32 (3, 5), given F32 (15)");
  expect_refused([](TensorFile& file) { file.tensors[1].shape = {3, 1}; }, "b: wanted F32 (3), given F32 (3, 1)");
  expect_refused(
      [](TensorFile& file) {
        file.tensors[1].dtype = Dtype::f64;
        file.tensors[1].bytes.resize(24);
      },
      "b: wanted F32 (3), given F64 (3)");

  save_checkpoint(path, make<Linear<double>>(5, 3, 1));
  L layer = fresh;
  EXPECT_EQ(message_of([&] { load_checkpoint(path, layer); }),
            path.string() + ": tensor w: wanted F32 (3, 5), given F64 (3, 5)");
  EXPECT_TRUE(same_parameters(layer, fresh));
}

// A name of another library's is shown what is nearest to it, and no name that is wanted itself.
TEST_F(Checkpoint, SaysWhichNamesAreNearestToOneThatIsMissing) {
  auto layer = make<MinGru<float>>(3, 4, 1);
  TensorFile file = to_tensors(layer);
  for (StoredTensor& tensor : file.tensors)
    if (tensor.name.starts_with("b_")) tensor.name = "bias" + tensor.name.substr(1);
  EXPECT_EQ(message_of([&] { restore(file, layer); }),
            "(memory): tensor b_z: wanted F32 (4), given none; nearest to it in the file: bias_z, bias_h");
}

template <class L>
void expect_rounded(const L& loaded, const L& saved, double unit) {
  visit_parameters(loaded, [&](const Name& name, const auto& p) {
    visit_parameters(saved, [&](const Name& other, const auto& q) {
      if (other.str() != name.str()) return;
      // Rounded once, to half a unit in the last place.
      EXPECT_TRUE(((p.value - q.value).array().abs() <= q.value.array().abs() * (unit / 2)).all()) << name.str();
      EXPECT_NE(p.value, q.value) << name.str();
    });
  });
}

TYPED_TEST(CheckpointOf, IsWrittenAndReadInHalfOrAQuarterOfTheBytes) {
  using S = TypeParam;
  const auto saved = make<Linear<S>>(5, 3, 1);
  auto layer = make<Linear<S>>(5, 3, 2);
  const auto save = [&](Dtype floats) { save_checkpoint(this->path, saved, {{"key", "value"}}, floats); };
  save(Dtype::bf16);
  EXPECT_EQ(std::filesystem::file_size(this->path) % 8, 18 * 2 % 8u) << "18 numbers of 2 bytes";
  EXPECT_EQ(load_checkpoint(this->path, layer).at("key"), "value");
  expect_rounded(layer, saved, 0x1p-7);
  save(Dtype::f16);
  load_checkpoint(this->path, layer);
  expect_rounded(layer, saved, 0x1p-10);
  EXPECT_EQ(to_tensors(layer).tensors[0].dtype, minrnn::detail::dtype_of<S>());

  save(Dtype::f64);
  if constexpr (sizeof(S) == 4) {
    EXPECT_TRUE(contains(message_of([&] { load_checkpoint(this->path, layer); }), "wanted F32 (3, 5), given F64"));
    load_checkpoint(this->path, layer, Conversion::exact);
    EXPECT_TRUE(same_parameters(layer, saved));
    save_checkpoint(this->path, make<Linear<double>>(5, 3, 7));
    EXPECT_TRUE(contains(message_of([&] { load_checkpoint(this->path, layer, Conversion::exact); }), "to be rounded"));
    EXPECT_TRUE(same_parameters(layer, saved));
    load_checkpoint(this->path, layer, Conversion::nearest);
    const auto wide = make<Linear<double>>(5, 3, 7);
    EXPECT_EQ(values_of_parameters(layer)[0], values_of_parameters(wide)[0].template cast<float>());
  } else {
    load_checkpoint(this->path, layer);
    EXPECT_TRUE(same_parameters(layer, saved));
    save(Dtype::f32);
    load_checkpoint(this->path, layer, Conversion::exact);
    expect_rounded(layer, saved, 0x1p-23);
  }
}

TEST_F(Checkpoint, RefusesABrokenFileAndChangesNothing) {
  using L = Linear<float>;
  save_checkpoint(path, make<L>(2, 1, 1));
  const std::string whole = read_bytes(path);
  const auto fresh = make<L>(2, 1, 2);
  L layer = fresh;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_bytes(path, whole.substr(0, size));
    EXPECT_TRUE(message_of([&] { load_checkpoint(path, layer); }).starts_with(path.string() + ": ")) << size;
    EXPECT_TRUE(same_parameters(layer, fresh)) << size;
  }
  std::filesystem::remove(path);
  EXPECT_TRUE(message_of([&] { load_checkpoint(path, layer); }).starts_with(path.string() + ": cannot be read"));
  EXPECT_TRUE(same_parameters(layer, fresh));
}

TEST_F(Checkpoint, RefusesTensorsInMemoryThatDoNotFitTogether) {
  const auto fresh = make<Linear<float>>(2, 1, 2);
  auto layer = fresh;
  TensorFile file = to_tensors(make<Linear<float>>(2, 1, 1));
  file.tensors[1].bytes.pop_back();
  EXPECT_EQ(message_of([&] { restore(file, layer); }), "(memory): tensor b: wanted F32 (1), given 3 bytes");
  file = to_tensors(fresh);
  file.tensors.push_back(file.tensors[0]);
  EXPECT_EQ(message_of([&] { restore(file, layer); }), "(memory): tensor w: wanted one of this name, given two");
  EXPECT_TRUE(same_parameters(layer, fresh));
}

TEST_F(Checkpoint, LeavesTheOldFileWhereSavingFails) {
  const auto layer = make<Linear<float>>(2, 1, 1);
  const auto elsewhere = folder / "none" / "a.safetensors";
  EXPECT_TRUE(message_of([&] { save_checkpoint(elsewhere, layer); }).starts_with(elsewhere.string() + ": "));
  EXPECT_EQ(folder.names(), std::vector<std::string>{});
  save_checkpoint(path, layer);
  const std::string bytes = read_bytes(path);
  EXPECT_THROW(save_checkpoint(path, layer, {{"text", "\xff"}}), std::invalid_argument);
  EXPECT_EQ(read_bytes(path), bytes);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.safetensors"});
}

/// A training whose whole course depends on the parameters, the optimizer, the random state and the state of the layer.
template <class S>
struct Training {
  MinGru<S> model;
  Adam<S> adam;
  typename MinGru<S>::State state;
  std::int64_t step = 0;
  std::uint64_t random_state;
  double best = std::numeric_limits<double>::infinity();
  float smoothed = 0;

  explicit Training(std::uint64_t seed)
      : model(make<MinGru<S>>(3, 4, seed)),
        adam(model, {.learning_rate = S(0.05), .weight_decay = S(0.01)}),
        state(model.initial_state(2)),
        random_state(Random(seed).state()) {}

  void run(int steps) {
    Random random = Random::from_state(random_state);
    typename MinGru<S>::Cache cache;
    for (int i = 0; i < steps; ++i, ++step) {
      const auto x = random_sequence<S>(3, 5, 2, random), target = random_sequence<S>(4, 5, 2, random);
      const auto y = model.forward(x, state, cache);
      Sequence<S> dy(4, 5, 2);
      double loss = 0;
      for (Index k = 0; k < dy.size(); ++k) {
        dy.data()[k] = y.data()[k] - target.data()[k];
        loss += static_cast<double>(dy.data()[k] * dy.data()[k]);
      }
      zero_gradients(model);
      model.backward(dy, cache);
      adam.step(model);
      best = std::min(best, loss);
      smoothed = 0.9f * smoothed + 0.1f * static_cast<float>(loss);
    }
    random_state = random.state();
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "model", self.model);
    visitor(scope / "optimizer", self.adam);
    visitor(scope / "state", self.state);
    visitor(scope / "step", self.step);
    visitor(scope / "random", self.random_state);
    visitor(scope / "best", self.best);
    visitor(scope / "smoothed", self.smoothed);
  }
};

/// All of it as bytes.
template <class T>
std::string bytes_of(const T& thing, const Folder& folder) {
  save_checkpoint(folder / "bytes", thing);
  return read_bytes(folder / "bytes");
}

TYPED_TEST(CheckpointOf, TrainingGoesOnAsIfItHadNotStopped) {
  using S = TypeParam;
  Training<S> whole(1);
  whole.run(7);
  save_checkpoint(this->path, whole);
  const std::string saved = bytes_of(whole, this->folder);
  whole.run(6);

  Training<S> resumed(2);
  resumed.run(1);  // whatever it held is replaced
  load_checkpoint(this->path, resumed);
  EXPECT_EQ(bytes_of(resumed, this->folder), saved);
  EXPECT_EQ(resumed.step, 7);
  EXPECT_EQ(resumed.adam.steps(), 7);
  resumed.run(6);
  EXPECT_TRUE(same_parameters(whole.model, resumed.model));
  EXPECT_TRUE(same_bits(whole.state.h, resumed.state.h));
  EXPECT_EQ(bytes_of(resumed, this->folder), bytes_of(whole, this->folder));

  // The optimizer matters: without its moments the same steps lead elsewhere.
  Training<S> forgetful(3);
  load_checkpoint(this->path, forgetful);
  forgetful.adam = Adam<S>(forgetful.model, forgetful.adam.options);
  forgetful.run(6);
  EXPECT_FALSE(same_parameters(whole.model, forgetful.model));
}

TEST_F(Checkpoint, PartsAreTheSameWithoutAStruct) {
  Training<float> a(1), b(2);
  a.run(3);
  Parts parts{Part{"model", a.model},      Part{"optimizer", a.adam},      Part{"state", a.state},
              Part{"step", a.step},        Part{"random", a.random_state}, Part{"best", a.best},
              Part{"smoothed", a.smoothed}};
  save_checkpoint(path, parts);
  EXPECT_EQ(read_bytes(path), bytes_of(a, folder));
  load_checkpoint(
      path, Parts(Part{"smoothed", b.smoothed}, Part{"best", b.best}, Part{"random", b.random_state},
                  Part{"step", b.step}, Part{"state", b.state}, Part{"optimizer", b.adam}, Part{"model", b.model}));
  EXPECT_EQ(bytes_of(b, folder), bytes_of(a, folder));
  const MinGru<float>& fixed = a.model;
  const Parts only_read{Part{"model", fixed}};
  EXPECT_EQ(to_tensors(only_read).tensors.size(), 4u);
}

TEST_F(Checkpoint, NothingOfATrainingChangesWhereTheLastPartIsWrong) {
  Training<float> a(1), b(2);
  a.run(3);
  b.run(2);
  const std::string before = bytes_of(b, folder);
  const auto expect_refused = [&](auto&& change, const std::string& reason) {
    TensorFile file = to_tensors(a);
    change(file);
    EXPECT_TRUE(contains(message_of([&] { restore(file, b); }), reason));
    EXPECT_EQ(bytes_of(b, folder), before);
  };
  expect_refused([](TensorFile& file) { file.tensors.back().name = "smooth"; },
                 "tensor smoothed: wanted F32 (), given none");
  expect_refused([](TensorFile& file) { file.tensors.back().shape = {1}; },
                 "tensor smoothed: wanted F32 (), given F32 (1)");
  expect_refused([](TensorFile& file) { file.tensors.rbegin()[2].dtype = Dtype::i64; },
                 "tensor random: wanted U64 (), given I64 ()");
  expect_refused([](TensorFile& file) { std::erase_if(file.tensors, [](const auto& t) { return t.name == "best"; }); },
                 "tensor best: wanted F64 (), given none");
  expect_refused(
      [](TensorFile& file) {
        for (auto& t : file.tensors)
          if (t.name == "optimizer/first/w_h") t.name = "optimizer/first/w_x";
      },
      "tensor optimizer/first/w_h: wanted F32 (4, 3), given none");
  expect_refused(
      [](TensorFile& file) {
        file.tensors.push_back({"zz", Dtype::u64, {0}, {}});
      },
      "tensor zz: wanted none, given U64 (0)");

  // A batch of another size is a state of another shape.
  Training<float> wide(3);
  wide.state = wide.model.initial_state(3);
  EXPECT_TRUE(contains(message_of([&] { restore(to_tensors(a), wide); }),
                       "tensor state/h: wanted F32 (4, 3), given F32 (4, 2)"));
}

TEST_F(Checkpoint, GivesTheModelAloneWhereTheRestIsErased) {
  Training<float> a(1);
  a.run(2);
  save_checkpoint(path, a, {{"inputs", "3"}});
  TensorFile file = read_safetensors(path);
  std::erase_if(file.tensors, [](const StoredTensor& tensor) { return !tensor.name.starts_with("model/"); });
  auto model = make<MinGru<float>>(std::stoi(file.metadata.at("inputs")), 4, 9);
  restore(file, Parts(Part{"model", model}));
  EXPECT_TRUE(same_parameters(model, a.model));
}

TEST_F(Checkpoint, AStreamGoesOnFromASavedState) {
  Random random(1);
  const Stack net(2, [&](Index i) { return MinGru<float>(4, 4, random.stream(i)); });
  const auto x = random_sequence<float>(4, 9, 2, random);
  using Net = std::remove_const_t<decltype(net)>;
  Net::Cache cache;
  auto state = net.initial_state(2);
  net.infer(x.view().chunk(0, 5), state, cache);
  save_checkpoint(path, state);
  const Matrix<float> rest = to_matrix(net.infer(x.view().chunk(5, 4), state, cache));

  auto restored = net.initial_state(2);
  load_checkpoint(path, restored);
  EXPECT_TRUE(same_bits(to_matrix(net.infer(x.view().chunk(5, 4), restored, cache)), Matrix<float>(rest)));
}

TEST_F(Checkpoint, RefusesTwoThingsOfOneName) {
  const auto a = make<Linear<float>>(2, 1, 1), b = make<Linear<float>>(2, 1, 2);
  const Parts twice{Part{"a", a}, Part{"a", b}};
  EXPECT_TRUE(contains(message_of<std::invalid_argument>([&] { save_checkpoint(path, twice); }), "a/w"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{});
}

}  // namespace
}  // namespace minrnn::tests
