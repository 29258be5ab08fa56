"""Lets the scripts of this folder find what all benchmarks share, and holds what those that train have in common."""
import csv
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# As the tools call them, and as the colours are named.
MIXERS = {"mingru": "MinGru", "minlstm": "MinLstm", "signed-mingru": "SignedMinGru", "signed-minlstm": "SignedMinLstm",
          "diagonal-gru": "DiagonalGru", "diagonal-lstm": "DiagonalLstm", "highway-mingru": "HighwayMinGru",
          "rg-lru": "RgLru", "gru": "Gru", "lstm": "Lstm", "mamba": "Mamba", "transformer": "Attention"}
NAMES = {"mingru": "minGRU", "minlstm": "minLSTM", "signed-mingru": "signed minGRU",
         "signed-minlstm": "signed minLSTM", "diagonal-gru": "DiagonalGru", "diagonal-lstm": "DiagonalLstm",
         "highway-mingru": "minGRU, highway", "rg-lru": "RG-LRU", "gru": "GRU", "lstm": "LSTM", "mamba": "Mamba",
         "transformer": "Transformer"}


def with_earlier(name, rows, keys):
    """`rows`, and those of bench/results/NAME.csv that no new run replaces, in the order of MIXERS. Two rows with the
    same `keys` are of one run. All values are strings, as they are in a file."""
    from support import runs
    run_of = lambda row: tuple(str(row[key]) for key in keys)
    new = {run_of(row) for row in rows}
    path = runs.RESULTS / f"{name}.csv"
    earlier = [row for row in csv.DictReader(open(path)) if run_of(row) not in new] if path.exists() else []
    order = list(MIXERS)
    return sorted(earlier + [{key: str(value) for key, value in row.items()} for row in rows],
                  key=lambda row: (order.index(row["mixer"]), run_of(row)))


def measured_on(about):
    """What a row says of the machine."""
    return f"{about['cores']} cores of {about['processor']}, {about['date']}"


def note_machine(path):
    """Writes beside a run on which machine it is made: others may collect it."""
    from support import runs
    path.with_suffix(".machine").write_text(measured_on(runs.machine()))


def machine_of(path):
    """What note_machine has written beside a run; those of before have nothing."""
    note = path.with_suffix(".machine")
    return note.read_text() if note.exists() else "a machine that was not noted"


def caption(rows):
    """The machines and days of all rows, once each."""
    return "; ".join(sorted({row["measured_on"] for row in rows}))
