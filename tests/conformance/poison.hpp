// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "conformance/fixture.hpp"

/// What must not be seen is not seen, whatever it is: NaN, infinity or a number whose square overflows. All that may
/// not depend on the poison has the bits that it has without it. The gradient of a parameter may be spoilt: the
/// poisoned frame is part of its sum.
namespace minrnn::tests {

template <class Descriptor>
class Poison : public Conformance<Descriptor> {
 protected:
  template <class S>
  static std::vector<S> poisons() {
    return {std::numeric_limits<S>::quiet_NaN(), std::numeric_limits<S>::infinity(), S(1e30)};
  }

  /// Frames [first, last) of sequence b of `name` are the same.
  template <class S>
  static void expect_frames(const Results<S>& found, const Results<S>& clean, const std::string& name, Index time,
                            Index b, Index first, Index last) {
    if (!clean.contains(name)) return;
    const auto part = [&](const Results<S>& results) {
      return Matrix<S>(results.at(name).middleCols(b * time + first, last - first));
    };
    EXPECT_TRUE(equal<S>(part(found), part(clean), name)) << "sequence " << b << " from frame " << first;
  }
  /// Sequence b of every matrix whose name begins with `prefix` is the same.
  template <class S>
  static void expect_state(const Results<S>& found, const Results<S>& clean, const std::string& prefix, Index batch,
                           Index b) {
    for (const auto& [name, whole] : clean) {
      if (!name.starts_with(prefix)) continue;
      const auto part = [&, size = whole.size() / batch](const Matrix<S>& m) {
        return Matrix<S>(Eigen::Map<const Matrix<S>>(m.data() + b * size, size, 1));
      };
      EXPECT_TRUE(equal<S>(part(found.at(name)), part(whole), name)) << "sequence " << b;
    }
  }
  template <class S>
  static void expect_sequence(const Results<S>& found, const Results<S>& clean, Index time, Index batch, Index b) {
    expect_frames(found, clean, "y", time, b, 0, time);
    expect_frames(found, clean, "dx", time, b, 0, time);
    expect_state(found, clean, "state ", batch, b);
    expect_state(found, clean, "dstate ", batch, b);
  }

