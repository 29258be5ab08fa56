#!/usr/bin/env python3
"""A distortion pedal captured by examples/amp: the error held out against the time that a sample takes, by mixer.

    bench/amp.py [--minutes 2] [--models mingru:32:2,gru:16:1] [--collect] [--quick]

Each model, mixer:size:layers, trains for the same minutes on one core, one after the other, on the pair that the
circuit solver makes; twenty-five minutes in all. Then each is timed for two seconds in blocks of 64 samples, where
nothing else should run. --quick trains three of them for a fifth of a minute and writes nothing. A run that is there
already is not made again; --collect makes none, and times them. Writes bench/results/amp.csv and .svg.
"""
import math
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "paper"))
import common
from support import runs

MODELS = ["mingru:16:2", "mingru:32:2", "signed-mingru:16:2", "signed-mingru:32:2", "diagonal-gru:16:1",
          "diagonal-gru:16:2", "diagonal-gru:32:2", "gru:8:1", "gru:16:1", "lstm:8:1", "lstm:16:1"]
QUICK = ["mingru:16:2", "diagonal-gru:16:1", "gru:16:1"]
RATE = 48000
BUDGET = 1e9 / RATE / 100  # ns a sample, of one hundredth of a core


def path_of(folder, model):
    return folder / f"{model.replace(':', '_')}.safetensors"


def esr_of(path):
    """What the training has said of the stretch that it held out; nothing where it is not finished."""
    found = re.search(r"ESR ([0-9.e-]+) \(.*held out", path.read_text()) if path.exists() else None
    return float(found.group(1)) if found else None


def train(program, folder, model, arguments):
    path = path_of(folder, model)
    log = path.with_suffix(".txt")
    if esr_of(log) is not None:
        return
    mixer, size, layers = model.split(":")
    print(f"training {model}: {log}", flush=True)
    with open(log, "w") as file:
        subprocess.run([program, "train", "--input", folder / "dry.wav", "--output", folder / "wet.wav",
                        "--mixer", mixer, "--size", size, "--layers", layers,
                        "--minutes", str(arguments.minutes), "--threads", str(arguments.threads),
                        "--checkpoint", path, "--overwrite"], stdout=file, check=True)


def collect(program, folder, models, minutes):
    rows, measured_on = [], common.measured_on(runs.machine())
    for model in models:
        path = path_of(folder, model)
        esr = esr_of(path.with_suffix(".txt"))
        if esr is None:
            continue
        said = runs.output_of(program, "bench", "--model", path, "--seconds", 2)
        number = lambda pattern: float(re.search(pattern, said).group(1))
        parameters = re.search(r"(\d+) parameters", path.with_suffix(".txt").read_text()).group(1)
        mixer, size, layers = model.split(":")
        rows.append({"mixer": mixer, "size": size, "layers": layers, "minutes": minutes, "parameters": parameters,
                     "esr": esr, "ns_per_sample": number(r"([0-9.]+) ns a sample"),
                     "block_p99.9_us": number(r"p99\.9 ([0-9.]+) us"),
                     "allocations": int(number(r"(\d+) allocations")), "measured_on": measured_on})
    return rows


def show(rows):
    print(runs.table(["model", "parameters", "ESR", "dB", "ns a sample", "% of a core", "p99.9 of 64, us"],
                     [[f"{common.NAMES[r['mixer']]}, {r['layers']} x {r['size']}", r["parameters"],
                       f"{float(r['esr']):.5f}", f"{10 * math.log10(float(r['esr'])):.1f}",
                       f"{float(r['ns_per_sample']):.0f}", f"{float(r['ns_per_sample']) * RATE * 1e-7:.2f}",
                       f"{float(r['block_p99.9_us']):.1f}"] for r in rows]))


def plot(rows):
    plt = runs.plots()
    if plt is None:
        return
    figure, axis = plt.subplots(figsize=(7.2, 4))
    for mixer in dict.fromkeys(row["mixer"] for row in rows):
        found = sorted((float(r["ns_per_sample"]), float(r["esr"]), f"{r['layers']} x {r['size']}") for r in rows
                       if r["mixer"] == mixer)
        axis.plot([f[0] for f in found], [f[1] for f in found], marker="o", markersize=5, linewidth=1,
                  color=runs.COLORS[common.MIXERS[mixer]], label=common.NAMES[mixer])
        for ns, esr, name in found:
            axis.annotate(name, (ns, esr), xytext=(4, 4), textcoords="offset points", fontsize=7, color="#444444")
    axis.axvline(BUDGET, color="#999999", linewidth=0.8, linestyle=":")
    axis.axhline(0.01, color="#999999", linewidth=0.8, linestyle=":")
    axis.set(title="error to signal, held out", xlabel="ns a sample; dotted: 1 % of a core at 48 kHz", xscale="log",
             yscale="log")
    axis.get_xaxis().set_major_formatter(plt.ScalarFormatter())
    axis.get_xaxis().set_minor_formatter(plt.NullFormatter())
    axis.set_xticks([20, 50, 100, 200, 500])
    axis.legend()
    figure.text(0.01, -0.03, f"{rows[0]['minutes']} minutes of one core each; {common.caption(rows)}", color="#666666",
                fontsize=8)
    figure.tight_layout()
    runs.save(figure, "amp")


def main():
    parser = runs.parser(__doc__)
    parser.set_defaults(build="build/release/examples", threads=1)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--models", type=lambda text: text.split(","), default=MODELS, help=", ".join(MODELS))
    parser.add_argument("--quick", action="store_true", help="three models, a fifth of a minute; writes nothing")
    parser.add_argument("--collect", action="store_true", help="train nothing")
    parser.add_argument("--folder", type=pathlib.Path, help="of the runs (default: build/amp)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.models, arguments.minutes = QUICK, 0.2
    folder = arguments.folder or runs.BENCH.parent / ("build/quick_amp" if arguments.quick else "build/amp")
    folder.mkdir(parents=True, exist_ok=True)
    program = runs.find(pathlib.Path(arguments.build) / "amp")
    if not arguments.collect:
        runs.output_of(program, "circuit", "--output-dry", folder / "dry.wav", "--output-wet", folder / "wet.wav",
                       "--overwrite")
        for model in arguments.models:
            train(program, folder, model, arguments)
    rows = collect(program, folder, arguments.models, arguments.minutes)
    if rows:
        show(rows)
    if rows and not arguments.quick:
        runs.write_csv("amp", rows)
        plot(rows)


if __name__ == "__main__":
    main()
