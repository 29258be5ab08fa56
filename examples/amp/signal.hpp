// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "wav.hpp"

namespace amp {

/// What a guitarist might play: single notes, chords, muted strokes, silence, loud and soft; the same for a seed.
///
/// Equations   a plucked string is a delay line with a low-pass filter in its loop, filled with noise
/// Source      Karplus and Strong 1983, "Digital synthesis of plucked-string and drum timbres"
Recording play_guitar(double seconds, Index rate, std::uint64_t seed);

/// A dry recording and what a pedal makes of it.
struct Pair {
  Recording dry, wet;
};

/// What comes out of `Pedal`, whose differential equation is solved at eight times the rate, after so many samples.
Recording through_pedal(const Recording& dry, Index latency);

}  // namespace amp
