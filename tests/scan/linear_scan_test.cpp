// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/scan/linear_scan.hpp"

#include <gtest/gtest.h>

#include "reference/linear_recurrence.hpp"
#include "support/difference.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

struct Shape {
  Index features, time, batch;
};

constexpr ScanForm kForms[] = {ScanForm::automatic, ScanForm::sequential, ScanForm::chunked};

// Features below, at and above a packet; time below, at and above a stretch of 256 steps; few and many sequences.
const std::vector<Shape> kShapes{{1, 1, 1},   {7, 5, 3},   {16, 40, 9},  {33, 12, 2},  {3, 255, 1}, {3, 256, 2},
                                 {5, 257, 1}, {6, 600, 1}, {17, 513, 2}, {2, 2100, 3}, {1, 300, 9}, {4, 5, 70}};

/// A problem of scan: gates in (0, 1), some of them 0 or 1, and starts at 0, at the last step, and next to each other.
template <class S>
struct Problem {
  Sequence<S> a, b, dh;
  Matrix<S> state, dfinal;
  std::vector<std::uint8_t> flags;

  Problem(Shape shape, bool with_starts, std::uint64_t seed = 1) {
    const Index features = shape.features, time = shape.time, batch = shape.batch;
    Random random(seed);
    a = random_sequence<S>(features, time, batch, random);
    b = random_sequence<S>(features, time, batch, random);
    dh = random_sequence<S>(features, time, batch, random);
    state = random_matrix<S>(features, batch, random);
    dfinal = random_matrix<S>(features, batch, random);
    for (Index i = 0; i < a.size(); ++i) {
      const double u = random.uniform();
      a.data()[i] = u < 0.05 ? S(0) : u > 0.95 ? S(1) : static_cast<S>(random.uniform());
    }
    flags.assign(static_cast<std::size_t>(time * batch), 0);
    if (with_starts)
      for (Index s = 0; s < batch; ++s) {
        const auto set = [&](Index t) {
          if (t < time) flags[static_cast<std::size_t>(s * time + t)] = 1;
        };
        if (s % 3 != 1) set(0);
        if (s % 3 != 2) set(time - 1);
        set(3 + s);
        set(4 + s);
        set(256);
      }
  }
  SequenceView<const S> gates() const { return SequenceView<const S>(a.view()).with_starts(flags.data()); }
  std::vector<std::uint8_t> flags_of(Index s) const {
    return {flags.begin() + s * a.time(), flags.begin() + (s + 1) * a.time()};
  }
};

struct Outcome {
  Matrix<double> h, da, db, state, dstate;
};

template <class S>
Matrix<double> wide(const Matrix<S>& m) {
  return m.template cast<double>();
}

template <class S>
Outcome run(const Problem<S>& p, ScanForm form) {
  Sequence<S> h(p.a.features(), p.a.time(), p.a.batch()), da, db;
  da.resize(p.a.features(), p.a.time(), p.a.batch());
  db.resize(p.a.features(), p.a.time(), p.a.batch());
  Matrix<S> state = p.state, dstate = p.dfinal;
  linear_scan(p.gates(), p.b.view(), state, h.view(), form, context());
  linear_scan_backward(p.gates(), h.view(), p.state, p.dh.view(), dstate, da.view(), db.view(), form, context());
  return {wide<S>(to_matrix(h.view())), wide<S>(to_matrix(da.view())), wide<S>(to_matrix(db.view())), wide(state),
          wide(dstate)};
}

template <class S>
Outcome exact(const Problem<S>& p) {
  const Index features = p.a.features(), time = p.a.time(), batch = p.a.batch();
  Outcome o{Matrix<double>(features, time * batch), Matrix<double>(features, time * batch),
            Matrix<double>(features, time * batch), Matrix<double>(features, batch), Matrix<double>(features, batch)};
  for (Index s = 0; s < batch; ++s) {
    const Matrix<double> a = wide<S>(p.a.view().matrix(s)), b = wide<S>(p.b.view().matrix(s));
    const Matrix<double> state = wide<S>(p.state.col(s));
    const auto h = reference::linear_recurrence<double>(a, b, state, p.flags_of(s));
    const auto gradient = reference::linear_recurrence_gradient<double>(a, b, state, wide<S>(p.dh.view().matrix(s)),
                                                                        wide<S>(p.dfinal.col(s)), p.flags_of(s));
    o.h.middleCols(s * time, time) = h;
    o.da.middleCols(s * time, time) = gradient.da;
    o.db.middleCols(s * time, time) = gradient.db;
    o.state.col(s) = h.col(time - 1);
    o.dstate.col(s) = gradient.dstate;
  }
  return o;
}

