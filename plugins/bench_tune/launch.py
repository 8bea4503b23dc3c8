"""Calls `bench` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

_MAIN = "from bench.cli.main import main; main()"


def run_suite(arguments: Sequence[str]) -> int:
    """`bench run` with these arguments; what it prints goes to standard error.

    An interruption reaches it too: it ends by itself, with its own words and exit code.
    """
    child = subprocess.Popen([sys.executable, "-c", _MAIN, "run", *arguments], stdout=sys.stderr)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def ask(*arguments: str) -> str:
    """The standard output of `bench` with these arguments."""
    command = [sys.executable, "-c", _MAIN, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