  /// Calls body(name, run), run(example) the results of each way to run a layer.
  template <class L, class Body>
  static void for_ways(const L& layer, Index time, Body&& body) {
    using E = Example<L>;
    const std::vector<Index> chunks{time / 3, time - time / 3};
    body("one call", [&](const E& e) { return train(layer, e); });
    body("chunks", [&](const E& e) { return train_chunks(layer, e, chunks); });
    body("infer", [&](const E& e) { return infer(layer, e); });
    if (time < 200) body("steps", [&](const E& e) { return stream(layer, e); });
  }
};

TYPED_TEST_SUITE_P(Poison);

TYPED_TEST_P(Poison, DoesNotCrossAStart) {
  const auto check = [&]<class S>(S, auto size, Index time) {
    const auto layer = TestFixture::template make<S>(size);
    using L = std::remove_const_t<decltype(layer)>;
    constexpr Index kBatch = 2;
    const Index start = time / 2 + 1;
    const auto example = [&] {
      return Example<L>(layer, time, kBatch).with_starts({{start, 0}, {0, 1}}).from_carried_state();
    };
    TestFixture::for_ways(layer, time, [&](const char* way, auto&& run) {
      const auto clean = run(example());
      for (const S poison : TestFixture::template poisons<S>()) {
        SCOPED_TRACE(std::string(way) + ", " + std::to_string(time) + " frames, poison " + std::to_string(poison));
        // What comes before: frames of sequence 0, the state of sequence 1.
        auto before = example();
        for (const Index t : {start / 3, start - 1}) before.x.view().matrix(0).col(t).setConstant(poison);
        before.of_state = {1, poison};
        const auto behind = run(before);
        TestFixture::expect_frames(behind, clean, "y", time, 0, start, time);
        TestFixture::expect_frames(behind, clean, "dx", time, 0, start, time);
        TestFixture::expect_state(behind, clean, "state ", kBatch, 0);
        TestFixture::expect_sequence(behind, clean, time, kBatch, 1);
        // What comes after, of the gradient: frames and the final state of sequence 0.
        auto after = example();
        after.x.view().matrix(0).col(start).setConstant(poison);
        after.dy.view().matrix(0).col(time - 1).setConstant(poison);
        after.of_state_gradient = {0, poison};
        const auto ahead = run(after);
        TestFixture::expect_frames(ahead, clean, "y", time, 0, 0, start);
        TestFixture::expect_frames(ahead, clean, "dx", time, 0, 0, start);
        TestFixture::expect_state(ahead, clean, "dstate ", kBatch, 0);
        TestFixture::expect_sequence(ahead, clean, time, kBatch, 1);
      }
    });
  };
  check(float(), TestFixture::kSmall, 9);
  check(double(), TestFixture::kOdd, 9);
  check(float(), TestFixture::kOdd, 150);
  check(float(), TestFixture::kSmall, TestFixture::kLong);
  check(double(), TestFixture::kSmall, TestFixture::kLong);
}

TYPED_TEST_P(Poison, IsNotSeenAhead) {
  const auto check = [&]<class S>(S, auto size, Index time) {
    const auto layer = TestFixture::template make<S>(size);
    using L = std::remove_const_t<decltype(layer)>;
    const auto example = [&] { return Example<L>(layer, time, 1).from_carried_state(); };
    TestFixture::for_ways(layer, time, [&](const char* way, auto&& run) {
      const auto clean = run(example());
      for (const S poison : TestFixture::template poisons<S>())
        for (const Index t : {Index{1}, time / 2, time - 1}) {
          SCOPED_TRACE(std::string(way) + ", frame " + std::to_string(t) + " of " + std::to_string(time) + ", poison " +
                       std::to_string(poison));
          auto of_input = example();
          of_input.x.view().matrix(0).col(t).setConstant(poison);
          TestFixture::expect_frames(run(of_input), clean, "y", time, 0, 0, t);
          auto of_gradient = example();
          of_gradient.dy.view().matrix(0).col(t).setConstant(poison);
          TestFixture::expect_frames(run(of_gradient), clean, "dx", time, 0, t + 1, time);
        }
    });
  };
  check(float(), TestFixture::kSmall, 8);
  check(double(), TestFixture::kOdd, 9);
  check(float(), TestFixture::kSmall, 150);
  check(float(), TestFixture::kSmall, TestFixture::kLong);
}

TYPED_TEST_P(Poison, DoesNotReachAnotherSequence) {
  const auto check = [&]<class S>(S, auto size, Index time, Index batch) {
    const auto layer = TestFixture::template make<S>(size);
    using L = std::remove_const_t<decltype(layer)>;
    const auto example = [&] { return Example<L>(layer, time, batch).from_carried_state(); };
    TestFixture::for_ways(layer, time, [&](const char* way, auto&& run) {
      const auto clean = run(example());
      for (const S poison : TestFixture::template poisons<S>()) {
        SCOPED_TRACE(std::string(way) + ", " + std::to_string(time) + " frames, poison " + std::to_string(poison));
        auto spoilt = example();
        spoilt.x.view().matrix(1).setConstant(poison);
        spoilt.dy.view().matrix(1).setConstant(poison);
        spoilt.of_state = spoilt.of_state_gradient = {1, poison};
        const auto found = run(spoilt);
        for (const Index b : {Index{0}, batch - 1}) TestFixture::expect_sequence(found, clean, time, batch, b);
      }
    });
  };
  check(float(), TestFixture::kSmall, 6, 3);
  check(double(), TestFixture::kOdd, 6, 3);
  check(float(), TestFixture::kOdd, 5, 34);  // several sequences to a tile
  check(float(), TestFixture::kSmall, TestFixture::kLong, 3);
}

REGISTER_TYPED_TEST_SUITE_P(Poison, DoesNotCrossAStart, IsNotSeenAhead, DoesNotReachAnotherSequence);

}  // namespace minrnn::tests
