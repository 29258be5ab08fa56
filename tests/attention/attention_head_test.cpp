// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/attention/attention_head.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace minrnn::tests {
namespace {

// One query over two equal keys has half of each, however large their scores are: beside 1e7, the logarithm of 2 is
// less than a rounding.
TEST(AttentionHead, SharesAmongEqualKeysHoweverLargeTheirScores) {
  using Head = detail::AttentionHead<float>;
  constexpr Index kSize = 2;
  const Index stride = detail::padded<float>(kSize);
  for (const float size : {1.0f, 3e3f, 1e7f, 1e15f, 1e25f}) {
    std::vector<float> q(static_cast<std::size_t>(stride)), k(2 * q.size()), v(2 * q.size());
    for (std::size_t i = 0; i < 2; ++i) {
      k[i * q.size()] = size;
      v[i * q.size()] = i == 0 ? 2.0f : 6.0f;
    }
    float unit = detail::score_unit<float>(kSize, size, size), largest = 0, share = 0;
    q[0] = size / unit;
    const std::int32_t first = 0;
    const Head head{{q.data(), kSize, 1, stride},
                    {k.data(), kSize, 2, stride},
                    {v.data(), kSize, 2, stride},
                    {&first, 1},
                    {&unit, &largest, &share},
                    size,
                    size,
                    6};
    const auto memory = [](Index n) { return std::vector<float>(static_cast<std::size_t>(n)); };
    std::vector<float> scratch = memory(Head::scratch_size(kSize)), dq = memory(stride);
    std::vector<float> k_memory = memory(detail::TransposedColumns<float>::size(kSize, 2)), v_memory = k_memory;
    const detail::TransposedColumns<float> k_rows(k_memory.data(), kSize), v_rows(v_memory.data(), kSize);
    k_rows.fill(head.k);
    v_rows.fill(head.v);
    float o[kSize], d_o[kSize] = {1, 0}, along = 0;
    head.forward({}, k_rows, scratch.data(), {o, kSize, 1});
    EXPECT_EQ(largest, q[0] * size);
    EXPECT_EQ(share, 0.5f);
    EXPECT_EQ(o[0], 4) << size;
    const bool is_tame = head.project({o, kSize, 1}, {d_o, kSize, 1}, &along);
    head.backward({}, k_rows, v_rows, {{d_o, kSize, 1}, &along, is_tame}, scratch.data(), {dq.data(), stride, 1},
                  [&](Index key, Row<const float> dk, Row<const float> dv) {
                    EXPECT_EQ(dv.data[0], 0.5f) << "key " << key << " at " << size;
                    EXPECT_EQ(dk.data[0], (key == 0 ? -1 : 1) * size) << "p (dp - <do, o>) q = 1/2 (+-2) q";
                  });
    EXPECT_EQ(dq[0], 0) << size;
  }
}

}  // namespace
}  // namespace minrnn::tests
