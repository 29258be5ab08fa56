#!/usr/bin/env python3
"""Parameters of minGRU against GRU and of minLSTM against LSTM for alpha = features / inputs = 1 to 4.

    bench/paper/parameters.py [--build FOLDER]

Counted from the layers themselves, in a second. Prints a table, writes bench/results/parameters.csv and .svg.
"""
import csv
import io

import common  # noqa: F401: finds support
from support import runs

PAPER = {"minGRU/GRU": [33, 22, 17, 13], "minLSTM/LSTM": [38, 25, 19, 15]}


def plot(rows):
    plt = runs.plots()
    if plt is None:
        return
    figure, axis = plt.subplots(figsize=(4.2, 2.8))
    for pair, color, below in zip(PAPER, (runs.COLORS["MinGru"], runs.COLORS["MinLstm"]), (-11, 5)):
        chosen = [row for row in rows if row["layers"] == pair]
        axis.plot([int(row["alpha"]) for row in chosen], [100 * float(row["ratio"]) for row in chosen], color=color,
                  marker="o", label=pair)
        for row in chosen:
            percent = 100 * float(row["ratio"])
            axis.annotate(f"{percent:.0f}", (int(row["alpha"]), percent), (0, below),
                          textcoords="offset points", ha="center", fontsize=8)
    axis.set(title="weights, % of the classic layer", xlabel="alpha = features / inputs", ylim=(0, 45),
             xticks=[1, 2, 3, 4])
    axis.legend()
    runs.save(figure, "parameters")


def main():
    arguments = runs.parser(__doc__).parse_args()
    rows = list(csv.DictReader(io.StringIO(runs.output_of(arguments.build / "parameter_counts"))))
    print(runs.table(["layers", "alpha", "weights", "classic weights", "%", "paper %", "% with biases"],
                     [[row["layers"], row["alpha"], row["weights"], row["classic_weights"],
                       f"{100 * float(row['ratio']):.1f}", PAPER[row["layers"]][int(row["alpha"]) - 1],
                       f"{100 * float(row['parameter_ratio']):.1f}"] for row in rows]))
    runs.write_csv("parameters", rows)
    plot(rows)


if __name__ == "__main__":
    main()
