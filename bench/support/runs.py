"""What the benchmark scripts share: running the C++ benchmarks, naming the machine, writing results and plots."""
import argparse
import csv
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent.parent
RESULTS = BENCH / "results"
COLORS = {"MinGru": "#0b6e4f", "MinLstm": "#6bbf59", "Gru": "#c1440e", "Lstm": "#e6a05c", "Mamba": "#6a4c93",
          "Attention": "#1f78b4", "SelectiveScan": "#b295c7", "SignedMinGru": "#00a3a3", "SignedMinLstm": "#85d3d3",
          "DiagonalGru": "#d6336c", "DiagonalLstm": "#f3a0bd", "RgLru": "#8a6d00",
          "HighwayMinGru": "#2f9e44"}
NAMES = {"MinGru": "minGRU", "MinLstm": "minLSTM", "Gru": "GRU", "Lstm": "LSTM", "Mamba": "Mamba",
         "Attention": "attention", "SelectiveScan": "selective scan"}
context = {}  # what the benchmarks say of their compiler


def parser(description):
    """The arguments that all scripts have."""
    result = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--build", type=find, default="build/release/bench", help="where the benchmarks lie")
    result.add_argument("--threads", type=int, default=2)
    return result


def output_of(*command):
    """What a program prints; ends the script where it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def rows_of(path, pattern, *flags):
    """One run of a benchmark program: the counters of each row, by layer."""
    result = json.loads(output_of(path, f"--benchmark_filter={pattern}", "--benchmark_format=json", *flags))
    context.update({key: result["context"][key] for key in ("compiler", "instructions") if key in result["context"]})
    return {row["name"].split("/")[0]: row for row in result["benchmarks"]}


def layer_bench(path, names, shape, threads):
    """One run of layer_bench for some layers of one shape (d, B, T)."""
    return rows_of(path, pattern_of("|".join(names), shape, threads), "--full")


def pattern_of(names, shape, threads):
    return "^({})/d:{}/B:{}/T:{}/threads:{}/".format(names, *shape, threads)


def find(path):
    if not pathlib.Path(path).exists():
        sys.exit(f"{path}: is missing; build it: cmake --preset release && cmake --build --preset release")
    return pathlib.Path(path).resolve()


def machine():
    """Processor, compiler and date, as they stand in every result; the compiler once a benchmark has run."""
    processor = platform.processor() or platform.machine()
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                processor = line.split(":")[1].strip()
                break
    except OSError:
        pass
    return {"processor": processor, "cores": os.cpu_count(), "date": datetime.date.today().isoformat()} | context


def write(name, result):
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nwrote {path}")


def write_csv(name, rows):
    """A list of dictionaries with the same keys."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"\nwrote {path}")


def plots():
    """matplotlib.pyplot, set up for plots that stand in a page; None, with a message, where it is not installed."""
    try:
        import matplotlib
    except ImportError:
        print("no plot: matplotlib is not installed (Debian: python3-matplotlib)")
        return None
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "minrnn", "font.family": "sans-serif", "font.size": 9,
                         "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
                         "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.axisbelow": True,
                         "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
                         "legend.frameon": False, "figure.facecolor": "white"})
    return plt


def save(figure, name):
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    print(f"wrote {path}")


def table(head, rows):
    """In Markdown, aligned to the right."""
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.rjust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|")
    return "\n".join(lines)
