#!/usr/bin/env python3
"""How long a compiler takes for small programs: with Eigen alone, the cells, the whole library, the README's first,
and the same where minrnn::compiled holds the code of its layers, without the time of that library.

    bench/compile_time.py [--compiler g++] [--flags=-O3 -march=native] [--runs 3] [--root FOLDER ...]

The median of the processor time of some runs, in seconds. With several roots, each a checkout, in turn: how one commit
compares with another.
"""
import argparse
import pathlib
import resource
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parents[1]
HEADERS = {
    "an empty program with Eigen alone": ["Eigen/Core"],
    "with the cells": ["minrnn/cells/min_gru_cell.hpp", "minrnn/cells/min_lstm_cell.hpp"],
    "with the whole library": ["minrnn/minrnn.hpp"],
    "the README's first program": None,
    "the same with minrnn::compiled": None,
}


def program(headers, root):
    if headers:
        return "".join(f"#include <{header}>\n" for header in headers) + "int main() {}\n"
    return (root / "README.md").read_text().split("```cpp\n")[1].split("```")[0]


def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--flags", default="-O3 -march=native")
    parser.add_argument("--eigen", default="/usr/include/eigen3")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--root", type=pathlib.Path, nargs="+", default=[HERE])
    arguments = parser.parse_args()
    options = ["-std=c++20", *arguments.flags.split(), "-isystem", arguments.eigen]
    times = {(name, root): [] for name in HEADERS for root in arguments.root}
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "program.cpp"
        for _ in range(arguments.runs):
            for (name, root), values in times.items():
                source.write_text(program(HEADERS[name], root))
                macros = ["-DMINRNN_COMPILED"] if "minrnn::compiled" in name else []
                values.append(seconds([arguments.compiler, *options, *macros, "-I", root / "include", "-c", source,
                                       "-o", source.with_suffix(".o")]))
    print("| program |" + "".join(f" {root.name} |" for root in arguments.root))
    print("|---|" + "---|" * len(arguments.root))
    for name in HEADERS:
        print(f"| {name} |" + "".join(f" {statistics.median(times[name, root]):.2f} |" for root in arguments.root))


if __name__ == "__main__":
    main()
