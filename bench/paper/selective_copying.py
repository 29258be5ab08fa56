#!/usr/bin/env python3
"""Selective copying: accuracy of 1, 2 and 3 layers at T = 256, and of the trained models at T = 1024 and 4096.

    bench/paper/selective_copying.py [--quick] [--mixers mingru,minlstm] [--layers 1,2,3] [--seeds 1,2] [--collect]

The paper's block: d = 64, expansion 6, dropout 0.1, 16 tokens of a vocabulary of 16. 6000 steps of 32 sequences, 6 to
21 minutes on one core; as many runs side by side as there are threads. --quick takes 500 steps, and writes nothing. A
run that is there already is not made again; --collect makes none. Writes bench/results/selective_copying.csv and .svg;
runs that stand there stay until a run replaces them.
"""
import concurrent.futures
import csv
import math
import pathlib
import statistics
import subprocess

import common
from support import runs

PAPER = {("minlstm", 1): "37.6 +- 2.0", ("minlstm", 2): "85.7 +- 5.8", ("minlstm", 3): "96.0 +- 2.8",
         ("mingru", 1): "37.0 +- 2.3", ("mingru", 2): "96.8 +- 3.2", ("mingru", 3): "99.5 +- 0.2", ("mamba", 3): "99.8"}
LENGTHS = [256, 1024, 4096]


def read(path):
    """The rows of a run, none where it is not finished."""
    rows = list(csv.DictReader(open(path))) if path.exists() else []
    return rows if sum(row["kind"] == "test" for row in rows) == len(LENGTHS) else []


def run(program, folder, mixer, layers, seed, steps):
    path = folder / f"{mixer}_{layers}_{seed}.csv"
    if read(path):
        return
    command = [program, "--mixer", mixer, "--layers", layers, "--seed", seed, "--steps", steps, "--batch", 32,
               "--learning-rate", 3e-3, "--test-lengths", ",".join(map(str, LENGTHS))]
    print(f"training {mixer}, {layers} layers, seed {seed}: {path}", flush=True)
    with open(path, "w") as file:
        subprocess.run([str(word) for word in command], stdout=file, check=True)


def collect(folder, wanted):
    rows, measured_on = [], common.measured_on(runs.machine())
    for mixer, layers, seed in wanted:
        rows += [{"mixer": mixer, "layers": layers, "seed": seed, **row, "measured_on": measured_on}
                 for row in read(folder / f"{mixer}_{layers}_{seed}.csv")]
    return rows


def spread(values):
    """The deviation between seeds."""
    return statistics.stdev(values) if len(values) > 1 else math.nan


def show(rows):
    tests = {}
    for row in rows:
        if row["kind"] == "test":
            key = row["mixer"], int(row["layers"]), int(row["step_or_length"])
            tests.setdefault(key, []).append(100 * float(row["accuracy"]))
    lines = []
    for mixer, layers in dict.fromkeys(key[:2] for key in tests):
        found = [tests[mixer, layers, length] for length in LENGTHS]
        cells = [f"{statistics.mean(v):.1f}" + (f" +- {spread(v):.1f}" if len(v) > 1 else "") for v in found]
        lines.append([common.NAMES[mixer], layers, len(found[0]), *cells, PAPER.get((mixer, layers), "")])
    print(runs.table(["mixer", "layers", "seeds", *(f"T = {n}, %" for n in LENGTHS), "paper, T = 4096, %"], lines))
    return tests


def plot(rows, tests):
    plt = runs.plots()
    if plt is None:
        return
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.2), sharey=True)
    styles = {1: ":", 2: "--", 3: "-"}
    for mixer, layers, seed in dict.fromkeys((r["mixer"], r["layers"], r["seed"]) for r in rows):
        chosen = [r for r in rows
                  if (r["mixer"], r["layers"], r["seed"], r["kind"]) == (mixer, layers, seed, "training")]
        first = seed == min(r["seed"] for r in rows if (r["mixer"], r["layers"]) == (mixer, layers))
        axes[0].plot([int(r["step_or_length"]) for r in chosen], [100 * float(r["accuracy"]) for r in chosen],
                     color=runs.COLORS[common.MIXERS[mixer]], linestyle=styles.get(int(layers), "-"), linewidth=1.2,
                     label=f"{common.NAMES[mixer]}, {layers}" if first else None)
    for mixer, layers in dict.fromkeys(key[:2] for key in tests):
        if layers == 3:
            found = [tests[mixer, layers, length] for length in LENGTHS]
            axes[1].errorbar(LENGTHS, [statistics.mean(v) for v in found], [spread(v) for v in found], marker="o",
                             capsize=3, color=runs.COLORS[common.MIXERS[mixer]], label=common.NAMES[mixer])
    axes[0].set(title="accuracy at T = 256, %", xlabel="step", ylim=(0, 101))
    axes[1].set(title="3 layers, tried at other lengths", xlabel="length T", xscale="log")
    axes[1].set_xticks(LENGTHS, LENGTHS)
    axes[0].legend(ncol=2, loc="center right", bbox_to_anchor=(1, 0.52))  # between one layer and more
    axes[1].legend()
    figure.text(0.01, -0.04, common.caption(rows), color="#666666", fontsize=8)
    figure.tight_layout()
    runs.save(figure, "selective_copying")


def main():
    parser = runs.parser(__doc__)
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser.add_argument("--mixers", default="mingru,minlstm,mamba")
    parser.add_argument("--layers", type=numbers, default=[1, 2, 3])
    parser.add_argument("--seeds", type=numbers, default=[1, 2])
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--quick", action="store_true", help="500 steps of 3 layers, one seed; writes nothing")
    parser.add_argument("--collect", action="store_true", help="train nothing")
    parser.add_argument("--folder", type=pathlib.Path, help="of the runs (default: build/paper/selective_copying)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.layers, arguments.seeds, arguments.steps = [3], [1], 500
    name = "quick_copying" if arguments.quick else "selective_copying"
    folder = arguments.folder or runs.BENCH.parent / "build/paper" / name
    folder.mkdir(parents=True, exist_ok=True)
    # Mamba stands beside the others with the depth that they need.
    wanted = [(mixer, layers, seed) for seed in arguments.seeds for layers in sorted(arguments.layers, reverse=True)
              for mixer in arguments.mixers.split(",") if mixer != "mamba" or layers == max(arguments.layers)]
    if not arguments.collect:
        program = runs.find(arguments.build / "selective_copying")
        with concurrent.futures.ThreadPoolExecutor(arguments.threads) as pool:
            for future in [pool.submit(run, program, folder, *one, arguments.steps) for one in wanted]:
                future.result()
    rows = collect(folder, wanted)
    if arguments.quick:
        show(rows)
    elif rows := common.with_earlier("selective_copying", rows, ["mixer", "layers", "seed"]):
        tests = show(rows)
        runs.write_csv("selective_copying", rows)
        plot(rows, tests)


if __name__ == "__main__":
    main()
