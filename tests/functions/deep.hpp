// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

// Never compiled: what tests/functions.cmake must find, and in the first function what it must not.
namespace minrnn {

class Deep {
 public:
  int five_levels(int n) {
    for (int i = 0; i < n; ++i) {
      const auto run = [&] {
        if (n > 1) {
          while (n > 2) n -= Pair{i, {n, List{1, 2}}}.sum([&] { return n; });
        }
      };
      run();  // } a brace of a comment, and one of a text: "{{{"
    }
    return Pair{n, {n, {n, {n, {n, {n, n}}}}}}.sum('{');
  }

  int six_levels(int n) {
    for (int i = 0; i < n; ++i) {
      const auto run = [&](int j) -> int {
        switch (j) {
          case 1: {
            for_each({1, 2, 3}, [&](int k) { n += k; });
          }
        }
      };
      run(i);
    }
    return n;
  }

  int many_lines(int n) {
    n += 1;
    n += 2;
    n += 3;
    n += 4;
    n += 5;
    n += 6;
    n += 7;
    n += 8;
    n += 9;
    n += 10;
    n += 11;
    n += 12;
    n += 13;
    n += 14;
    n += 15;
    n += 16;
    n += 17;
    n += 18;
    n += 19;
    n += 20;
    n += 21;
    n += 22;
    n += 23;
    n += 24;
    n += 25;
    n += 26;
    n += 27;
    n += 28;
    n += 29;
    n += 30;
    n += 31;
    n += 32;
    n += 33;
    n += 34;
    n += 35;
    n += 36;
    n += 37;
    n += 38;
    n += 39;
    return n;
  }
};

}  // namespace minrnn
