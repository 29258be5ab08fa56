// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Compiled with OpenMP: the executor that lends its threads gives the bits that the calling thread alone gives.
#include "minrnn/core/open_mp.hpp"

#include <cstdio>
#include <cstring>

#include "minrnn/layers/min_gru.hpp"
#include "support/run.hpp"

using namespace minrnn;

int main() {
  omp_set_num_threads(3);
  OpenMp open_mp;
  if (open_mp.workers() != 3) return std::printf("wanted 3 workers, given %td\n", open_mp.workers()), 1;
  Random random(1);
  const MinGru<float> layer(24, 40, random.stream(0));
  for (const Index batch : {1, 20}) {
    const tests::Example example(layer, 1200, batch);
    const auto run = [&](Executor* executor) {
      tests::context().executor = executor;
      return tests::train(layer, example);
    };
    const auto alone = run(nullptr), by_all = run(&open_mp);
    for (const auto& [name, m] : alone)
      if (std::memcmp(m.data(), by_all.at(name).data(), static_cast<std::size_t>(m.size()) * sizeof(float)) != 0)
        return std::printf("%s differs with %td sequences\n", name.c_str(), batch), 1;
  }
  return 0;
}