void expect_close(const Outcome& a, const Outcome& b, double tolerance) {
  EXPECT_TRUE(close(a.h, b.h, tolerance, "h"));
  EXPECT_TRUE(close(a.da, b.da, tolerance, "da"));
  EXPECT_TRUE(close(a.db, b.db, tolerance, "db"));
  EXPECT_TRUE(close(a.state, b.state, tolerance, "state"));
  EXPECT_TRUE(close(a.dstate, b.dstate, tolerance, "dstate"));
}

void expect_equal(const Outcome& a, const Outcome& b) {
  EXPECT_TRUE(equal(a.h, b.h, "h"));
  EXPECT_TRUE(equal(a.da, b.da, "da"));
  EXPECT_TRUE(equal(a.db, b.db, "db"));
  EXPECT_TRUE(equal(a.state, b.state, "state"));
  EXPECT_TRUE(equal(a.dstate, b.dstate, "dstate"));
}

TEST(LinearScan, IsTheRecurrenceAndItsGradientInEveryForm) {
  ASSERT_GT(Tiling(2, 2100, 3, {}).parts(), 1) << "no shape of the list is divided by itself";
  for (const Shape& shape : kShapes)
    for (const bool starts : {false, true}) {
      const Problem<double> p(shape, starts);
      const Problem<float> single(shape, starts);
      const Outcome wanted = exact(p), wanted_single = exact(single);
      for (const ScanForm form : kForms) {
        SCOPED_TRACE(minrnn::detail::shape_text(shape.features, shape.time, shape.batch) + " form " +
                     std::to_string(static_cast<int>(form)) + (starts ? " with starts" : ""));
        expect_close(run(p, form), wanted, 1e-13);             // rounding of sums whose terms decay
        expect_close(run(single, form), wanted_single, 1e-5);  // the same in float
      }
    }
}

TEST(LinearScan, SequentialFormIsOneStepAfterTheOtherBitForBit) {
  for (const Shape& shape : {Shape{7, 5, 3}, {16, 40, 9}, {33, 12, 2}, {5, 300, 1}}) {
    const Problem<float> p(shape, true);
    const Outcome whole = run(p, ScanForm::sequential);
    Sequence<float> h(shape.features, shape.time, shape.batch);
    Matrix<float> state = p.state;
    for (Index t = 0; t < shape.time; ++t)
      linear_scan(p.gates().chunk(t, 1), p.b.view().chunk(t, 1), state, h.view().chunk(t, 1));
    EXPECT_TRUE(equal<double>(wide<float>(to_matrix(h.view())), whole.h, "h"));
    EXPECT_TRUE(equal<double>(wide(state), whole.state, "state"));
  }
}

TEST(LinearScan, GradientsEqualCentralDifferences) {
  constexpr double kStep = 1e-6;
  Problem<double> p({3, 9, 2}, true);
  const Outcome analytic = run(p, ScanForm::automatic);
  const auto loss = [&] {
    const Outcome o = run(p, ScanForm::automatic);
    return o.h.cwiseProduct(to_matrix(p.dh.view())).sum() + o.state.cwiseProduct(p.dfinal).sum();
  };
  const auto difference = [&](double& value) { return central_difference(value, kStep, loss); };
  // The loss is of order 10 and linear in each element: rounding alone, 1e-15 * 10 / 1e-6.
  for (Index i = 0; i < p.a.size(); ++i) {
    EXPECT_NEAR(difference(p.a.data()[i]), analytic.da.data()[i], 1e-7) << "da " << i;
    EXPECT_NEAR(difference(p.b.data()[i]), analytic.db.data()[i], 1e-7) << "db " << i;
  }
  for (Index i = 0; i < p.state.size(); ++i)
    EXPECT_NEAR(difference(p.state.data()[i]), analytic.dstate.data()[i], 1e-7) << "dstate " << i;
}

TEST(LinearScan, MayWriteOverItsInput) {
  for (const Shape& shape : kShapes)
    for (const ScanForm form : kForms) {
      const Problem<float> p(shape, true);
      const Outcome wanted = run(p, form);
      for (const bool over_b : {true, false}) {
        Problem<float> q(shape, true);
        Matrix<float> state = q.state;
        Sequence<float>& target = over_b ? q.b : q.a;
        linear_scan(q.gates(), q.b.view(), state, target.view(), form, context());
        EXPECT_TRUE(equal<double>(wide<float>(to_matrix(target.view())), wanted.h, "h"));
      }
      Problem<float> q(shape, true);
      Sequence<float> h(shape.features, shape.time, shape.batch), da(shape.features, shape.time, shape.batch);
      Matrix<float> state = q.state, dstate = q.dfinal;
      linear_scan(q.gates(), q.b.view(), state, h.view(), form, context());
      linear_scan_backward(q.gates(), h.view(), q.state, q.dh.view(), dstate, da.view(), q.dh.view(), form, context());
      EXPECT_TRUE(equal<double>(wide<float>(to_matrix(q.dh.view())), wanted.db, "db over dh"));
      EXPECT_TRUE(equal<double>(wide<float>(to_matrix(da.view())), wanted.da, "da"));
    }
}

