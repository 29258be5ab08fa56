// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/scan/log_scan.hpp"

#include <gtest/gtest.h>

#include "reference/linear_recurrence.hpp"
#include "reference/published_log_scan.hpp"
#include "support/difference.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

constexpr ScanForm kForms[] = {ScanForm::automatic, ScanForm::sequential, ScanForm::chunked};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Shape {
  Index features, time, batch;
};
const std::vector<Shape> kShapes{{1, 1, 1},   {7, 5, 3},   {16, 40, 9},  {33, 12, 2},  {3, 255, 1},
                                 {5, 257, 1}, {6, 600, 1}, {17, 513, 2}, {2, 2100, 3}, {4, 5, 70}};

/// Logarithms of gates in (0, 1] and of positive terms, a twentieth of both -inf.
template <class S>
struct Problem {
  Sequence<S> log_a, log_b, dh;
  Matrix<S> state, dfinal;
  std::vector<std::uint8_t> flags;

  Problem(Shape shape, bool with_starts, std::uint64_t seed = 1) {
    const Index features = shape.features, time = shape.time, batch = shape.batch;
    Random random(seed);
    log_a = random_sequence<S>(features, time, batch, random);
    log_b = random_sequence<S>(features, time, batch, random, 2);
    dh = random_sequence<S>(features, time, batch, random);
    state = random_matrix<S>(features, batch, random).cwiseAbs();
    state(0, 0) = 0;
    dfinal = random_matrix<S>(features, batch, random);
    for (Index i = 0; i < log_a.size(); ++i) {
      log_a.data()[i] = random.uniform() < 0.05 ? static_cast<S>(-kInfinity) : -std::abs(log_a.data()[i]);
      if (random.uniform() < 0.05) log_a.data()[i] = 0;
      if (random.uniform() < 0.05) log_b.data()[i] = static_cast<S>(-kInfinity);
    }
    flags.assign(static_cast<std::size_t>(time * batch), 0);
    if (with_starts)
      for (Index s = 0; s < batch; ++s)
        for (const Index t : {s % 3 == 1 ? Index{1} : Index{0}, time - 1, 3 + s, 4 + s, Index{256}})
          if (t < time) flags[static_cast<std::size_t>(s * time + t)] = 1;
  }
  SequenceView<const S> gates() const { return SequenceView<const S>(log_a.view()).with_starts(flags.data()); }
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
  const Index features = p.log_a.features(), time = p.log_a.time(), batch = p.log_a.batch();
  Sequence<S> h(features, time, batch), da(features, time, batch), db(features, time, batch);
  Matrix<S> state = p.state, dstate = p.dfinal;
  log_scan(p.gates(), p.log_b.view(), state, h.view(), form, context());
  log_scan_backward(p.gates(), p.log_b.view(), h.view(), p.state, p.dh.view(), dstate, da.view(), db.view(), form,
                    context());
  return {wide<S>(to_matrix(h.view())), wide<S>(to_matrix(da.view())), wide<S>(to_matrix(db.view())), wide(state),
          wide(dstate)};
}

template <class S>
Outcome exact(const Problem<S>& p) {
  const Index features = p.log_a.features(), time = p.log_a.time(), batch = p.log_a.batch();
  Outcome o{Matrix<double>(features, time * batch), Matrix<double>(features, time * batch),
            Matrix<double>(features, time * batch), Matrix<double>(features, batch), Matrix<double>(features, batch)};
  for (Index s = 0; s < batch; ++s) {
    const Matrix<double> a = wide<S>(p.log_a.view().matrix(s)).array().exp();
    const Matrix<double> b = wide<S>(p.log_b.view().matrix(s)).array().exp(), state = wide<S>(p.state.col(s));
    const std::vector<std::uint8_t> flags(p.flags.begin() + s * time, p.flags.begin() + (s + 1) * time);
    const auto h = reference::linear_recurrence<double>(a, b, state, flags);
    const auto gradient = reference::linear_recurrence_gradient<double>(a, b, state, wide<S>(p.dh.view().matrix(s)),
                                                                        wide<S>(p.dfinal.col(s)), flags);
    o.h.middleCols(s * time, time) = h;
    o.da.middleCols(s * time, time) = gradient.da.cwiseProduct(a);
    o.db.middleCols(s * time, time) = gradient.db.cwiseProduct(b);
    o.state.col(s) = h.col(time - 1);
    o.dstate.col(s) = gradient.dstate;
  }
  return o;
}

