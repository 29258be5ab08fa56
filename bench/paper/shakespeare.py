#!/usr/bin/env python3
"""Learning curves on tiny Shakespeare: validation loss against step and against wall time, of all mixers.

    bench/paper/shakespeare.py --data FILE [--form paper] [--mixers mingru,mamba] [--collect]

The small form has d = 128 and takes ten minutes of one core a mixer; as many run side by side as there are threads. The
paper's is for six of them: 3 layers, d = 384, expansion 2, convolution 4, MLP 4, dropout 0.2, AdamW 1e-3, clip 0.25,
batch 64, context 256; hours. A run that was interrupted goes on where it was; --collect trains nothing. Writes
bench/results/shakespeare_FORM.csv and .svg; curves that stand there stay until a run replaces them.
"""
import concurrent.futures
import csv
import pathlib
import re
import subprocess
import sys

import common
from support import runs

FORMS = {
    "small": ["--dim", 128, "--minutes", 10, "--dropout", 0.1, "--evaluate-every", 100],
    "paper": ["--dim", 384, "--dropout", 0.2, "--batch", 64, "--context", 256, "--learning-rate", 1e-3, "--clip", 0.25,
              "--evaluate-every", 25, "--save-every", 25],
}
STEPS = {"paper": {"mingru": 800, "minlstm": 800, "mamba": 800, "transformer": 1200, "gru": 500, "lstm": 500}}
PAPER = {"mingru": 1.548, "minlstm": 1.555, "mamba": 1.575, "transformer": 1.547}  # the paper's test losses


def train(program, data, form, mixer, folder, threads):
    """Runs char_lm until it says what it has reached; its output is kept beside its files."""
    report = folder / f"{mixer}.txt"
    if report.exists() and "over the whole" in report.read_text():
        return
    checkpoint = folder / f"{mixer}.safetensors"
    command = [program, "train", "--data", data, "--mixer", mixer, "--checkpoint", checkpoint, "--log",
               folder / f"{mixer}.csv", "--threads", threads, *FORMS[form]]
    if form in STEPS:
        command += ["--steps", STEPS[form][mixer]]
    if (folder / f"{mixer}.resume.safetensors").exists():
        command.append("--resume")
    print(f"training {mixer}: {report}", flush=True)
    with open(report, "a") as file:
        done = subprocess.run([str(word) for word in command], stdout=file, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{mixer}: char_lm ended with {done.returncode}; see {report}")


def collect(folder):
    """The curves of all runs in a folder. The row of the best weights has the loss over the whole validation part."""
    rows, measured_on = [], common.measured_on(runs.machine())
    for mixer in common.MIXERS:
        path = folder / f"{mixer}.csv"
        if not path.exists():
            continue
        said = re.findall(r"of step (\d+): ([\d.]+) nats/char .* whole", (folder / f"{mixer}.txt").read_text())
        whole = {int(step): loss for step, loss in said[-1:]}
        for row in csv.DictReader(open(path)):
            rows.append({"mixer": mixer, "step": row["step"], "seconds": row["seconds"],
                         "train_loss": f"{float(row['train_loss']):.5f}",
                         "validation_loss": f"{float(row['validation_loss']):.5f}",
                         "whole_validation_loss": whole.get(int(row["step"]), ""), "measured_on": measured_on})
    return rows


def show(rows, form):
    steps = {row["mixer"]: row["step"] for row in rows}
    paper = PAPER if form == "paper" else {}  # of that size alone
    print(runs.table(["mixer", "nats/char", "paper", "at step", "of", "minutes"],
                     [[common.NAMES[row["mixer"]], row["whole_validation_loss"], paper.get(row["mixer"], "-"),
                       row["step"], steps[row["mixer"]], f"{float(row['seconds']) / 60:.0f}"]
                      for row in rows if row["whole_validation_loss"]]))


def plot(rows, form):
    plt = runs.plots()
    if plt is None:
        return
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.4), sharey=True)
    for mixer in dict.fromkeys(row["mixer"] for row in rows):
        chosen = [row for row in rows if row["mixer"] == mixer]
        style = {"color": runs.COLORS[common.MIXERS[mixer]], "label": common.NAMES[mixer], "linewidth": 1.4}
        loss = [float(row["validation_loss"]) for row in chosen]
        axes[0].plot([int(row["step"]) for row in chosen], loss, **style)
        axes[1].plot([float(row["seconds"]) / 60 for row in chosen], loss, **style)
    lowest = min(float(row["validation_loss"]) for row in rows)
    axes[0].set(title="validation loss, nats per character", xlabel="step", ylim=(lowest - 0.05, lowest + 0.8))
    axes[1].set(title="the same against wall time", xlabel="minutes")
    axes[0].legend()
    figure.text(0.01, -0.04, f"tiny Shakespeare, {form} form; {common.caption(rows)}", color="#666666", fontsize=8)
    figure.tight_layout()
    runs.save(figure, f"shakespeare_{form}")


def main():
    parser = runs.parser(__doc__)
    parser.add_argument("--data", help="tiny Shakespeare; cmake -P cmake/fetch_tinyshakespeare.cmake fetches it")
    parser.add_argument("--form", choices=FORMS, default="small")
    parser.add_argument("--mixers", help="some of " + ", ".join(common.MIXERS) + " (default: all)")
    parser.add_argument("--collect", action="store_true", help="train nothing")
    parser.add_argument("--folder", type=pathlib.Path, help="of checkpoints and logs (default: build/paper/FORM)")
    arguments = parser.parse_args()
    known = STEPS.get(arguments.form, common.MIXERS)
    mixers = arguments.mixers.split(",") if arguments.mixers else list(known)
    if unknown := set(mixers) - set(known):
        parser.error(f"--mixers: wanted some of {', '.join(known)}, given {', '.join(unknown)}")
    folder = arguments.folder or runs.BENCH.parent / "build" / "paper" / arguments.form
    folder.mkdir(parents=True, exist_ok=True)
    if not arguments.collect:
        if arguments.data is None or not pathlib.Path(arguments.data).exists():
            parser.error(f"--data: wanted a file, given {arguments.data}")
        program = runs.find(arguments.build.parent / "examples" / "char_lm")
        side_by_side = arguments.threads if arguments.form == "small" else 1
        with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
            for future in [pool.submit(train, program, arguments.data, arguments.form, mixer, folder,
                                       arguments.threads // side_by_side) for mixer in mixers]:
                future.result()
    name = f"shakespeare_{arguments.form}"
    rows = common.with_earlier(name, collect(folder), ["mixer"])
    if not rows:
        sys.exit(f"{folder}: no curve is there")
    show(rows, arguments.form)
    runs.write_csv(name, rows)
    plot(rows, arguments.form)


if __name__ == "__main__":
    main()
