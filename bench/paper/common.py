"""Lets the scripts of this folder find what all benchmarks share, and names what they have in common."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

MIXERS = {"mingru": "MinGru", "minlstm": "MinLstm", "gru": "Gru", "lstm": "Lstm", "mamba": "Mamba",
          "transformer": "Attention"}  # as char_lm calls them, and as the colours are named
NAMES = {"mingru": "minGRU", "minlstm": "minLSTM", "gru": "GRU", "lstm": "LSTM", "mamba": "Mamba",
         "transformer": "Transformer"}
