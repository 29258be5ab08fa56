#!/usr/bin/env python3
"""Fashion-MNIST as sequences: 784 frames of one pixel, or 28 frames of a row of 28; accuracy against minutes.

    bench/paper/pixels.py [--data FOLDER] [--read pixels,rows] [--mixers mingru,lstm] [--minutes 20] [--collect]

Each mixer trains for the same minutes of one core; as many run side by side as there are threads. The folder holds the
four idx files, compressed or not; Debian's package dataset-fashion-mnist has them. What was interrupted goes on where
it was, and what is there already is not made again; --collect trains nothing. Writes bench/results/pixels.csv and .svg;
curves that stand there stay until a run replaces them.
"""
import concurrent.futures
import csv
import gzip
import pathlib
import re
import shutil
import subprocess
import sys

import common
from support import runs

DEBIAN = "/usr/share/datasets/fashion-mnist"
FORMS = {  # of both: two blocks
    "pixels": ["--dim", 32, "--kernel", 16, "--pool", "max", "--batch", 16, "--learning-rate", 4e-3,
               "--validation", 0.02, "--evaluate-every", 300],
    "rows": ["--dim", 64, "--batch", 32, "--learning-rate", 3e-3, "--dropout", 0.1, "--validation", 0.05,
             "--evaluate-every", 1000],
}
OWN_FORMS = {("pixels", "diagonal-gru"): ["--memory", 400]}
MINUTES = {"pixels": 20, "rows": 3.3}
TITLES = {"pixels": "784 frames of a pixel", "rows": "28 frames of a row"}


def unpacked(data, folder):
    """The images and labels to train on and to test with, as files that are not compressed."""
    files = []
    for name in [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]:
        path, compressed = data / name, data / f"{name}.gz"
        if not path.exists() and compressed.exists():
            path = folder / name
            if not path.exists():
                with gzip.open(compressed) as source, open(path.with_suffix(".part"), "wb") as target:
                    shutil.copyfileobj(source, target)
                path.with_suffix(".part").rename(path)
        if not path.exists():
            print(f"skipped: {data} has no {name}: wanted Fashion-MNIST (Debian: dataset-fashion-mnist; else --data)")
            sys.exit(0)
        files.append(path)
    return files


def train(program, files, read, mixer, minutes, folder):
    """Trains, and writes beside the checkpoint what the test images say of it. Whether that went well."""
    report, checkpoint = folder / f"{read}_{mixer}.txt", folder / f"{read}_{mixer}.safetensors"
    if report.exists() and "accuracy" in report.read_text():
        return True
    command = [program, "train", "--images", files[0], "--labels", files[1], "--read", read, "--mixer", mixer,
               "--checkpoint", checkpoint, "--log", folder / f"{read}_{mixer}.csv", "--minutes", minutes,
               "--threads", 1, *FORMS[read], *OWN_FORMS.get((read, mixer), [])]
    if checkpoint.with_suffix(".resume.safetensors").exists():
        command.append("--resume")
    print(f"training {mixer} on {read}: {checkpoint}", flush=True)
    common.note_machine(report)
    words = [str(word) for word in command]
    with open(folder / f"{read}_{mixer}.log", "a") as log:
        if subprocess.run(words, stdout=log, stderr=subprocess.STDOUT).returncode != 0:
            print(f"{mixer} on {read}: sequence_tool has failed; see {log.name}")
            return False
    report.write_text(runs.output_of(program, "evaluate", "--checkpoint", checkpoint, "--images", files[2], "--labels",
                                     files[3], "--threads", 1))
    return True


