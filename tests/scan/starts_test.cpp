// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// A start forgets what came before, whatever it was, and no gradient crosses it: in every form of both scans.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "minrnn/scan/log_scan.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

constexpr ScanForm kForms[] = {ScanForm::automatic, ScanForm::sequential, ScanForm::chunked};

TEST(Starts, ForgetWhatIsNoNumber) {
  const float kNan = std::numeric_limits<float>::quiet_NaN();
  const float a[] = {.5f, .5f, .5f, .5f}, b[] = {1, kNan, 1, 1};
  const std::uint8_t starts[] = {0, 0, 1, 0};
  for (const ScanForm form : kForms) {
    Sequence<float> h(1, 4, 1);
    Matrix<float> state = Matrix<float>::Zero(1, 1);
    linear_scan<float>(SequenceView<const float>(a, 1, 4).with_starts(starts), SequenceView<const float>(b, 1, 4),
                       state, h, form);
    EXPECT_EQ(h.data()[0], 1);
    EXPECT_EQ(h.data()[2], 1);
    EXPECT_EQ(h.data()[3], 1.5f);
    EXPECT_EQ(state(0, 0), 1.5f);
  }
}

/// All that a scan and its adjoint give. `logarithms`: a and b are logarithms, for log_scan.
template <class S>
struct Scan {
  bool logarithms;
  Sequence<S> a, b, dh;
  Matrix<S> state, dstate;
  std::vector<std::uint8_t> flags;

  Scan(bool in_logarithms, Index features, Index time, Index batch, Index start) : logarithms(in_logarithms) {
    Random random(1);
    a = random_sequence<S>(features, time, batch, random, 0.1);
    b = random_sequence<S>(features, time, batch, random);
    dh = random_sequence<S>(features, time, batch, random);
    state = random_matrix<S>(features, batch, random).cwiseAbs();
    dstate = random_matrix<S>(features, batch, random);
    for (Index i = 0; i < a.size(); ++i)
      a.data()[i] = logarithms ? -std::abs(a.data()[i]) : S(1) - std::abs(a.data()[i]);
    flags = starts_at(time, batch, {{start, 0}});
  }

  Results<S> run(ScanForm form) const {
    const Index features = a.features(), time = a.time(), batch = a.batch();
    const auto gates = SequenceView<const S>(a.view()).with_starts(flags.data());
    Sequence<S> h(features, time, batch), da(features, time, batch), db(features, time, batch);
    Matrix<S> carried = state, gradient = dstate;
    if (logarithms) {
      log_scan<S>(gates, b.view(), carried, h, form, context());
      log_scan_backward<S>(gates, b.view(), h, state, dh.view(), gradient, da, db, form, context());
    } else {
      linear_scan<S>(gates, b.view(), carried, h, form, context());
      linear_scan_backward<S>(gates, h, state, dh.view(), gradient, da, db, form, context());
    }
    Results<S> results;
    results["h"] = to_matrix(h.view());
    results["da"] = to_matrix(da.view());
    results["db"] = to_matrix(db.view());
    results["state"] = carried;
    results["dstate"] = gradient;
    return results;
  }
};

template <class S>
void expect_nothing_crosses() {
  struct Shape {
    Index features, time, batch, start;
  };
  // Starts within a stretch, at its borders, in the first and the last one.
  for (const auto& [features, time, batch, start] :
       {Shape{7, 9, 2, 4}, {3, 9, 1, 8}, {5, 1024, 1, 256}, {5, 1024, 1, 255}, {5, 1024, 1, 700}, {19, 4096, 1, 3000}})
    for (const bool logarithms : {false, true})
      for (const ScanForm form : kForms) {
        const Scan<S> clean(logarithms, features, time, batch, start);
        const Results<S> wanted = clean.run(form);
        for (const S poison : {std::numeric_limits<S>::quiet_NaN(), std::numeric_limits<S>::infinity(), S(1e30)}) {
          SCOPED_TRACE(testing::Message() << (logarithms ? "log" : "linear") << " form " << static_cast<int>(form)
                                          << ", start " << start << " of " << time << ", poison " << poison);
          const auto same = [&](const Results<S>& found, const char* name, Index first, Index last) {
            const auto part = [&](const Results<S>& r) {
              return Matrix<S>(r.at(name).middleCols(first, last - first));
            };
            EXPECT_TRUE(equal<S>(part(found), part(wanted), name));
          };
          Scan<S> before(logarithms, features, time, batch, start);
          before.b.view().matrix(0).col(start / 2).setConstant(poison);
          before.b.view().matrix(0).col(start - 1).setConstant(poison);
          before.a.view().matrix(0).col(start / 3).setConstant(poison);
          before.a.view().matrix(0).col(start).setConstant(poison);  // is not used
          if (!(logarithms && poison < 0)) before.state.col(0).setConstant(poison);
          const auto behind = before.run(form);
          same(behind, "h", start, time);
          same(behind, "db", start, time);
          same(behind, "da", start, time);
          same(behind, "state", 0, 1);
          EXPECT_TRUE(behind.at("da").col(start).isZero(0));

          Scan<S> after(logarithms, features, time, batch, start);
          after.dh.view().matrix(0).col(start).setConstant(poison);
          after.dh.view().matrix(0).col(time - 1).setConstant(poison);
          after.dstate.col(0).setConstant(poison);
          const auto ahead = after.run(form);
          same(ahead, "da", 0, start + 1);
          same(ahead, "db", 0, start);
          same(ahead, "dstate", 0, 1);
        }
      }
}

TEST(Starts, LetNothingThroughInFloat) { expect_nothing_crosses<float>(); }
TEST(Starts, LetNothingThroughInDouble) { expect_nothing_crosses<double>(); }

}  // namespace
}  // namespace minrnn::tests
