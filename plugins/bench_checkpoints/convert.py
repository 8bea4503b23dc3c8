"""Checkpoints as safetensors files that describe themselves.

``python -m bench_checkpoints.convert SOURCE TARGET [--preset NAME | --recipe FILE]``: SOURCE is a
.pth of score_sde or a .pkl of EDM. What is written needs no preset any more, holds the moving
average alone, and nothing in it can be run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from bench.api import BenchError
from bench_checkpoints.edm import Edm, read_edm
from bench_checkpoints.reading.safe_files import RECORD
from bench_checkpoints.score_sde import ScoreSde


def convert(model: ScoreSde | Edm, target: Path) -> None:
    """Writes the weights that ``model`` reads, and what they are, to ``target``.

    Raises:
        BenchError: the source cannot be read, or the target cannot be written.
    """
    record: dict[str, object]
    weights: dict[str, Tensor]
    if isinstance(model, ScoreSde):
        recipe, weights = model.read()
        record = {"score_sde": asdict(recipe)}
    else:
        described, weights = read_edm(Path(model.path))
        record = {"edm": asdict(described)}
    record["source_sha256"] = model.fingerprint()
    write(target, weights, record)


def write(target: Path, weights: Mapping[str, Tensor], record: Mapping[str, object]) -> None:
    """Writes ``weights``, and ``record`` into the header, atomically.

    Raises:
        BenchError: the target is no .safetensors, or cannot be written.
    """
    if target.suffix != ".safetensors":
        raise BenchError(f"{target}: must end in .safetensors")
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in weights.items()}
    partial = target.with_name(target.name + ".partial")
    try:
        partial.write_bytes(save(own, {RECORD: json.dumps(dict(record), sort_keys=True)}))
        os.replace(partial, target)
    except OSError as error:
        raise BenchError(f"{target}: cannot be written ({error.strerror})") from None


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench_checkpoints.convert")
    parser.add_argument("source", help="a .pth of score_sde or a .pkl of EDM")
    parser.add_argument("target", type=Path, help="the .safetensors file to write")
    parser.add_argument("--preset", default="", help="score_sde's configuration")
    parser.add_argument("--recipe", default="", help="a JSON file in its place")
    given = parser.parse_args(arguments)
    try:
        model: ScoreSde | Edm = Edm(given.source)
        if not given.source.endswith(".pkl"):
            model = ScoreSde(given.source, preset=given.preset, recipe=given.recipe)
        convert(model, given.target)
    except (BenchError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
