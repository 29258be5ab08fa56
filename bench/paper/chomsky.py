#!/usr/bin/env python3
"""Regular languages: what a recurrence can keep in its state, trained on up to 40 symbols, tried on 40 to 256.

    bench/paper/chomsky.py [--quick] [--tasks parity] [--mixers mingru,gru] [--layers 1,2] [--seeds 1,2,3] [--collect]

Parity, even pairs, cycle navigation and modular arithmetic without brackets, one answer after the last symbol; d = 64,
batch 128, lengths that grow at the beginning of a training. A run takes half a minute to ten minutes of one core, all
of them a day; as many run side by side as there are threads. --quick is one layer and one seed of four mixers on the
first two tasks, and writes nothing. A run that is there already is not made again; --collect makes none. Writes
bench/results/chomsky.csv and .svg; runs that stand there stay until a run replaces them.
"""
import concurrent.futures
import csv
import pathlib
import statistics
import subprocess

import common
from support import runs

TASKS = {"parity": "parity", "even_pairs": "even pairs", "cycle_navigation": "cycle navigation",
         "modular_arithmetic": "modular arithmetic"}
CHANCE = {"parity": 50, "even_pairs": 50, "cycle_navigation": 20, "modular_arithmetic": 20}
# A convolution where a symbol means something with those before it. The two that are learnt at once see long sequences
# almost from the beginning, which is what makes them hold beyond 40. The other two are taught after each symbol, and
# places on a circle by some walks, too, that go round it more often than fair ones do.
FORMS = {"parity": ["--steps", 1500, "--kernel", 1, "--growth", 0.05],
         "even_pairs": ["--steps", 1500, "--kernel", 4, "--growth", 0.05],
         "cycle_navigation": ["--steps", 8000, "--kernel", 1, "--growth", 0.3, "--learning-rate", 3e-3,
                              "--final-rate", 0.01, "--weight-decay", 0.1, "--every-answer", "--loaded", 0.3,
                              "--evaluate-every", 1000],
         "modular_arithmetic": ["--steps", 6000, "--kernel", 4, "--growth", 0.3, "--learning-rate", 3e-3,
                                "--final-rate", 0.01, "--every-answer", "--evaluate-every", 1000]}
# One layer that counts needs a long memory.
OWN_FORMS = {("cycle_navigation", mixer, 1): ["--memory", 60000] for mixer in ("diagonal-gru", "diagonal-lstm")}
LENGTHS = [40, 64, 128, 256]
# Accuracy at 40 to 256 in %, one column a task.
PUBLISHED = {
    "LSTM [1]": (100, 100, None, 99.9), "Mamba [1]": (54, 100, 48, 33), "real signed diagonal [1]": (100, 100, 70, 21),
    "Gated DeltaProduct [-1, 1] [1]": (98, 100, 46, 78), "PD-SSM [1]": (99.9, 99.7, 99.5, 96),
    "ParaLSTM, one layer [2]": (None, None, 95, 94), "ParaGRU, one layer [2]": (None, None, 90, 63),
    "Mamba-2, one layer [2]": (None, None, 57, 44), "GRU and LSTM, one layer [2]": (None, None, 100, 100),
}
SOURCES = "[1] Walker et al. 2025, mean of five; [2] ParaRNN, arXiv:2510.21450, table 1"


def read(path):
    """The rows of a run, none where it is not finished."""
    rows = list(csv.DictReader(open(path))) if path.exists() else []
    return rows if rows and rows[-1]["kind"] == "test_all" else []


def path_of(folder, task, mixer, layers, seed):
    return folder / f"{task}_{mixer}_{layers}_{seed}.csv"


def run(program, folder, task, mixer, layers, seed):
    path = path_of(folder, task, mixer, layers, seed)
    if read(path):
        return
    command = [program, "--task", task, "--mixer", mixer, "--layers", layers, "--seed", seed, *FORMS[task],
               *OWN_FORMS.get((task, mixer, layers), []),
               "--test-lengths", ",".join(map(str, LENGTHS))]
    print(f"training {mixer} on {TASKS[task]}, layers {layers}, seed {seed}: {path}", flush=True)
    common.note_machine(path)
    with open(path, "w") as file:
        subprocess.run([str(word) for word in command], stdout=file, check=True)


def collect(folder, wanted):
    rows = []
    for task, mixer, layers, seed in wanted:
        path = path_of(folder, task, mixer, layers, seed)
        rows += [{"task": task, "mixer": mixer, "layers": layers, "seed": seed,
                  **{key: row[key] for key in ("kind", "step_or_length", "loss", "accuracy")},
                  "measured_on": common.machine_of(path)} for row in read(path)]
    return rows


