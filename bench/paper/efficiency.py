#!/usr/bin/env python3
"""The paper's figure on this machine: training step time, speed-up over GRU and LSTM, and memory, against the length T.

    bench/paper/efficiency.py [--build FOLDER] [--threads N] [--quick]

d = 64, batch 64 and batch 1. Prints tables, writes bench/results/efficiency.csv and .svg.
"""
import statistics

import common
from support import runs

LAYERS = ["MinGru", "MinLstm", "Gru", "Lstm", "Mamba", "Attention"]
SIZE = 64
TIMES = [64, 256, 512, 1024, 2048, 4096]


def measure(arguments):
    rounds = 1 if arguments.quick else 3
    times = TIMES[:3] if arguments.quick else TIMES
    rows = []
    for batch in (64, 1):
        for time in times:
            seen = [runs.layer_bench(arguments.build / "layer_bench", LAYERS, (SIZE, batch, time), arguments.threads)
                    for _ in range(rounds)]
            for layer in LAYERS:
                rows.append({"layer": layer, "d": SIZE, "batch": batch, "time": time, "threads": arguments.threads,
                             "ms": round(statistics.median(run[layer]["median_ms"] for run in seen), 4),
                             "peak_mb": round(seen[0][layer].get("peak_bytes", float("nan")) / 1e6, 3)})
            print(f"batch {batch}, T = {time}: " +
                  ", ".join(f"{runs.NAMES[r['layer']]} {r['ms']:.3g} ms" for r in rows[-len(LAYERS):]), flush=True)
    return rows


def show(rows):
    at = {(r["layer"], r["batch"], r["time"]): r for r in rows}
    for batch in (64, 1):
        times = sorted({r["time"] for r in rows if r["batch"] == batch})
        lines = []
        for time in times:
            ms = {layer: at[layer, batch, time]["ms"] for layer in LAYERS}
            lines.append([time, *(f"{ms[layer]:.3g}" for layer in LAYERS), f"{ms['Gru'] / ms['MinGru']:.1f}x",
                          f"{ms['Lstm'] / ms['MinLstm']:.1f}x",
                          *(f"{at[layer, batch, time]['peak_mb']:.0f}" for layer in LAYERS)])
        print(f"\nbatch {batch}: milliseconds a training step, speed-up, megabytes\n")
        print(runs.table(["T", *(runs.NAMES[x] for x in LAYERS), "GRU/minGRU", "LSTM/minLSTM",
                          *(runs.NAMES[x] + " MB" for x in LAYERS)], lines))


def plot(rows):
    plt = runs.plots()
    if plt is None:
        return
    figure, axes = plt.subplots(2, 3, figsize=(10, 5.6), sharex=True)
    for row, batch in zip(axes, (64, 1)):
        series = {layer: sorted((r["time"], r["ms"], r["peak_mb"]) for r in rows
                                if r["layer"] == layer and r["batch"] == batch) for layer in LAYERS}
        for layer, points in series.items():
            style = {"color": runs.COLORS[layer], "marker": "o", "markersize": 3.5, "label": runs.NAMES[layer]}
            row[0].plot([p[0] for p in points], [p[1] for p in points], **style)
            row[2].plot([p[0] for p in points], [p[2] for p in points], **style)
        for slow, fast in (("Gru", "MinGru"), ("Lstm", "MinLstm")):
            row[1].plot([p[0] for p in series[slow]], [a[1] / b[1] for a, b in zip(series[slow], series[fast])],
                        color=runs.COLORS[fast], marker="o", markersize=3.5,
                        label=f"{runs.NAMES[fast]} over {runs.NAMES[slow]}")
        row[0].set(title=f"batch {batch}: training step, ms", yscale="log")
        row[1].set(title="speed-up", ylim=(0, None))
        row[2].set(title="memory of a step, MB", yscale="log")
        row[1].axhline(1, color="#888888", linewidth=0.8)
    for axis in axes.flat:
        axis.set_xscale("log", base=2)
        axis.set_xticks(sorted({r["time"] for r in rows}))
        axis.get_xaxis().set_major_formatter(plt.ScalarFormatter())
    for axis in axes[1]:
        axis.set_xlabel("length T")
    axes[0, 0].legend(ncol=2, fontsize=7, columnspacing=1, handlelength=1)
    axes[0, 1].legend(loc="lower right")
    figure.text(0.01, -0.02, f"d = {SIZE}, {rows[0]['threads']} threads, float; {common.caption(rows)}",
                color="#666666", fontsize=8)
    figure.tight_layout()
    runs.save(figure, "efficiency")


def main():
    parser = runs.parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of the short lengths; writes nothing")
    arguments = parser.parse_args()
    rows = measure(arguments)
    show(rows)
    if not arguments.quick:
        measured_on = common.measured_on(runs.machine())
        rows = [{**row, "measured_on": measured_on} for row in rows]
        runs.write_csv("efficiency", rows)
        plot(rows)


if __name__ == "__main__":
    main()
