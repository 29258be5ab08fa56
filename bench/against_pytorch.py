#!/usr/bin/env python3
"""Training steps of minrnn beside those of PyTorch, alternating in one run, with ratios and their spread.

    /usr/bin/python3 bench/against_pytorch.py [--build FOLDER] [--threads N] [--rounds N] [--quick]

PyTorch runs as fast as we know how to make it: with OpenBLAS on OpenMP where Debian's libopenblas0-openmp is installed,
since its other builds fight with PyTorch for the cores, without giving memory back to the system between steps, and at
batch 1 with one thread where that is faster. Writes bench/results/against_pytorch.json and .svg.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import time

from support import runs

MODEL = (384, 64, 256)  # the paper's language model
# (ours, PyTorch's): what is compared with what
RECURRENT = [("MinGru", "nn.GRU"), ("MinGru", "published minGRU"), ("MinGru", "hand-written minGRU"),
             ("MinLstm", "nn.LSTM"), ("MinLstm", "published minLSTM"), ("Gru", "nn.GRU"), ("Lstm", "nn.LSTM")]
ATTENTION = [("Attention", "attention")]
MAMBA = [("Mamba", "Mamba"), ("SelectiveScan", "selective scan")]
COMPARISONS = {(64, 64, 1024): RECURRENT, (384, 64, 256): RECURRENT, (64, 1, 4096): RECURRENT,
               (384, 16, 256): ATTENTION + MAMBA, (384, 16, 2048): ATTENTION}


def ours_of(pairs):
    return list(dict.fromkeys(ours for ours, _ in pairs))


def theirs_of(pairs):
    return list(dict.fromkeys(theirs for _, theirs in pairs))


def tune(threads):
    """Starts this script over in the environment in which PyTorch is fastest; libraries read it when they are
    loaded."""
    wanted = {"OMP_NUM_THREADS": str(threads), "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
              "MALLOC_TRIM_THRESHOLD_": str(1 << 32), "MALLOC_TOP_PAD_": str(1 << 26), "MINRNN_TUNED": "1"}
    for folder in pathlib.Path("/usr/lib").glob("*/openblas-openmp"):
        wanted["LD_LIBRARY_PATH"] = f"{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    if os.environ.get("MINRNN_TUNED") != "1":
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})


def peak_mb(name, shape):
    """What one step adds to the memory of a process of its own, beyond x, dy and the parameters."""
    code = ("import sys; sys.path.insert(0, sys.argv[1]); from support.torch_layers import Step, torch; "
            "torch.set_num_threads(int(sys.argv[2])); small = Step(sys.argv[3], (8, 2, 8)); small(); "
            "step = Step(sys.argv[3], tuple(map(int, sys.argv[4:7]))); "
            "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]); "
            "before = peak(); step(); "
            "print((peak() - before) * 1024 / 1e6)")
    arguments = [str(runs.BENCH), os.environ["OMP_NUM_THREADS"], name, *map(str, shape)]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else float("nan")


def torch_ms(step, seconds, least=3):
    """The median of steps for about so many seconds."""
    times, begin = [], time.perf_counter()
    while len(times) < least or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def best_ms(step, batch, arguments):
    """At batch 1 PyTorch is often faster with one thread: the better of both."""
    import torch
    results = []
    for threads in {arguments.threads} if batch > 1 else {1, arguments.threads}:
        torch.set_num_threads(threads)
        results.append(torch_ms(step, arguments.seconds))
    return min(results)


def measure(arguments):
    import torch
    from support.torch_layers import Step
    torch.set_num_threads(arguments.threads)
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads; {arguments.rounds} rounds, "
          "ours and PyTorch's in turn; milliseconds a training step\n")
    rows = []
    for shape, pairs in list(COMPARISONS.items())[:1 if arguments.quick else None]:
        memory = {("torch", name): peak_mb(name, shape) for name in theirs_of(pairs)}  # while this process holds little
        steps = {name: Step(name, shape) for name in theirs_of(pairs)}
        for step in steps.values():
            step()
        times = {("minrnn", name): [] for name in ours_of(pairs)} | {("torch", name): [] for name in steps}
        for _ in range(arguments.rounds):
            ours = runs.layer_bench(arguments.build / "layer_bench", ours_of(pairs), shape, arguments.threads)
            for name in ours:
                times["minrnn", name].append(ours[name]["median_ms"])
            for name, step in steps.items():
                times["torch", name].append(best_ms(step, shape[1], arguments))
        memory |= {("minrnn", name): ours[name].get("peak_bytes", float("nan")) / 1e6 for name in ours}
        rows += [{"d": shape[0], "batch": shape[1], "time": shape[2], "library": library, "layer": name, "ms": ms,
                  "peak_mb": memory[library, name]} for (library, name), ms in times.items()]
        show(shape, pairs, times, memory)
    return rows, torch.__version__


def measure_model(arguments):
    """The whole step of the paper's language model around minGRU."""
    import torch
    from support.torch_layers import ModelStep
    torch.set_num_threads(arguments.threads)
    step = ModelStep(MODEL)
    step()
    times = {"minrnn": [], "torch": []}
    for _ in range(min(arguments.rounds, 3)):
        ours = runs.rows_of(arguments.build / "model_bench", runs.pattern_of("MinGru", MODEL, arguments.threads))
        times["minrnn"].append(ours["MinGru"]["median_ms"])
        times["torch"].append(torch_ms(step, 0, least=1))
    r = ratios(times, "minrnn", "torch")
    print("Language model of the paper's size, 3 layers, d = {}, batch {}, T = {}: whole training step\n".format(
        *MODEL))
    print(runs.table(["minrnn s", "torch s", "times faster", "spread"],
                     [[*(f"{statistics.median(times[k]) / 1e3:.3g}" for k in times), f"{statistics.median(r):.1f}x",
                       f"{r[0]:.1f} - {r[-1]:.1f}"]]))
    return {"d": MODEL[0], "batch": MODEL[1], "time": MODEL[2], "ms": times}


