"""A scheduler as YAML names it: its class, its configuration, and the way that it takes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from bench.api import BenchError, FilePath, HubFolder, UnsupportedError, require
from bench_plugins.diffusers_schedulers.dialects import DIALECTS, REFUSED, Dialect
from bench_plugins.diffusers_schedulers.library import (
    explain_errors,
    installed_version,
    keywords,
    library,
    scheduler_class,
)

_RECORD = "scheduler_config.json"
_RANGE = {"beta_start", "beta_end", "sigma_min", "sigma_max", "shift"}
_MATTERS = ("beta", "prediction_type", "trained_betas", "rescale_betas", "use_flow", "sigma_data")


@dataclass(frozen=True)
class Recipe:
    """Parameters that grid and solver share.

    Attributes:
        scheduler: the class, such as UniPCMultistepScheduler; empty: that of ``config_file``.
        config: its constructor's arguments, such as {use_karras_sigmas: true}; they go before
            those of ``config_file``.
        config_file: a scheduler_config.json, or a folder of diffusers with one (in it or in
            `scheduler`), or `hub:OWNER/NAME`.
        schedule: further arguments of `set_timesteps`, such as {mu: 1.1}.
    """

    scheduler: str = "EDMEulerScheduler"
    config: dict[str, Any] | None = None
    config_file: FilePath | None = None
    schedule: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        require(bool(self.scheduler or self.config_file), "scheduler must name a class")
        require(self.scheduler not in REFUSED, _refusal(self.scheduler))
        known = not self.scheduler or self.scheduler in DIALECTS
        require(known, f"scheduler must be one of {', '.join(DIALECTS)}")

    def assets(self) -> Sequence[HubFolder]:
        """The folder of the hub that ``config_file`` names."""
        hub = HubFolder.parse(self.config_file or "")
        return () if hub is None else (hub,)

    def contents(self) -> Mapping[str, str]:
        """Of a folder, the scheduler's record alone is read."""
        return {"config_file": self._record().read_text()} if self.config_file else {}

    def fingerprint(self) -> str:
        """The library's version. A scheduler that cannot be made is refused, at planning."""
        version = installed_version()
        if version:
            with contextlib.suppress(UnsupportedError):  # cells say so themselves
                self.make()
        return f"diffusers {version or 'is not installed'}"

    def make(self) -> Any:
        """The scheduler, as its constructor leaves it.

        Raises:
            UnsupportedError: diffusers is missing, or refuses the configuration.
            BenchError: unknown keys, or a record that cannot be read.
        """
        recorded = self._read_record()
        name = self.scheduler or str(recorded.get("_class_name", ""))
        self._check_class(name)
        cls = scheduler_class(name)
        takes, own = keywords(cls.__init__), dict(self.config or {})
        unknown = sorted(set(own) - takes)
        foreign = {k for k in recorded if not k.startswith("_")} - takes
        unknown += sorted(k for k in foreign if _matters(k, name == recorded.get("_class_name")))
        if unknown:
            raise BenchError(
                f"config: {name} of diffusers {installed_version()} takes no '{unknown[0]}', but "
                f"{', '.join(sorted(takes))}"
            )
        kept = {k: v for k, v in recorded.items() if k in takes}
        with explain_errors(f"diffusers' {name}"):
            made = cls(**{**kept, **own})
        _check_config(made, name)
        unknown = sorted(set(self.schedule or {}) - (keywords(made.set_timesteps) - _HOSTS))
        if unknown:
            raise BenchError(f"schedule: {name}.set_timesteps takes no '{unknown[0]}'")
        return made

    def range_keys(self) -> tuple[str, ...]:
        """Those arguments of its constructor that move its noise levels."""
        return tuple(sorted(keywords(type(self.make()).__init__) & _RANGE))

    def dialect(self, scheduler: Any) -> Dialect:
        """The conventions of ``scheduler``, which `make` made."""
        return DIALECTS[type(scheduler).__name__]

    def prepare(self, inference_steps: int, device: torch.device) -> Any:
        """A fresh scheduler with its timesteps on ``device``."""
        made = self.make()
        with explain_errors(
            f"diffusers' {type(made).__name__} with {inference_steps} inference steps"
        ):
            made.set_timesteps(inference_steps, device=device, **(self.schedule or {}))
        if hasattr(made, "set_begin_index"):
            made.set_begin_index(0)
        return made

    def walk(self, steps: int) -> Walk:
        """The way in ``steps`` steps between noise levels.

        Raises:
            UnsupportedError: no number of inference steps gives that many.
        """
        return _walk(self.key, steps)

    @property
    def key(self) -> RecipeKey:
        """For caches: equal where all that decides the scheduler is."""
        text = json.dumps([self.scheduler, self.config, self.schedule], sort_keys=True)
        return RecipeKey(self, text, json.dumps(self._read_record(), sort_keys=True))

    def _read_record(self) -> dict[str, Any]:
        if not self.config_file:
            return {}
        record = self._record()
        try:
            found = json.loads(record.read_text())
        except ValueError as error:
            raise BenchError(f"config_file: {record}: is no JSON ({error})") from None
        if not isinstance(found, dict):
            raise BenchError(f"config_file: {record}: holds no mapping")
        return found

    def _record(self) -> Path:
        name = self.config_file or ""
        hub = HubFolder.parse(name)
        place = Path(name) if hub is None else hub.locate()
        places = [place / _RECORD, place / "scheduler" / _RECORD] if place.is_dir() else [place]
        for file in places:
            if file.is_file():
                return file
        raise BenchError(f"config_file: there is no {_RECORD} at '{name}'; check the path")

    def _check_class(self, name: str) -> None:
        if name in REFUSED:
            raise BenchError(_refusal(name))
        if name not in DIALECTS:
            raise BenchError(f"config_file: '{name}' is none of {', '.join(DIALECTS)}")


