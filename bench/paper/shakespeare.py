#!/usr/bin/env python3
"""Learning curves on tiny Shakespeare: validation loss against step and against wall time, all six mixers.

    bench/paper/shakespeare.py --data FILE [--form paper] [--mixers mingru,mamba] [--collect]

The small form has d = 128 and takes ten minutes a mixer. The paper's: 3 layers, d = 384, expansion 2, convolution 4, MLP 4,
dropout 0.2, AdamW 1e-3, clip 0.25, batch 64, context 256; hours. A run that was interrupted goes on where it was; --collect
trains nothing. All curves that are there are shown, whichever were asked for. Writes bench/results/shakespeare_FORM.csv and
.svg.
"""
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
STEPS = {"paper": {"mingru": 800, "minlstm": 800, "mamba": 800, "transformer": 1200, "gru": 800, "lstm": 800}}
PAPER = {"mingru": 1.548, "minlstm": 1.555, "mamba": 1.575, "transformer": 1.547}  # the paper's test losses


def train(program, data, form, mixer, folder):
    """Runs char_lm until it says what it has reached; its output is kept beside its files."""
    report = folder / f"{mixer}.txt"
    if report.exists() and "over the whole" in report.read_text():
        return
    checkpoint = folder / f"{mixer}.safetensors"
    command = [program, "train", "--data", data, "--mixer", mixer, "--checkpoint", checkpoint, "--log",
               folder / f"{mixer}.csv", *FORMS[form]]
    if form in STEPS:
        command += ["--steps", STEPS[form][mixer]]
    if (folder / f"{mixer}.resume.safetensors").exists():
        command.append("--resume")
    print(f"training {mixer}: {report}", flush=True)
    with open(report, "a") as file:
        done = subprocess.run([str(word) for word in command], stdout=file, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{mixer}: char_lm ended with {done.returncode}; see {report}")


def collect(folder, mixers):
    """(rows of all curves, what each mixer reached over the whole validation part)."""
    rows, reached = [], {}
    for mixer in mixers:
        path = folder / f"{mixer}.csv"
        if not path.exists():
            continue
        for row in csv.DictReader(open(path)):
            rows.append({"mixer": mixer, "step": int(row["step"]), "seconds": float(row["seconds"]),
                         "train_loss": round(float(row["train_loss"]), 5),
                         "validation_loss": round(float(row["validation_loss"]), 5)})
        said = re.findall(r"of step (\d+): ([\d.]+) nats/char .* whole", (folder / f"{mixer}.txt").read_text())
        if said:
            reached[mixer] = (int(said[-1][0]), float(said[-1][1]))
    return rows, reached


def show(rows, reached):
    lines = []
    for mixer, (step, loss) in reached.items():
        seconds = [row["seconds"] for row in rows if row["mixer"] == mixer and row["step"] <= step][-1]
        lines.append([common.NAMES[mixer], f"{loss:.4f}", PAPER.get(mixer, ""), step, f"{seconds / 60:.0f}"])
    print(runs.table(["mixer", "nats/char", "paper", "at step", "minutes"], lines))
    return lines


def plot(rows, form, about):
    plt = runs.plots()
    if plt is None:
        return
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.4), sharey=True)
    for mixer in dict.fromkeys(row["mixer"] for row in rows):
        chosen = [row for row in rows if row["mixer"] == mixer]
        style = {"color": runs.COLORS[common.MIXERS[mixer]], "label": common.NAMES[mixer], "linewidth": 1.4}
        loss = [row["validation_loss"] for row in chosen]
        axes[0].plot([row["step"] for row in chosen], loss, **style)
        axes[1].plot([row["seconds"] / 60 for row in chosen], loss, **style)
    lowest = min(row["validation_loss"] for row in rows)
    axes[0].set(title="validation loss, nats per character", xlabel="step", ylim=(lowest - 0.05, lowest + 0.8))
    axes[1].set(title="the same against wall time", xlabel="minutes")
    axes[0].legend()
    figure.text(0.01, -0.04, f"tiny Shakespeare, {form} form; {about['cores']} cores of {about['processor']}, "
                f"{about['date']}", color="#666666", fontsize=8)
    figure.tight_layout()
    runs.save(figure, f"shakespeare_{form}")


def main():
    parser = runs.parser(__doc__)
    parser.add_argument("--data", help="tiny Shakespeare; cmake -P cmake/fetch_tinyshakespeare.cmake fetches it")
    parser.add_argument("--form", choices=FORMS, default="small")
    parser.add_argument("--mixers", default=",".join(common.MIXERS), help="some of " + ", ".join(common.MIXERS))
    parser.add_argument("--collect", action="store_true", help="train nothing")
    parser.add_argument("--folder", type=pathlib.Path, help="of checkpoints and logs (default: build/paper/FORM)")
    arguments = parser.parse_args()
    mixers = arguments.mixers.split(",")
    if unknown := set(mixers) - set(common.MIXERS):
        parser.error(f"--mixers: wanted some of {', '.join(common.MIXERS)}, given {', '.join(unknown)}")
    folder = arguments.folder or runs.BENCH.parent / "build" / "paper" / arguments.form
    folder.mkdir(parents=True, exist_ok=True)
    if not arguments.collect:
        if arguments.data is None or not pathlib.Path(arguments.data).exists():
            parser.error(f"--data: wanted a file, given {arguments.data}")
        program = runs.find(arguments.build.parent / "examples" / "char_lm")
        for mixer in mixers:
            train(program, arguments.data, arguments.form, mixer, folder)
    rows, reached = collect(folder, common.MIXERS)
    if not rows:
        sys.exit(f"{folder}: no curve is there")
    show(rows, reached)
    runs.write_csv(f"shakespeare_{arguments.form}", rows)
    plot(rows, arguments.form, runs.machine())


if __name__ == "__main__":
    main()
