# SPDX-FileCopyrightText: The minrnn authors
# SPDX-License-Identifier: MIT
"""The filter of Doxygen: prints what sources.py has made of a header, which Doxygen then reads; it lists the header."""
import sys
from pathlib import Path

root, copies, header = (Path(argument).resolve() for argument in sys.argv[1:])
sys.stdout.buffer.write((copies / header.relative_to(root)).read_bytes())
