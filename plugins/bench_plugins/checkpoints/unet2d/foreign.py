"""Schedulers and keys that are not known, or not of the scheduler that the record names."""

from __future__ import annotations

from collections.abc import Mapping

from bench.api import BenchError
from bench_plugins.checkpoints.unet2d.keys import LEFT_OUT, SCHEDULER_KEYS
from bench_plugins.checkpoints.unet2d.schedulers import NOT_READ, SCHEDULERS, Scheduler

_INERT: dict[str, tuple[object, ...]] = {
    "variance_type": (None, "fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"),
    "timestep_type": (None, "discrete"),
    "interpolation_type": (None, "linear"),
    "rescale_betas_zero_snr": (None, False),
    "use_flow_sigmas": (None, False),
    "invert_sigmas": (None, False),
}
"""Values that change nothing, of keys that a scheduler does not know."""

_ALWAYS = ("_class_name", "_diffusers_version", "_name_or_path", "tensor_format")


def known_scheduler(record: Mapping[str, object], place: str) -> tuple[str, Scheduler]:
    """The scheduler of a record, whose keys are all known.

    Raises:
        BenchError: names the scheduler, or the key that it does not follow, and what to do.
    """
    name = record.get("_class_name")
    known = SCHEDULERS.get(name) if isinstance(name, str) else None
    if known is None:
        raise _not_read(name, place)
    SCHEDULER_KEYS.check(record, f"{place}: {name}")
    _check_foreign(record, str(name), known, place)
    return str(name), known


def _not_read(name: object, place: str) -> BenchError:
    reason = NOT_READ.get(name, "") if isinstance(name, str) else ""
    cause = f"is not read: {reason}" if reason else "is not known"
    return BenchError(
        f"{place}: _class_name: the scheduler '{str(name)[:80]}' {cause}; name the one that the "
        f"network was trained with, of {', '.join(SCHEDULERS)}"
    )


def _check_foreign(record: Mapping[str, object], name: str, known: Scheduler, place: str) -> None:
    """Refuse keys of other schedulers that change the network's input."""
    for key, value in record.items():
        if key in known.own or key in LEFT_OUT or key in _ALWAYS:
            continue
        if key == "predict_epsilon":
            _check_old_name(record, value, place)
        elif not _inert(key, value):
            raise BenchError(
                f"{place}: {key} {str(value)[:60]} is no key of {name}, which does not follow it; "
                "remove it, or name the scheduler that the network was trained with"
            )


def _check_old_name(record: Mapping[str, object], value: object, place: str) -> None:
    kind = record.get("prediction_type", "epsilon")
    if (
        value is None
        or (value is True and kind == "epsilon")
        or (value is False and kind == "sample")
    ):
        return
    raise BenchError(
        f"{place}: predict_epsilon {str(value)[:60]} is the old name of prediction_type, and does "
        "not agree with it; write prediction_type: sample (or epsilon) in its place"
    )


def _inert(key: str, value: object) -> bool:
    if isinstance(value, str):
        return value in _INERT.get(key, ())
    # By identity: 0 and 1 are no false and true.
    return any(value is inert for inert in _INERT.get(key, (None,)))
