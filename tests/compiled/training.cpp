// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// Trains and streams each layer that minrnn/compiled.hpp lists, and prints a hash of the bits of all that comes of it.
/// Linked with minrnn::compiled, and compiled from the headers alone, it prints the same.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include "minrnn/minrnn.hpp"

namespace {

using namespace minrnn;

#ifdef MINRNN_COMPILED
constexpr bool kWanted = true;
#else
constexpr bool kWanted = false;
#endif

constexpr Index kFeatures = 12, kTime = 9, kBatch = 3;

class Hash {
 public:
  void add(const float* numbers, Index count) {
    for (Index i = 0; i < count; ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, numbers + i, sizeof bits);
      value_ = mix_bits(value_ + bits + 1);
    }
  }
  unsigned long long value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

template <class L>
L make(RandomStream stream) {
  if constexpr (std::is_same_v<L, Dropout<float>>)
    return L(kFeatures, 0.5, stream);
  else if constexpr (std::is_same_v<L, Activation<float>>)
    return L(kFeatures, ActivationFunction::silu);
  else if constexpr (std::is_same_v<L, Attention<float>>)
    return L(kFeatures, 2, stream);
  else if constexpr (std::is_constructible_v<L, Index, Index, RandomStream>)
    return L(kFeatures, kFeatures, stream);
  else if constexpr (std::is_constructible_v<L, Index, RandomStream>)
    return L(kFeatures, stream);
  else
    return L(kFeatures);
}

template <class L>
void run(const char* name) {
  static_assert(detail::kIsCompiled<L> == kWanted);
  const Random random(1);
  Sequential net{make<L>(random.stream(0)), Linear<float>(kFeatures, 2, random.stream(1))};
  Adam adam(net);
  typename decltype(net)::Cache cache;
  Sequence<float> x(kFeatures, kTime, kBatch), target(2, kTime, kBatch), dy;
  Random numbers(2);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(numbers.normal());
  for (Index i = 0; i < target.size(); ++i) target.data()[i] = static_cast<float>(numbers.normal());
  Hash hash;
  for (int i = 0; i < 3; ++i) {
    auto state = net.initial_state(kBatch);
    mean_square(net.forward(x, state, cache, {.draw = i}), target, dy);
    hash.add(dy.data(), dy.size());
    zero_gradients(net);
    hash.add(net.backward(dy, cache).data(), x.size());
    adam.step(net);
  }
  visit_parameters(net, [&](const Name&, const auto& p) { hash.add(p.value.data(), p.value.size()); });
  auto state = net.initial_state(kBatch);
  hash.add(net.infer(x, state, cache).data(), target.size());
  for (Index t = 0; t < kTime; ++t) hash.add(net.step(x.view().frame(t), state, cache).data(), 2 * kBatch);
  std::printf("%s %016llx\n", name, hash.value());
}

}  // namespace

int main() {
#define MINRNN_RUN(...) run<__VA_ARGS__>(#__VA_ARGS__);
  MINRNN_COMPILED_LAYERS(MINRNN_RUN)
}
