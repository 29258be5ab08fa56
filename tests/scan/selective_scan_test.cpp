// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/scan/selective_scan.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>

#include "reference/selective_scan.hpp"
#include "support/compare.hpp"
#include "support/message.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

struct Shape {
  Index channels, states, time, batch;
};

// Channels below and above a packet and a group of 64; time below, at and above a block of 64; few and many sequences.
const std::vector<Shape> kShapes{{1, 1, 1, 1},    {7, 3, 5, 3},     {64, 16, 64, 1}, {65, 2, 65, 2},
                                 {130, 4, 70, 3}, {35, 16, 130, 1}, {130, 3, 20, 9}, {16, 5, 3, 70}};

template <class S>
struct Problem {
  Shape shape;
  Sequence<S> u, raw, gate, bc, dy;
  Matrix<S> a, skip, state, dfinal;
  std::vector<std::uint8_t> flags;

  explicit Problem(Shape s) : shape(s) {
    Random random(1);
    u = random_sequence<S>(s.channels, s.time, s.batch, random);
    raw = random_sequence<S>(s.channels, s.time, s.batch, random);
    gate = random_sequence<S>(s.channels, s.time, s.batch, random);
    bc = random_sequence<S>(2 * s.states, s.time, s.batch, random);
    dy = random_sequence<S>(s.channels, s.time, s.batch, random);
    a = -random_matrix<S>(s.channels, s.states, random).cwiseAbs();
    skip = random_matrix<S>(s.channels, 1, random);
    state = random_matrix<S>(s.channels * s.states, s.batch, random);
    dfinal = random_matrix<S>(s.channels * s.states, s.batch, random);
    flags.assign(static_cast<std::size_t>(s.time * s.batch), 0);
    for (Index b = 0; b < s.batch; ++b)
      for (const Index t : {b % 3 - 1, 3 + b, 4 + b, Index{64}, s.time - 1 - b % 2})
        if (t >= 0 && t < s.time) flags[static_cast<std::size_t>(b * s.time + t)] = 1;
  }

  SelectiveScanInputs<S> inputs() const {
    return {SequenceView<const S>(u.view()).with_starts(flags.data()), raw, gate, bc, a, skip};
  }

  Results<S> results() const {
    SelectiveScanCache<S> cache;
    const SelectiveScanInputs<S> in = inputs();
    Sequence<S> y, du, draw, dgate, dbc;
    for (Sequence<S>* of_channels : {&y, &du, &draw, &dgate})
      of_channels->resize(shape.channels, shape.time, shape.batch);
    dbc.resize(2 * shape.states, shape.time, shape.batch);
    Results<S> r;
    r["state"] = state;
    r["dstate"] = dfinal;
    selective_scan(in, r["state"], y, cache, context());
    selective_scan_backward(in, dy, r["dstate"], {du, draw, dgate, dbc, r["da"], r["dskip"]}, cache, context());
    r["y"] = to_matrix(y.view());
    r["du"] = to_matrix(du.view());
    r["draw"] = to_matrix(draw.view());
    r["dgate"] = to_matrix(dgate.view());
    r["dbc"] = to_matrix(dbc.view());
    return r;
  }

  Results<S> wanted() const {
    const auto one = [](const auto& sequence, Index b) {
      return Matrix<double>(sequence.view().matrix(b).template cast<double>());
    };
    const auto folded = [&](const Matrix<S>& m, Index b) {
      return Matrix<double>(
          Eigen::Map<const Matrix<S>>(m.col(b).data(), shape.channels, shape.states).template cast<double>());
    };
    Results<S> r;
    const auto put = [&](const std::string& name, Index b, const Matrix<double>& m) {
      auto& all = r.try_emplace(name, Matrix<S>::Zero(m.rows(), m.cols() * shape.batch)).first->second;
      all.middleCols(b * m.cols(), m.cols()) = m.template cast<S>();
    };
    const auto unfolded = [](const Matrix<double>& m) {
      return Matrix<double>(Eigen::Map<const Matrix<double>>(m.data(), m.size(), 1));
    };
    Matrix<double> da = Matrix<double>::Zero(shape.channels, shape.states),
                   dskip = Matrix<double>::Zero(shape.channels, 1);
    for (Index b = 0; b < shape.batch; ++b) {
      const reference::SelectiveScan s(one(u, b), one(raw, b), one(gate, b), one(bc, b), a.template cast<double>(),
                                       skip.template cast<double>(), folded(state, b),
                                       {flags.begin() + b * shape.time, flags.begin() + (b + 1) * shape.time},
                                       one(dy, b), folded(dfinal, b));
      put("y", b, s.y);
      put("du", b, s.du);
      put("draw", b, s.draw);
      put("dgate", b, s.dgate);
      put("dbc", b, s.dbc);
      put("state", b, unfolded(s.final_state));
      put("dstate", b, unfolded(s.dstate));
      da += s.da;
      dskip += s.dskip;
    }
    r["da"] = da.cast<S>();
    r["dskip"] = dskip.cast<S>();
    return r;
  }
};