def tests_of(rows):
    """The accuracies in % of each run, by task, mixer and layers: one dictionary from length, or "all", a seed."""
    runs_of = {}
    for row in rows:
        if row["kind"].startswith("test"):
            key = row["task"], row["mixer"], int(row["layers"])
            length = int(row["step_or_length"]) if row["kind"] == "test" else "all"
            runs_of.setdefault(key, {}).setdefault(row["seed"], {})[length] = 100 * float(row["accuracy"])
    return {key: list(seeds.values()) for key, seeds in runs_of.items()}


def best(found):
    return max(found, key=lambda accuracies: accuracies["all"])


def show(tests):
    for number, (task, title) in enumerate(TASKS.items()):
        lines = [[f"{common.NAMES[mixer]}, {layers}", len(found), *(f"{best(found)[n]:.1f}" for n in LENGTHS),
                  f"{best(found)['all']:.1f}", f"{statistics.mean(one['all'] for one in found):.1f}"]
                 for (of, mixer, layers), found in tests.items() if of == task]
        if not lines:
            continue
        lines += [[name, "", *[""] * len(LENGTHS), "", row[number]] for name, row in PUBLISHED.items()
                  if row[number] is not None]
        print(f"\n{title}, %; {CHANCE[task]} by chance\n")
        head = ["mixer, layers", "seeds", *(f"best at {n}" for n in LENGTHS), "at 40 to 256", "mean of seeds"]
        print(runs.table(head, lines))
    print(f"\n{SOURCES}")


def plot(rows, tests):
    plt = runs.plots()
    if plt is None:
        return
    tasks = [task for task in TASKS if any(of == task for of, _, _ in tests)]
    figure, axes = plt.subplots(1, len(tasks), figsize=(1.5 + 2.6 * len(tasks), 3.6), sharey=True, squeeze=False)
    axes = axes[0]
    for axis, task in zip(axes, tasks):
        for (of, mixer, layers), found in tests.items():
            if of == task:
                axis.plot(LENGTHS, [best(found)[n] for n in LENGTHS], marker="o", markersize=3, linewidth=1.3,
                          linestyle="-" if layers == 1 else "--", color=runs.COLORS[common.MIXERS[mixer]],
                          label=common.NAMES[mixer] if layers == 1 else None)
        axis.axhline(CHANCE[task], color="#999999", linewidth=0.8, linestyle=":")
        axis.set(title=TASKS[task], xlabel="length", xscale="log", ylim=(0, 103))
        axis.set_xlim(36, 284)
        axis.set_xticks(LENGTHS, LENGTHS)
        axis.minorticks_off()
    axes[0].set_ylabel("accuracy of the best seed, %")
    named = {}
    for axis in axes:
        named.update({label: line for line, label in zip(*axis.get_legend_handles_labels())})
    figure.tight_layout(rect=(0, 0.2, 1, 1))
    figure.legend(named.values(), named, ncol=2 * len(tasks), loc="upper center", bbox_to_anchor=(0.5, 0.2), fontsize=8)
    figure.text(0.01, -0.01, common.caption(rows) + ("; dashed: two layers" if any(k[2] == 2 for k in tests) else ""),
                color="#666666", fontsize=8)
    runs.save(figure, "chomsky")


def main():
    parser = runs.parser(__doc__)
    words = lambda known: lambda text: [word for word in text.split(",") if known.index(word) >= 0]
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser.add_argument("--tasks", type=words(list(TASKS)), default=list(TASKS), help=", ".join(TASKS))
    parser.add_argument("--mixers", type=words(list(common.MIXERS)), default=list(common.MIXERS),
                        help=", ".join(common.MIXERS))
    parser.add_argument("--layers", type=numbers, default=[1, 2])
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3])
    parser.add_argument("--quick", action="store_true", help="one layer, one seed, four mixers, two tasks")
    parser.add_argument("--collect", action="store_true", help="train nothing")
    parser.add_argument("--folder", type=pathlib.Path, help="of the runs (default: build/paper/chomsky)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.layers, arguments.seeds, arguments.tasks = [1], [1], list(TASKS)[:2]
        arguments.mixers = ["mingru", "signed-mingru", "diagonal-gru", "gru"]
    folder = arguments.folder or runs.BENCH.parent / "build/paper/chomsky"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(task, mixer, layers, seed) for layers in arguments.layers for seed in arguments.seeds
              for task in arguments.tasks for mixer in arguments.mixers]
    if not arguments.collect:
        program = runs.find(arguments.build / "regular_languages")
        with concurrent.futures.ThreadPoolExecutor(arguments.threads) as pool:
            for future in [pool.submit(run, program, folder, *one) for one in wanted]:
                future.result()
    rows = collect(folder, wanted)
    if arguments.quick:
        show(tests_of(rows))
    elif rows := common.with_earlier("chomsky", rows, ["task", "mixer", "layers", "seed"]):
        rows.sort(key=lambda row: (list(TASKS).index(row["task"]), int(row["layers"])))  # within: the order of mixers
        tests = tests_of(rows)
        show(tests)
        runs.write_csv("chomsky", rows)
        plot(rows, tests)


if __name__ == "__main__":
    main()