def collect(folder):
    """The curves of all runs in a folder. The last row of each has the accuracy on the test images."""
    rows = []
    for read in FORMS:
        for mixer in common.MIXERS:
            report = folder / f"{read}_{mixer}.txt"
            if not report.exists():
                continue
            test = re.search(r"accuracy ([\d.]+) %", report.read_text())[1]
            curve = list(csv.DictReader(open(folder / f"{read}_{mixer}.csv")))
            rows += [{"read": read, "mixer": mixer, "step": row["step"], "minutes": f"{float(row['seconds']) / 60:.2f}",
                      "validation_accuracy": f"{100 * float(row['accuracy']):.2f}",
                      "test_accuracy": test if row is curve[-1] else "", "measured_on": common.machine_of(report)}
                     for row in curve]
    return rows


def show(rows):
    for read, title in TITLES.items():
        lines = [[common.NAMES[row["mixer"]], row["test_accuracy"], row["minutes"], row["step"]] for row in rows
                 if row["read"] == read and row["test_accuracy"]]
        if lines:
            print(f"\n{title}\n")
            print(runs.table(["mixer", "10 000 test images, %", "minutes", "steps"], lines))


def plot(rows):
    plt = runs.plots()
    if plt is None:
        return
    figure, axes = plt.subplots(1, len(TITLES), figsize=(9.6, 3.4))
    for axis, (read, title) in zip(axes, TITLES.items()):
        for mixer in dict.fromkeys(row["mixer"] for row in rows if row["read"] == read):
            curve = [row for row in rows if row["read"] == read and row["mixer"] == mixer]
            axis.plot([float(row["minutes"]) for row in curve], [float(row["validation_accuracy"]) for row in curve],
                      color=runs.COLORS[common.MIXERS[mixer]], label=common.NAMES[mixer], linewidth=1.3)
        axis.set(title=title, xlabel="minutes of one core", ylim=(60, 95))
        axis.legend(loc="lower right")
    axes[0].set_ylabel("validation accuracy, %")
    figure.text(0.01, -0.03, "Fashion-MNIST; " + common.caption(rows), color="#666666", fontsize=8)
    figure.tight_layout()
    runs.save(figure, "pixels")


def main():
    parser = runs.parser(__doc__)
    some_of = lambda known: lambda text: [word for word in text.split(",") if known.index(word) >= 0]
    parser.add_argument("--data", type=pathlib.Path, default=DEBIAN, help=f"Fashion-MNIST (default: {DEBIAN})")
    parser.add_argument("--read", type=some_of(list(FORMS)), default=list(FORMS), help=", ".join(FORMS))
    parser.add_argument("--mixers", type=some_of(list(common.MIXERS)),
                        default=["mingru", "signed-mingru", "diagonal-gru", "gru", "lstm"],
                        help="some of " + ", ".join(common.MIXERS))
    parser.add_argument("--minutes", type=float, help="of each run (default: 20 for pixels, 3.3 for rows)")
    parser.add_argument("--collect", action="store_true", help="train nothing")
    parser.add_argument("--folder", type=pathlib.Path, help="of the runs (default: build/paper/pixels)")
    arguments = parser.parse_args()
    folder = arguments.folder or runs.BENCH.parent / "build/paper/pixels"
    folder.mkdir(parents=True, exist_ok=True)
    failed = False
    if not arguments.collect:
        files = unpacked(pathlib.Path(arguments.data), folder)
        program = runs.find(arguments.build.parent / "examples" / "sequence_tool")
        for read in arguments.read:
            with concurrent.futures.ThreadPoolExecutor(arguments.threads) as pool:
                went_well = [pool.submit(train, program, files, read, mixer, arguments.minutes or MINUTES[read], folder)
                             for mixer in arguments.mixers]
            failed |= not all(future.result() for future in went_well)
    rows = common.with_earlier("pixels", collect(folder), ["read", "mixer"])
    if not rows:
        sys.exit(f"{folder}: no run is there")
    rows.sort(key=lambda row: list(FORMS).index(row["read"]))
    show(rows)
    runs.write_csv("pixels", rows)
    plot(rows)
    if failed:
        sys.exit("a training has failed: see above")


if __name__ == "__main__":
    main()