TEST(SelectiveScan, ComputesItsEquationsAndTheirGradient) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(::testing::Message() << shape.channels << " channels, " << shape.states
                                      << " states, T = " << shape.time << ", B = " << shape.batch);
    // Sums of some hundred terms of order 1.
    const Problem<double> problem(shape);
    EXPECT_TRUE(close(problem.results(), problem.wanted(), 1e-12));
    const Problem<float> in_float(shape);
    EXPECT_TRUE(close(in_float.results(), in_float.wanted(), 1e-5));
  }
}

TEST(SelectiveScan, LetsNothingAcrossAStartWhateverItIs) {
  // Starts at 3, 4, 64 and the last step of sequence 0; what is spoilt stands in one of its first segments.
  for (const Shape& shape : {Shape{7, 3, 70, 3}, Shape{130, 4, 130, 1}, Shape{65, 2, 66, 9}}) {
    const Problem<float> problem(shape);
    const auto clean = problem.results();
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f}) {
      const auto expect_same = [&](const Problem<float>& spoilt, Index first, Index last, const std::string& what) {
        const auto results = spoilt.results();
        for (const std::string name : {"y", "du", "draw", "dgate", "dbc"}) {
          const Matrix<float>&all = results.at(name), &wanted = clean.at(name);
          EXPECT_TRUE(equal<float>(all.leftCols(first), wanted.leftCols(first), what + " " + name));
          EXPECT_TRUE(equal<float>(all.rightCols(all.cols() - last), wanted.rightCols(all.cols() - last), what));
        }
        EXPECT_TRUE(equal(results.at("state"), clean.at("state"), what));
        if (first > 0) {
          EXPECT_TRUE(equal(results.at("dstate"), clean.at("dstate"), what));
        }
      };
      const auto spoil = [&](Sequence<float> Problem<float>::*member, const char* what) {
        Problem<float> spoilt(shape);
        (spoilt.*member).view().column(63, 0)[0] = bad;
        (spoilt.*member).view().column(10, 0)[shape.states] = bad;
        expect_same(spoilt, 4, 64, what);
      };
      spoil(&Problem<float>::u, "u");
      spoil(&Problem<float>::raw, "raw");
      spoil(&Problem<float>::gate, "gate");
      spoil(&Problem<float>::bc, "bc");
      spoil(&Problem<float>::dy, "dy");
      Problem<float> state(shape);
      state.state.col(0).setConstant(bad);
      expect_same(state, 0, 3, "state");
    }
  }
}

TEST(SelectiveScan, GivesTheSameBitsOnAnyNumberOfThreads) {
  ThreadCount threads;
  for (const Shape& shape : kShapes) {
    const Problem<float> problem(shape);
    threads.use(1);
    const auto one = problem.results();
    for (const int count : {2, 4}) {
      threads.use(count);
      EXPECT_TRUE(equal(problem.results(), one)) << count << " threads";
    }
  }
}

TEST(SelectiveScan, InfersTheSameAndKeepsNothing) {
  for (const Shape& shape : kShapes) {
    const Problem<float> p(shape);
    const SelectiveScanInputs<float> in = p.inputs();
    SelectiveScanCache<float> cache;
    Sequence<float> y(shape.channels, shape.time, shape.batch), inferred(shape.channels, shape.time, shape.batch);
    Matrix<float> state = p.state, inferred_state = p.state;
    selective_scan(in, state, y, cache);
    selective_scan_infer(in, inferred_state, inferred, cache);
    EXPECT_TRUE(equal<float>(to_matrix(inferred.view()), to_matrix(y.view())));
    EXPECT_TRUE(equal<float>(inferred_state, state));
    Sequence<float> du, draw, dgate, dbc;
    Matrix<float> da, dskip;
    const std::string message = message_of<std::invalid_argument>([&] {
      selective_scan_backward(in, p.dy, state, {du, draw, dgate, dbc, da, dskip}, cache);
    });
    EXPECT_EQ(message.substr(0, message.find(": wanted")), "selective_scan_backward: cache");
  }
}

TEST(SelectiveScan, RefusesShapesThatDoNotFit) {
  const Problem<float> p({5, 3, 7, 2});
  Sequence<float> y(5, 7, 2);
  SelectiveScanCache<float> cache;
  const Matrix<float> wrong = Matrix<float>::Zero(5, 2);
  const auto message = [&](const SelectiveScanInputs<float>& in, Matrix<float> state) {
    return message_of<std::invalid_argument>([&] { selective_scan(in, state, y, cache); });
  };
  EXPECT_EQ(message({p.u, p.raw, p.gate, p.bc, p.a, p.skip}, wrong),
            "selective_scan: state: wanted (15, 2), given (5, 2)");
  EXPECT_EQ(message({p.u, p.raw, p.gate, p.u, p.a, p.skip}, p.state),
            "selective_scan: bc: wanted (F, T, B) = (6, 7, 2), given (5, 7, 2)");
  EXPECT_EQ(message({p.u, p.raw, p.gate, p.bc, p.a, wrong}, p.state),
            "selective_scan: skip: wanted (5, 1), given (5, 2)");
}

}  // namespace
}  // namespace minrnn::tests
