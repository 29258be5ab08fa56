#!/usr/bin/env python3
"""A training step of the paper's language model on 1, 2 and 4 ranks of this machine, and a model of it for more ranks
and other networks.

    bench/scaling.py [--build FOLDER] [--mpirun PROGRAM] [--batch N] [--steps N]     measures, then the model
    bench/scaling.py --model-only [--bandwidth MB ...] [--latency US] [--seconds S]  the model, of the last measurement

Strong: so many sequences whatever the ranks; weak: so many for each rank. Every row with and without overlap, steps in
turn; also over a link of 125 MB/s and 100 us (1 Gbit/s), which a rank imitates by waiting asleep. Some minutes on 2
cores. Writes bench/results/scaling.csv.

The model: a step computes for its share of --seconds, the step of one machine, and sends 2 (1 - 1 / P) times the
gradients in 2 log2(P) rounds a bucket. What the backward of the last shard does not hide comes on top, at least one
bucket.
"""
import csv
import math
import os

from support import runs

BUCKET = 1 << 20
LINKS = [("as it is", 0, 0), ("1 Gbit/s", 125, 100)]


def measure(arguments):
    # Ranks of one thread each, and one of two, all free to run on any core.
    environment = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                   "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none"}
    os.environ.update(environment)
    batch, steps, rows = arguments.batch, arguments.steps, []
    plan = [("strong", 1, 2, batch, LINKS[0]), ("strong", 1, 1, batch, LINKS[0]), ("strong", 2, 1, batch, LINKS[0]),
            ("strong", 4, 1, batch, LINKS[0]), ("strong", 2, 1, batch, LINKS[1]), ("weak", 1, 1, batch // 4, LINKS[0]),
            ("weak", 2, 1, batch // 2, LINKS[0]), ("weak", 4, 1, batch, LINKS[0]), ("weak", 2, 1, batch // 2, LINKS[1])]
    for kind, ranks, threads, sequences, (_, bandwidth, latency) in plan:
        text = runs.output_of(arguments.mpirun, "-np", ranks, arguments.build / "scaling", "--header", "--batch",
                              sequences, "--threads", threads, "--steps", steps, "--bandwidth", bandwidth, "--latency",
                              latency, "--bucket", BUCKET)
        for row in csv.DictReader(text.splitlines()):
            rows.append({"kind": kind} | row)
            print("{kind:6} {ranks} ranks x {threads} threads, batch {batch:>3}, overlap {overlap:3}, link "
                  "{bandwidth_mb:>3} MB/s: step {step_s} s, waiting {waiting_s} s".format(**rows[-1]), flush=True)
    about = runs.machine()
    for row in rows:
        row["measured_on"] = f"{about['cores']} cores of {about['processor']}, {about['date']}"
    runs.write_csv("scaling", rows)
    return rows


def step_seconds(ranks, bandwidth, latency, compute, backward_of_shard, parameters):
    """Of a rank that computes so long, and last of all so long in the backward of a shard."""
    if ranks == 1:
        return compute, 0.0, 0.0
    buckets = max(math.ceil(4 * parameters / BUCKET), 1)
    sending = 2 * (1 - 1 / ranks) * 4 * parameters / bandwidth + buckets * 2 * math.log2(ranks) * latency
    shown = max(sending - backward_of_shard * (1 - 1 / buckets), sending / buckets)
    return compute + shown, sending, shown


def show_model(arguments, rows):
    one = next(row for row in rows if row["kind"] == "strong" and row["ranks"] == "1" and row["threads"] == "2")
    parameters, batch, shards = int(one["parameters"]), int(one["batch"]), int(one["shards"])
    step = arguments.seconds or float(one["step_s"])
    backward = float(one["backward_s"]) * shards / float(one["step_s"])  # its part of a step
    print(f"\nModel: {parameters} parameters, a step of one machine {step:.3g} s, {100 * backward:.0f} % of it "
          f"backward, latency {arguments.latency:g} us")
    for bandwidth in arguments.bandwidth:
        print(f"\n{bandwidth:g} MB/s in each direction\n| ranks | strong: s | speed-up | weak: s | speed-up | "
              "sending s | of it not hidden, strong |\n|---|---|---|---|---|---|---|")
        for ranks in (1, 2, 4, 8, 16, 32, 64):
            parts = max(shards, ranks)  # so many shards that each rank has one
            link = (bandwidth * 1e6, arguments.latency * 1e-6)
            strong, sending, shown = step_seconds(ranks, *link, step / ranks, backward * step / parts, parameters)
            weak, _, _ = step_seconds(ranks, *link, step, backward * step * ranks / parts, parameters)
            print(f"| {ranks} | {strong:.3f} | {step / strong:.1f} | {weak:.3f} | {ranks * step / weak:.1f} | "
                  f"{sending:.3f} | {shown:.3f} |")
    for row in rows:
        if row["kind"] == "strong" and row["overlap"] == "yes" and float(row["bandwidth_mb"]) > 0:
            ranks = int(row["ranks"])
            alone = next(other for other in rows if other["kind"] == "strong" and other["ranks"] == row["ranks"] and
                         float(other["bandwidth_mb"]) == 0 and other["overlap"] == "no")
            compute = float(alone["step_s"]) - float(alone["waiting_s"])
            link = (float(row["bandwidth_mb"]) * 1e6, float(row["latency_us"]) * 1e-6)
            _, _, shown = step_seconds(ranks, *link, compute, float(row["backward_s"]), parameters)
            print(f"\nOn {ranks} ranks at {row['bandwidth_mb']} MB/s the model lets {shown:.3f} s of the sending be "
                  f"seen, measured {row['waiting_s']} s; step {compute + shown:.3f} s, measured {row['step_s']} s")


def main():
    parser = runs.parser(__doc__)
    parser.add_argument("--mpirun", default="mpirun", help="of the MPI library that the program is built with")
    parser.add_argument("--batch", type=int, default=64, help="sequences of a step (default 64)")
    parser.add_argument("--steps", type=int, default=3, help="that are measured, of each kind (default 3)")
    parser.add_argument("--model-only", action="store_true", help="of the rows in results/scaling.csv")
    parser.add_argument("--bandwidth", type=float, nargs="+", default=[125, 1250, 12500], help="MB/s (default: 1, 10 "
                        "and 100 Gbit/s)")
    parser.add_argument("--latency", type=float, default=50, help="microseconds of a message (default 50)")
    parser.add_argument("--seconds", type=float, help="a step of one machine (default: as measured here)")
    arguments = parser.parse_args()
    path = runs.RESULTS / "scaling.csv"
    show_model(arguments, list(csv.DictReader(open(path))) if arguments.model_only else measure(arguments))


if __name__ == "__main__":
    main()
