// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

/// The body of a `parallel_for`, by reference: valid until the call that was given it returns.
class Task {
 public:
  template <class Body>
  explicit Task(const Body& body)
      : body_(&body),
        call_([](const void* to, Index tile, Index worker) { (*static_cast<const Body*>(to))(tile, worker); }) {}

  void operator()(Index tile, Index worker) const { call_(body_, tile, worker); }

 private:
  const void* body_;
  void (*call_)(const void*, Index, Index);
};

/// What runs the tiles of a call, lent to it. Derive from it to let the library use threads of your own: a tile is a
/// piece of work that depends on no other and neither throws nor waits for one.
class Executor {
 public:
  virtual ~Executor() = default;
  /// How many threads may run tiles of one call at a time, at least 1. The same during a call.
  virtual Index workers() const = 0;
  /// How many multiply-adds a call must have for other threads to be told of it: what has less, the caller does alone.
  virtual double least_work() const { return kLeastWork; }
  /// Calls task(tile, worker) once for each tile in [0, tiles), on any threads in any order, and returns when all are
  /// done. `worker` is in [0, workers()), and no two tiles that run at the same time have the same one.
  virtual void run(Index tiles, const Task& task) = 0;

 protected:
  static constexpr double kLeastWork = 1 << 18;  // what one core does in about ten microseconds
};

/// Is told by a backward which gradients are finished while it computes others, so that what is done with them need not
/// wait for its end: one machine sends them to another meanwhile. Derive from it to be told.
class GradientListener {
 public:
  virtual ~GradientListener() = default;
  /// The backward has come through a layer with this `Parameter`, by its address, and adds no more to its gradient
  /// unless it comes through the layer again. On the thread that called backward.
  virtual void finished(const void* parameter) = 0;
};

/// What a call is told beside its arguments, handed down by layers of layers. Every result is the same, bit for bit,
/// whatever the executor.
struct Context {
  static constexpr std::int64_t kNoDraw = -1;

  /// The number of the training step: what is random in forward (Dropout) is a function of it.
  std::int64_t draw = kNoDraw;
  /// None: the calling thread does all the work.
  Executor* executor = nullptr;
  /// Whom a backward tells of the gradients that are finished; nobody: none.
  GradientListener* listener = nullptr;

  /// The same for part `index` of a call, with a draw of its own; part 0 has that of the call. Without a listener, as a
  /// part finishes no gradient: those after it add to the same.
  Context part(Index index) const {
    if (draw == kNoDraw || index == 0) return {draw, executor};
    const std::uint64_t mixed =
        mix_bits(mix_bits(static_cast<std::uint64_t>(draw)) + static_cast<std::uint64_t>(index));
    return {static_cast<std::int64_t>(mixed >> 1), executor};
  }

  Index workers() const { return executor == nullptr ? 1 : executor->workers(); }
};

namespace detail {
/// The body is only called by its address, from here, so that a compiler makes code of it once.
MINRNN_NOINLINE inline void run_tiles(Executor* executor, Index tiles, double multiply_adds, Task task) {
  if (tiles > 1 && executor != nullptr && multiply_adds >= executor->least_work()) return executor->run(tiles, task);
  for (Index tile = 0; tile < tiles; ++tile) task(tile, 0);
}
}  // namespace detail

/// Calls body(tile, worker) once for each tile in [0, tiles), worker < context.workers(). The body must not throw.
template <class Body>
void parallel_for(const Context& context, Index tiles, const Body& body) {
  detail::run_tiles(context.executor, tiles, std::numeric_limits<double>::infinity(), Task(body));
}

/// The same for tiles that have so many multiply-adds together, more or less; other work is counted as multiply-adds
/// that take as long. Where these are few, the calling thread does them alone.
template <class Body>
void parallel_for(const Context& context, Index tiles, double multiply_adds, const Body& body) {
  detail::run_tiles(context.executor, tiles, multiply_adds, Task(body));
}

}  // namespace minrnn
