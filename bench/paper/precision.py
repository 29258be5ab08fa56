#!/usr/bin/env python3
"""The error of h in float against double: the published log-space form, our log-space scan and our linear scan.

    bench/paper/precision.py [--build FOLDER]

T = 256 to 2^20, gates from short to long memory, in 15 seconds. Writes bench/results/precision.csv and .svg.
"""
import common  # noqa: F401: finds support
from support import runs

FORMS = {"published": "#c1440e", "log-space": "#6a4c93", "linear": "#0b6e4f"}


def plot(rows):
    plt = runs.plots()
    if plt is None:
        return
    means = list(dict.fromkeys(row["mu"] for row in rows))
    figure, axes = plt.subplots(1, len(means), figsize=(9.6, 2.8), sharey=True)
    for axis, mu in zip(axes, means):
        chosen = [row for row in rows if row["mu"] == mu]
        for form, color in FORMS.items():
            axis.plot([int(row["T"]) for row in chosen], [float(row[form]) for row in chosen], color=color, marker="o",
                      markersize=3.5, label=form)
        axis.axhline(2**-24, color="#888888", linewidth=0.8)
        axis.set(title=f"k ~ N({mu}, 1)", xscale="log", yscale="log", xlabel="length T")
    axes[0].set_ylabel("largest relative error")
    axes[0].legend(loc="upper left")
    figure.text(0.01, -0.06, "grey: half a unit in the last place of a float", color="#666666", fontsize=8)
    figure.tight_layout()
    runs.save(figure, "precision")


def main():
    arguments = runs.parser(__doc__).parse_args()
    text = runs.output_of(arguments.build / "scan_bench", "--precision")
    print(text)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rows = [dict(zip(cells[0], row)) for row in cells[2:]]
    runs.write_csv("precision", rows)
    plot(rows)


if __name__ == "__main__":
    main()
