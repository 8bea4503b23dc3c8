"""The small networks that claims need, trained by `bench train` in processes of their own."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.extend import BenchError
from bench_claims.claim import Network

_MAIN = "from bench.cli.main import main; main()"


def folder_of(network: Network) -> str:
    """Its folder's name, which stands for how it is trained too."""
    recipe = shlex.join((*network.options, str(network.seed)))
    return f"{network.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"


def missing_networks(networks: Sequence[Network], folder: Path) -> list[Network]:
    """Those whose weights are not there."""
    return [n for n in networks if not (folder / folder_of(n) / "weights.safetensors").is_file()]


def train(networks: Sequence[Network], folder: Path, workers: int) -> None:
    """Train all of them, so many at the same time; what was cut goes on where it was.

    Raises:
        BenchError: one fails; says what it said.
    """
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda network: _train(network, folder / folder_of(network)), networks))


def _train(network: Network, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    resume = ("--resume",) if (folder / "checkpoint.pt").is_file() else ()
    arguments = ("train", "--out", str(folder), "--seed", str(network.seed), *network.options)
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, *arguments, *resume],
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing was said"]
        raise BenchError(f"`bench {shlex.join(arguments)}` failed: {said[0]}")
