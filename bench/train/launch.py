"""Starts `bench train` in several processes that find each other; without torch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

_MAIN = "from bench.cli import main; main()"


def in_crew() -> bool:
    """Whether torchrun or `launch` has started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def launch(processes: int) -> int:
    """Runs this command line in so many processes of this machine; returns the exit code.

    The first one alone writes to the terminal. When one fails the others are ended, and what it
    had to say is shown.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    crew = [_start(rank, processes, port) for rank in range(processes)]
    try:
        return _watch(crew)
    except KeyboardInterrupt:
        return 130
    finally:
        for process in crew:
            if process.poll() is None:
                process.terminate()
        for process in crew:
            process.wait()


def _start(rank: int, size: int, port: int) -> subprocess.Popen[str]:
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)}
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return subprocess.Popen(
        [sys.executable, "-c", _MAIN, *sys.argv[1:]],
        env={**os.environ, **place, **meeting},
        stdout=None if rank == 0 else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _watch(crew: Sequence[subprocess.Popen[str]]) -> int:
    """0 when all are done, else the exit code of the first that failed."""
    while True:
        codes = [process.poll() for process in crew]
        failed = next((i for i, code in enumerate(codes) if code), None)
        if failed is not None:
            time.sleep(0.2)  # the first process's own message, of the same cause, is the best
            told = crew[0] if crew[0].poll() else crew[failed]
            assert told.stderr is not None
            print(told.stderr.read(), end="", file=sys.stderr)
            return told.returncode
        if all(code == 0 for code in codes):
            return 0
        time.sleep(0.1)
