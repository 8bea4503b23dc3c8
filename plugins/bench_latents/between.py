"""`bench interpolate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.console import Console
from torch import Tensor

from bench.api import BenchError, Trial, unit_interval
from bench_latents.coding import check_classes, encode_points
from bench_latents.commands import InterpolateOptions
from bench_latents.data import read_points
from bench_latents.draws import CodedDraw, run_sampler
from bench_latents.files import check_out, write_samples
from bench_latents.options import Curve, PathOptions
from bench_latents.record import record_of
from bench_latents.sampling import tell
from bench_latents.setting import Names, draw_of, load_model, prepare
from bench_plugins.latents.interpolation import interpolate_linearly, slerp

_WAYS: Mapping[Curve, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    Curve.SLERP: slerp,
    Curve.LINEAR: interpolate_linearly,
}


def interpolate_codes(options: InterpolateOptions, path: PathOptions) -> None:
    """Write samples between pairs of codes, a row for each pair.

    Raises:
        BenchError: what the options name is unknown, does not fit, or cannot be written.
    """
    names = Names(options.model, options.solver, options.nfe, options.label)
    model = load_model(names, path)
    check_out(options.out, model)
    check_classes(model)
    trial = prepare(names, path, model, draw_of(path, model, 2 * options.pairs))
    console = Console(stderr=options.json, highlight=False)
    ends, spent = _ends(options, trial, console)
    share = unit_interval(options.steps - 1)
    codes = _WAYS[options.how](ends[0::2], ends[1::2], share).flatten(0, 1)
    draw = CodedDraw.of(trial.draw, options.temperature, codes)
    x, nfe = run_sampler(prepare(names, path, model, draw), console)
    record = record_of("interpolate", names, path, trial, nfe) | {
        "how": options.how.value,
        "pairs": options.pairs,
        "frames": options.steps,
        "temperature": options.temperature,
        "source": options.data or "noise",
        "nfe_encode": spent,
    }
    write_samples(options.out, x, model, record, options.steps)
    what = f"{options.pairs} x {options.steps} samples between codes"
    tell(console, record, what, [options.out], options.json)


def _ends(options: InterpolateOptions, trial: Trial, console: Console) -> tuple[Tensor, float]:
    """The codes between which samples lie, (2 pairs, *shape), and what each cost."""
    wanted = 2 * options.pairs
    if options.data is None:
        return trial.draw.standard_prior(0, wanted), 0.0
    y = read_points(options.data, trial.model, trial.draw, trial.span[0])
    if len(y) < wanted:
        raise BenchError(
            f"--data {options.data}: holds {len(y)} samples, and {options.pairs} pairs are of "
            f"{wanted}; lower --pairs"
        )
    return encode_points(trial, y, console)
