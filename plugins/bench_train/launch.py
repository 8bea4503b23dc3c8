"""Starts `bench train` in several processes that find each other; without torch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

_MAIN = "from bench.cli.main import main; main()"


def in_process_group() -> bool:
    """Whether torchrun or `launch` has started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


@dataclass(frozen=True)
class _Member:
    """A process and the file that takes its messages: a pipe that nobody reads would stop it."""

    process: subprocess.Popen[bytes]
    messages: IO[bytes]

    def said(self) -> str:
        """Its messages so far."""
        self.messages.seek(0)
        return self.messages.read().decode(errors="replace")


def launch(processes: int) -> int:
    """Runs this command line in so many processes of this machine; returns the exit code.

    The first one alone writes to standard output. When one fails the others are ended, and what
    it had to say is shown.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with ExitStack() as files:
        crew = [
            _start(rank, processes, port, files.enter_context(tempfile.TemporaryFile()))
            for rank in range(processes)
        ]
        try:
            return _watch(crew)
        except KeyboardInterrupt:
            return 130
        finally:
            _end(crew)


def _start(rank: int, size: int, port: int, messages: IO[bytes]) -> _Member:
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)}
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-c", _MAIN, *sys.argv[1:]],
        env={**os.environ, **place, **meeting},
        stdout=None if rank == 0 else subprocess.DEVNULL,
        stderr=messages,
    )
    return _Member(process, messages)


def _watch(crew: Sequence[_Member]) -> int:
    """0 when all are done, else the exit code of the one that failed; shows what it said."""
    while all(member.process.poll() in (None, 0) for member in crew):
        if all(member.process.poll() == 0 for member in crew):
            print(crew[0].said(), end="", file=sys.stderr)
            return 0
        time.sleep(0.1)
    time.sleep(0.5)  # a mistake of the user's is every process's, and the first tells it
    failed = [member for member in crew if member.process.poll()]
    # Exit code 2 is a message of ours; others may just have lost their partner.
    told = next((member for member in failed if member.process.returncode == 2), failed[0])
    print(told.said(), end="", file=sys.stderr)
    return int(told.process.returncode)


def _end(crew: Sequence[_Member]) -> None:
    for member in crew:
        if member.process.poll() is None:
            member.process.terminate()
    for member in crew:
        member.process.wait()
