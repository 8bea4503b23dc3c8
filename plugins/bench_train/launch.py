"""`bench train` in several processes of this machine, by torchrun's launcher."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

_MAIN = "from bench.cli.main import main; main()"


def in_process_group() -> bool:
    """Return whether torchrun or `launch` has started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def launch(processes: int) -> int:
    """Run this command line in so many processes, and return the exit code.

    Standard output is the first one's. When one fails the others are ended, and its messages are
    shown; so are the first one's when all succeed.
    """
    # Seconds, which a training in one process does not pay.
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.disable()  # what the launcher tells of failures and signals is shown below
    others = dict.fromkeys(range(1, processes), Std.ALL)
    with tempfile.TemporaryDirectory() as folder:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id="bench-train",
            rdzv_backend="c10d",
            rdzv_endpoint="127.0.0.1:0",
            local_addr="127.0.0.1",  # not the host's name, which need not be resolvable
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(folder, redirects={0: Std.ERR, **others}),
        )
        try:
            elastic_launch(config, sys.executable)("-c", _MAIN, *sys.argv[1:])
            rank, code = 0, 0
        except ChildFailedError as error:
            rank, code = _first(error)
        except SignalException as signal:
            return 128 + int(signal.sigval)
        for messages in Path(folder).rglob(f"{rank}/stderr.log"):
            print(messages.read_text(errors="replace"), end="", file=sys.stderr)
    return code


def _first(error: ChildFailedError) -> tuple[int, int]:
    """Rank and exit code of the process that failed first.

    Exit code 2 is a message of ours; others may just have lost their partner.
    """
    codes = {rank: failure.exitcode for rank, failure in error.failures.items()}
    rank = next((rank for rank, code in codes.items() if code == 2), error.get_first_failure()[0])
    return int(rank), int(codes[rank])