TEST(LinearScan, GivesTheSameBitsOnAnyNumberOfThreads) {
  ThreadCount count;
  for (const Shape& shape : kShapes)
    for (const ScanForm form : kForms) {
      const Problem<float> p(shape, true);
      count.use(1);
      const Outcome one = run(p, form);
      for (const int threads : {2, 4}) {
        count.use(threads);
        expect_equal(run(p, form), one);
      }
    }
}

TEST(LinearScan, ReadsAndWritesStridedBlocks) {
  const Problem<float> p({5, 40, 3}, true);
  const Outcome wanted = run(p, ScanForm::sequential);
  Sequence<float> h(5, 40, 3);
  Matrix<float> state = p.state;
  for (const auto& [first, count] : {std::pair<Index, Index>{0, 13}, {13, 0}, {13, 26}, {39, 1}})
    linear_scan(p.gates().chunk(first, count), p.b.view().chunk(first, count), state, h.view().chunk(first, count));
  EXPECT_TRUE(equal<double>(wide<float>(to_matrix(h.view())), wanted.h, "h"));
  EXPECT_TRUE(equal<double>(wide(state), wanted.state, "state"));
}

TEST(LinearScan, KeepsItsPrecisionAtAnyLength) {
  constexpr Index kTime = 65536;
  Random random(2);
  Sequence<float> a(2, kTime, 1), b(2, kTime, 1), h(2, kTime, 1);
  for (Index i = 0; i < a.size(); ++i) {
    const double z = 1 / (1 + std::exp(-random.normal()));
    a.data()[i] = static_cast<float>(1 - z);
    b.data()[i] = static_cast<float>(z * std::abs(random.normal()));
  }
  for (const ScanForm form : kForms) {
    Matrix<float> state = Matrix<float>::Constant(2, 1, 0.5f);
    const auto wanted = reference::linear_recurrence<double>(wide<float>(a.view().matrix(0)),
                                                             wide<float>(b.view().matrix(0)), wide(state));
    linear_scan(a.view(), b.view(), state, h.view(), form, context());
    const Matrix<double> error = (wide<float>(h.view().matrix(0)) - wanted).cwiseAbs().cwiseQuotient(wanted);
    EXPECT_LT(error.maxCoeff(), 2e-6) << "relative, of positive terms: some units of 6e-8";
    EXPECT_EQ(state(0, 0), h.view().matrix(0)(0, kTime - 1));
  }
}

TEST(LinearScan, RefusesOtherShapes) {
  const auto message = [](auto&& body) -> std::string {
    try {
      body();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  Sequence<float> a(3, 4, 2), b(3, 4, 2), h(3, 4, 2), tall(4, 4, 2), longer(3, 5, 2), more(3, 4, 3);
  Matrix<float> state = Matrix<float>::Zero(3, 2), wrong = Matrix<float>::Zero(3, 3);
  EXPECT_EQ(message([&] { linear_scan(a.view(), tall.view(), state, h.view()); }),
            "linear_scan: b: wanted (F, T, B) = (3, 4, 2), given (4, 4, 2)");
  EXPECT_EQ(message([&] { linear_scan(a.view(), b.view(), state, longer.view()); }),
            "linear_scan: h: wanted (F, T, B) = (3, 4, 2), given (3, 5, 2)");
  EXPECT_EQ(message([&] { linear_scan(a.view(), b.view(), wrong, h.view()); }),
            "linear_scan: state: wanted (3, 2), given (3, 3)");
  Matrix<float> dstate = Matrix<float>::Zero(3, 2);
  EXPECT_EQ(message([&] { linear_scan_backward(a.view(), h.view(), state, more.view(), dstate, a.view(), b.view()); }),
            "linear_scan_backward: dh: wanted (F, T, B) = (3, 4, 2), given (3, 4, 3)");
  EXPECT_EQ(message([&] { linear_scan_backward(a.view(), h.view(), state, h.view(), wrong, a.view(), b.view()); }),
            "linear_scan_backward: dstate: wanted (3, 2), given (3, 3)");
  EXPECT_EQ(message([&] { linear_scan_backward(a.view(), h.view(), wrong, h.view(), dstate, a.view(), b.view()); }),
            "linear_scan_backward: initial_state: wanted (3, 2), given (3, 3)");
}

}  // namespace
}  // namespace minrnn::tests