def ratios(times, ours, theirs):
    return sorted(b / a for a, b in zip(times[ours], times[theirs]))


def show(shape, pairs, times, memory):
    print("d = {}, batch {}, T = {}\n".format(*shape))
    label = lambda library, name: f"{library} {runs.NAMES.get(name, name)}"
    print(runs.table(["layer", "ms", "MB"],
                     [[label(*n), f"{statistics.median(t):.3g}", f"{memory[n]:.0f}"] for n, t in times.items()]))
    lines = []
    for pair in pairs:
        ours, theirs = zip(("minrnn", "torch"), pair)
        r = ratios(times, ours, theirs)
        lines.append([label(*ours), label(*theirs), f"{statistics.median(r):.1f}x", f"{r[0]:.1f} - {r[-1]:.1f}"])
    print("\n" + runs.table(["ours", "times faster than", "median", "spread"], lines) + "\n", flush=True)


def plot(rows, about, version, threads):
    plt = runs.plots()
    if plt is None:
        return
    shapes = list(dict.fromkeys((r["d"], r["batch"], r["time"]) for r in rows))
    figure, axes = plt.subplots(2, 3, figsize=(10.8, 4.8), squeeze=False, height_ratios=[9, 4])
    for axis, shape in zip(axes.flat, shapes):
        chosen = [r for r in rows if (r["d"], r["batch"], r["time"]) == shape]
        chosen.sort(key=lambda r: r["library"] == "minrnn")
        ours = [r["library"] == "minrnn" for r in chosen]
        medians = [statistics.median(r["ms"]) for r in chosen]
        colors = [runs.COLORS[r["layer"]] if own else "#9aa5b1" for r, own in zip(chosen, ours)]
        axis.hlines(range(len(chosen)), [min(r["ms"]) for r in chosen], [max(r["ms"]) for r in chosen], colors=colors)
        axis.scatter(medians, range(len(chosen)), color=colors, s=36, zorder=3)
        axis.set_yticks(range(len(chosen)),
                        [f"{runs.NAMES.get(r['layer'], r['layer'])} ({r['library']})" for r in chosen])
        axis.margins(y=0.15)
        for i, ms in enumerate(medians):
            axis.annotate(f"{ms:.0f}" if ms >= 100 else f"{ms:.3g}", (max(chosen[i]["ms"]), i), (6, 0),
                          textcoords="offset points", va="center", fontsize=8)
        axis.set(title="d = {}, batch {}, T = {}".format(*shape), xscale="log", xlabel="ms a training step",
                 xlim=(min(medians) / 2, max(medians) * 4))
    for axis in axes.flat[len(shapes):]:
        axis.set_visible(False)
    figure.text(0.01, -0.03,
                f"PyTorch {version}, tuned; {threads} threads, float; {about['processor']}, {about['date']}",
                color="#666666", fontsize=8)
    figure.tight_layout()
    runs.save(figure, "against_pytorch")


def main():
    parser = runs.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="for each layer of PyTorch in a round")
    parser.add_argument("--quick", action="store_true", help="the first shape alone; writes nothing")
    arguments = parser.parse_args()
    try:
        import torch  # noqa: F401
    except ImportError:
        sys.exit("PyTorch is not installed for this Python; Debian: apt-get install python3-torch libopenblas0-openmp, "
                 "then /usr/bin/python3 bench/against_pytorch.py")
    tune(arguments.threads)
    rows, version = measure(arguments)
    if not arguments.quick:
        model = measure_model(arguments)
        about = runs.machine() | {"torch": version}
        runs.write("against_pytorch", {"machine": about, "threads": arguments.threads, "rows": rows, "model": model})
        plot(rows, about, version, arguments.threads)


if __name__ == "__main__":
    main()