_HOSTS = frozenset({"num_inference_steps", "device", "sigmas", "timesteps"})


@dataclass(frozen=True, eq=False)
class Walk:
    """A scheduler's way for one number of inference steps.

    Attributes:
        inference_steps: what `set_timesteps` is given.
        asked: the noise-to-signal ratio of each evaluation, in order.
        levels: the points between which it steps, falling, > 0; the first may be infinite.
        finishes: whether it ends in x_0.
    """

    inference_steps: int
    asked: tuple[float, ...]
    levels: tuple[float, ...]
    finishes: bool


@dataclass(frozen=True)
class RecipeKey:
    """Stands for a recipe: equal where class, configuration and record are."""

    recipe: Recipe
    text: str
    record: str

    def __hash__(self) -> int:
        return hash((self.text, self.record))

    def __eq__(self, other: object) -> bool:
        mine = (self.text, self.record)
        return isinstance(other, RecipeKey) and (other.text, other.record) == mine


@lru_cache(maxsize=4096)
def _walk(key: RecipeKey, steps: int) -> Walk:
    library()  # else each number of steps would say that it has no way
    reason = ""
    for inference_steps in range(max(1, steps - 4), steps + 3):
        try:
            found = _of(key.recipe, inference_steps)
        except UnsupportedError as error:
            reason = reason or f" ({error})"
            continue
        if len(found.levels) == steps + 1:
            return found
    raise UnsupportedError(
        f"{key.recipe.scheduler or 'the scheduler'} of diffusers has no way in {steps} steps "
        f"between different noise levels{reason}"
    )


def _of(recipe: Recipe, inference_steps: int) -> Walk:
    scheduler = recipe.prepare(inference_steps, torch.device("cpu"))
    found = recipe.dialect(scheduler).levels(scheduler)
    steps = found.steps.tolist()
    if any(then > now for now, then in pairwise(steps)) or any(s != s for s in steps):
        raise UnsupportedError(
            f"the noise of diffusers' {type(scheduler).__name__} with {inference_steps} inference "
            "steps does not fall all the way"
        )
    levels = tuple(s for s in dict.fromkeys(steps) if s > 0)
    return Walk(inference_steps, tuple(found.asked.tolist()), levels, steps[-1] == 0)


def _refusal(name: str) -> str:
    return f"diffusers' {name} {REFUSED.get(name, '')}"


def _matters(key: str, same_class: bool) -> bool:
    """Of a record of another class, `from_config` drops what is its solver's own."""
    return same_class or key.startswith(_MATTERS)


def _check_config(scheduler: Any, name: str) -> None:
    variance = str(scheduler.config.get("variance_type") or "")
    if variance.startswith("learned"):
        raise BenchError(
            f"config: variance_type '{variance}' of {name} needs a network that gives variances"
        )
    if scheduler.config.get("invert_sigmas"):
        raise BenchError(f"config: invert_sigmas of {name} turns time around; leave it out")
