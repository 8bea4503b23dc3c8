"""`bench sample`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from rich.console import Console

from bench_latents.commands import SampleOptions
from bench_latents.draws import CodedDraw, run_sampler
from bench_latents.files import check_out, write_samples
from bench_latents.film import check_film, write_films
from bench_latents.options import FilmOptions, PathOptions
from bench_latents.record import Record, describe, record_of
from bench_latents.setting import Names, draw_of, load_model, prepare


def draw_samples(options: SampleOptions, path: PathOptions, film: FilmOptions) -> None:
    """Draw samples and write them.

    Raises:
        BenchError: what the options name is unknown, does not fit, or cannot be written.
    """
    names = Names(
        options.model,
        options.solver,
        options.nfe,
        options.label,
        options.corrector,
        default_nfe=20,
    )
    model = load_model(names, path)
    check_out(options.out, model)
    check_film(film, model)
    draw = CodedDraw.of(draw_of(path, model, options.samples), options.temperature)
    trial = prepare(names, path, model, draw)
    console = Console(stderr=options.json, highlight=False)
    x, nfe = run_sampler(trial, console)
    record = record_of("sample", names, path, trial, nfe) | {"temperature": options.temperature}
    columns = math.ceil(math.sqrt(options.samples))
    write_samples(options.out, x, model, record, columns)
    written = [options.out, *write_films(film, trial, record)]
    tell(console, record, f"{options.samples} samples", written, options.json)


def tell(
    console: Console,
    record: Record,
    what: str,
    written: list[Path],
    as_json: bool,
    more: dict[str, Any] | None = None,
) -> None:
    """Print what was made and where it is, or the record and that as JSON."""
    if as_json:
        print(json.dumps({**record, **(more or {}), "files": [str(p) for p in written]}, indent=1))
        return
    lines = [describe(record, what), *(f"wrote {path}" for path in written)]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