void expect_close(const Outcome& a, const Outcome& b, double tolerance) {
  EXPECT_TRUE(close(a.h, b.h, tolerance, "h"));
  EXPECT_TRUE(close(a.da, b.da, tolerance, "dlog_a"));
  EXPECT_TRUE(close(a.db, b.db, tolerance, "dlog_b"));
  EXPECT_TRUE(close(a.state, b.state, tolerance, "state"));
  EXPECT_TRUE(close(a.dstate, b.dstate, tolerance, "dstate"));
}

TEST(LogScan, IsTheRecurrenceAndItsGradientInEveryForm) {
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

TEST(LogScan, GradientsEqualCentralDifferences) {
  constexpr double kStep = 1e-6;
  Problem<double> p({3, 9, 2}, true);
  p.state.array() += 0.1;  // both sides of a state must be states
  const Outcome analytic = run(p, ScanForm::automatic);
  const auto loss = [&] {
    const Outcome o = run(p, ScanForm::automatic);
    return o.h.cwiseProduct(to_matrix(p.dh.view())).sum() + o.state.cwiseProduct(p.dfinal).sum();
  };
  const auto difference = [&](double& value) {
    if (value == -kInfinity) return 0.0;  // there the derivative is stated to be 0
    return central_difference(value, kStep, loss);
  };
  // A loss of order 1000 rounds to 1e-13, over a step of 1e-6.
  for (Index i = 0; i < p.log_a.size(); ++i) {
    EXPECT_NEAR(difference(p.log_a.data()[i]), analytic.da.data()[i], 5e-7) << "dlog_a " << i;
    EXPECT_NEAR(difference(p.log_b.data()[i]), analytic.db.data()[i], 5e-7) << "dlog_b " << i;
  }
  for (Index i = 0; i < p.state.size(); ++i)
    EXPECT_NEAR(difference(p.state.data()[i]), analytic.dstate.data()[i], 1e-7) << "dstate " << i;
}

TEST(LogScan, IsExactWhereAGateIsZeroOrATermIs) {
  for (const ScanForm form : kForms) {
    const Index time = 600;
    Sequence<double> log_a(1, time, 1), log_b(1, time, 1), h(1, time, 1);
    for (Index t = 0; t < time; ++t) {
      log_a.data()[t] = t % 50 == 0 ? -kInfinity : 0;
      log_b.data()[t] = t % 50 == 0 ? 0 : -kInfinity;
    }
    Matrix<double> state = Matrix<double>::Constant(1, 1, 7);
    log_scan(log_a.view(), log_b.view(), state, h.view(), form, context());
    for (Index t = 0; t < time; ++t) ASSERT_EQ(h.data()[t], 1.0) << t;  // forgets 7, holds 1, adds nothing
    EXPECT_EQ(state(0, 0), 1.0);

    // Nothing ever comes in: a state of zero stays zero, and nothing is NaN.
    std::fill_n(log_b.data(), time, -kInfinity);
    state.setZero();
    log_scan(log_a.view(), log_b.view(), state, h.view(), form, context());
    EXPECT_EQ(to_matrix(h.view()), Matrix<double>::Zero(1, time));
    EXPECT_EQ(state(0, 0), 0.0);
  }
}

TEST(LogScan, BearsSaturatedGates) {
  // log a = log sigmoid(-+1e4): the gate is 0 or 1 to the last bit.
  for (const ScanForm form : kForms) {
    Sequence<float> log_a(1, 600, 1), log_b(1, 600, 1), h(1, 600, 1);
    for (Index t = 0; t < 600; ++t) {
      log_a.data()[t] = t % 100 == 0 ? -1e4f : 0.0f;
      log_b.data()[t] = t % 100 == 0 ? 0.0f : -1e4f;
    }
    Matrix<float> state = Matrix<float>::Constant(1, 1, 5);
    log_scan(log_a.view(), log_b.view(), state, h.view(), form, context());
    EXPECT_EQ(to_matrix(h.view()), Matrix<float>::Ones(1, 600));
  }
}

template <class S>
void expect_finite_everywhere() {
  Random random(12);
  constexpr double kRange = std::is_same_v<S, float> ? 37 : 300;  // powers of ten
  for (int trial = 0; trial < 60; ++trial) {
    const Index features = 5, time = trial % 3 == 0 ? 600 : 20, batch = 2;
    const auto huge = [&] {
      const double magnitude = std::pow(10.0, kRange * random.symmetric(1));
      return random.uniform() < 0.5 ? -magnitude : magnitude;
    };
    Sequence<S> log_a(features, time, batch), log_b(features, time, batch), dh(features, time, batch),
        h(features, time, batch), da(features, time, batch), db(features, time, batch);
    Matrix<S> state(features, batch), dstate(features, batch);
    for (Index i = 0; i < log_a.size(); ++i) {
      log_a.data()[i] = -static_cast<S>(std::abs(huge()));
      log_b.data()[i] = static_cast<S>(huge());
      dh.data()[i] = static_cast<S>(huge() / 1e4);  // a sum of 600 of them is a number too
    }
    for (Index i = 0; i < state.size(); ++i) {
      state.data()[i] = static_cast<S>(std::abs(huge()));
      dstate.data()[i] = static_cast<S>(huge() / 1e4);
    }
    const Matrix<S> initial = state;
    for (const ScanForm form : kForms) {
      state = initial;
      log_scan(log_a.view(), log_b.view(), state, h.view(), form, context());
      Matrix<S> d = dstate;
      log_scan_backward(log_a.view(), log_b.view(), h.view(), initial, dh.view(), d, da.view(), db.view(), form,
                        context());
      ASSERT_TRUE(to_matrix(h.view()).allFinite());
      ASSERT_TRUE(state.allFinite());
      ASSERT_TRUE(to_matrix(da.view()).allFinite());
      ASSERT_TRUE(to_matrix(db.view()).allFinite());
      ASSERT_TRUE(d.allFinite());
      ASSERT_GE(to_matrix(h.view()).minCoeff(), 0);
    }
  }
}

TEST(LogScan, IsFiniteForEveryFiniteArgument) {
  expect_finite_everywhere<float>();
  expect_finite_everywhere<double>();
}

TEST(LogScan, MayWriteOverItsInput) {
  for (const Shape& shape : kShapes)
    for (const ScanForm form : kForms) {
      const Problem<float> p(shape, true);
      const Outcome wanted = run(p, form);
      for (const bool over_b : {true, false}) {
        Problem<float> q(shape, true);
        Matrix<float> state = q.state;
        Sequence<float>& target = over_b ? q.log_b : q.log_a;
        log_scan(q.gates(), q.log_b.view(), state, target.view(), form, context());
        EXPECT_TRUE(equal<double>(wide<float>(to_matrix(target.view())), wanted.h, "h"));
      }
      Problem<float> q(shape, true);
      Sequence<float> h(shape.features, shape.time, shape.batch), da(shape.features, shape.time, shape.batch);
      Matrix<float> state = q.state, dstate = q.dfinal;
      log_scan(q.gates(), q.log_b.view(), state, h.view(), form, context());
      log_scan_backward(q.gates(), q.log_b.view(), h.view(), q.state, q.dh.view(), dstate, da.view(), q.dh.view(),
                        form);
      EXPECT_TRUE(equal<double>(wide<float>(to_matrix(q.dh.view())), wanted.db, "dlog_b over dh"));
    }
}

// Why this library composes: the published form subtracts two sums of the size of T.
TEST(LogScan, KeepsItsPrecisionAtAnyLengthWhereThePublishedFormDoesNot) {
  constexpr Index kTime = 65536;
  Random random(2);
  Sequence<float> log_a(2, kTime, 1), log_b(2, kTime, 1), h(2, kTime, 1);
  for (Index i = 0; i < log_a.size(); ++i) {
    const double z = 1 / (1 + std::exp(-random.normal()));
    log_a.data()[i] = static_cast<float>(std::log(1 - z));
    log_b.data()[i] = static_cast<float>(std::log(z * std::abs(random.normal())));
  }
  const Matrix<float> initial = Matrix<float>::Constant(2, 1, 0.5f);
  const auto wanted =
      reference::linear_recurrence<double>(wide<float>(log_a.view().matrix(0)).array().exp(),
                                           wide<float>(log_b.view().matrix(0)).array().exp(), wide(initial));
  const auto error = [&](const Matrix<double>& result) {
    return (result - wanted).cwiseAbs().cwiseQuotient(wanted).maxCoeff();
  };
  for (const ScanForm form : kForms) {
    Matrix<float> state = initial;
    log_scan(log_a.view(), log_b.view(), state, h.view(), form, context());
    const double measured = error(wide<float>(h.view().matrix(0)));
    EXPECT_LT(measured, 5e-6) << "form " << static_cast<int>(form);
    RecordProperty("units_of_1e-7_of_form_" + std::to_string(static_cast<int>(form)), std::to_string(measured * 1e7));
  }
  Matrix<float> values(2, kTime + 1);
  values.col(0) = initial.array().log();
  values.rightCols(kTime) = log_b.view().matrix(0);
  const double published = error(wide(reference::published_log_scan<float>(log_a.view().matrix(0), values)));
  EXPECT_GT(published, 1e-3);
  RecordProperty("units_of_1e-7_of_the_published_form", std::to_string(published * 1e7));

  // In double and short, it is the same function.
  Matrix<double> few = wide(values).leftCols(65);
  few.col(0) = wide(initial).array().log();
  EXPECT_TRUE(
      close<double>(reference::published_log_scan<double>(wide<float>(log_a.view().matrix(0)).leftCols(64), few),
                    wanted.leftCols(64), 1e-11));
}

TEST(LogScan, RefusesOtherShapesAndNegativeStates) {
  const auto message = [](auto&& body) -> std::string {
    try {
      body();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  Sequence<float> a(3, 4, 2), b(3, 4, 2), h(3, 4, 2), tall(4, 4, 2), more(3, 4, 3);
  for (auto* s : {&a, &b, &h}) std::fill_n(s->data(), s->size(), 0.0f);
  Matrix<float> state = Matrix<float>::Ones(3, 2), wrong = Matrix<float>::Ones(3, 3), negative = -state;
  EXPECT_EQ(message([&] { log_scan(a.view(), tall.view(), state, h.view()); }),
            "log_scan: log_b: wanted (F, T, B) = (3, 4, 2), given (4, 4, 2)");
  EXPECT_EQ(message([&] { log_scan(a.view(), b.view(), wrong, h.view()); }),
            "log_scan: state: wanted (3, 2), given (3, 3)");
  const Matrix<float> kept = negative;
  EXPECT_NE(
      message([&] { log_scan(a.view(), b.view(), negative, h.view()); }).find("log_scan: state: wanted no negative"),
      std::string::npos);
  EXPECT_EQ(negative, kept) << "a call that threw has changed the state";
  Matrix<float> dstate = Matrix<float>::Zero(3, 2);
  EXPECT_EQ(
      message([&] { log_scan_backward(a.view(), b.view(), h.view(), state, more.view(), dstate, a.view(), b.view()); }),
      "log_scan_backward: dh: wanted (F, T, B) = (3, 4, 2), given (3, 4, 3)");
  EXPECT_EQ(
      message([&] { log_scan_backward(a.view(), b.view(), h.view(), state, h.view(), wrong, a.view(), b.view()); }),
      "log_scan_backward: dstate: wanted (3, 2), given (3, 3)");
}

}  // namespace
}  // namespace minrnn::tests
