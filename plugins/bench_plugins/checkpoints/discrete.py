"""Networks that are functions of x_t and a label of time, as normalised denoisers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor

from bench.api import Asset, BenchError, FilePath, ScoreModel, load_tensors, paper, require
from bench_plugins.checkpoints.common import file_hash, levels_of, pixel_target, scale_rows
from bench_plugins.checkpoints.labels import (
    Convention,
    Labels,
    Schedule,
    labels_of_table,
    labels_of_time,
    table_of_betas,
    table_of_schedule,
    table_of_squares,
)
from bench_plugins.checkpoints.levels import LevelTable
from bench_plugins.checkpoints.module import ModuleModel
from bench_plugins.checkpoints.precision import NetworkModel, Running
from bench_plugins.checkpoints.predictions import Prediction, alpha_of, to_denoised

_NOTHING = Path(__file__).parent / "data" / "nothing.safetensors"


@dataclass(frozen=True)
class DiscreteModel(NetworkModel):
    """A network of your own that is called as network(x_t, t), with t a label of time.

    x_t = alpha x_0 + sigma eps, with x_0 in [-1, 1]; t is of shape (n,). Where labels are whole
    they are int64, and those of the trained level nearest in ln(s); else they are interpolated in
    ln(s), and of the dtype of x_t.

    Attributes:
        factory: `package.module:name` of a function without arguments, or of a class, that gives a
            torch.nn.Module.
        weights: a state dict as .safetensors or .pth (`weights_only`), or `published:NAME`; empty:
            the network has neither parameters nor buffers.
        entry: the entry of a .pth that holds the state dict; empty: the file is one.
        predicts: what the network gives: `eps`; `x0`; `v`, alpha eps - sigma x_0; `score` of x_t,
            -eps / sigma; or `velocity`, eps - x_0, of the schedule `flow`.
        schedule: tables of betas: `linear` and `scaled_linear` from beta_start to beta_end,
            `cosine`. Continuous times: `vp`, score_sde's, with beta(t) from beta_start to
            beta_end, and `flow`, x_t = (1 - t) x_0 + t eps.
        beta_start, beta_end: of the schedule; ``None``: 1e-4 and 0.02; of `vp` 0.1 and 20.
        levels: N, of the schedule.
        betas, alphas_cumprod: a table itself, in place of a schedule.
        table: a .safetensors or .npz file that holds one of them under its name.
        labels: `diffusers`: 0 to N - 1, as in the code of DDPM; of `flow` N t. `ddpm`: 1 to N, as
            in its paper. `rescaled`: 1000 / N times 0 to N - 1 (OpenAI's rescale_timesteps).
            `score_sde`: t (N - 1). `unit` and `thousand`: t and 1000 t, of `vp` and `flow`.
        whole: whether labels are whole; ``None``: those of tables by `diffusers` and `ddpm` are.
        variances: whether the output has twice the channels; the second half is dropped.
        towards_data: of `flow`: whether t = 1 is data, and a velocity x_0 - eps.
        shape: of one sample.
        data: name of the data set.
        held_out: a file of unseen images, for likelihoods.
    """

    name: ClassVar[str] = "discrete"
    reference: ClassVar[str] = "your own network; Ho et al. 2020, arXiv:2006.11239"
    bibtex: ClassVar[str] = paper("ho2020denoising")
    imports_code: ClassVar[bool] = True

    factory: str = "package.module:name"
    weights: FilePath = ""
    entry: str = ""
    predicts: Prediction = "eps"
    schedule: Schedule = "linear"
    beta_start: float | None = None
    beta_end: float | None = None
    levels: int = 1000
    betas: tuple[float, ...] | None = None
    alphas_cumprod: tuple[float, ...] | None = None
    table: FilePath = ""
    labels: Convention = "diffusers"
    whole: bool | None = None
    variances: bool = False
    towards_data: bool = False
    shape: tuple[int, ...] = (3, 32, 32)
    data: str = "unknown"
    held_out: FilePath | None = None

    def __post_init__(self) -> None:
        given = [self.betas is not None, self.alphas_cumprod is not None, bool(self.table)]
        require(sum(given) <= 1, "betas, alphas_cumprod and table exclude each other: give one")
        require(
            not any(given) or self.schedule == "linear",
            "schedule must be left out where a table is given",
        )
        require(3 <= self.levels <= 1_000_000, "levels must be from 3 to 1000000")
        flow = self.schedule == "flow"
        require(self.predicts != "velocity" or flow, "predicts: velocity must have schedule: flow")
        require(self.predicts != "v" or not flow, "predicts: v must not have schedule: flow")
        require(flow or not self.towards_data, "towards_data must have schedule: flow")
        self._module.assets()  # its parameters are checked too
        if not self.table:
            self._labels()

    @property
    def _module(self) -> ModuleModel:
        return ModuleModel(
            factory=self.factory,
            weights=self.weights or str(_NOTHING),
            entry=self.entry,
            shape=self.shape,
            data=self.data,
        )

    def assets(self) -> Sequence[Asset]:
        return self._module.assets()

    def fingerprint(self) -> str:
        """All code of the factory. An impossible table is refused, already at planning."""
        if self.table:
            self._labels()
        return self._module.fingerprint()

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        labels = self._labels()
        running = self.prepare(self._module.network(), device, dtype)
        return ScoreModel(
            denoiser=_Denoiser(running, self, labels.to(device)),
            shape=self.shape,
            s_min=labels.s_range[0],
            s_max=labels.s_range[1],
            weights=file_hash(self.name, self._module.weights),
            target=pixel_target(self.data, self.held_out),
        )

    def _labels(self) -> Labels:
        if self.schedule in ("vp", "flow"):
            kind: Literal["vp", "flow"] = "vp" if self.schedule == "vp" else "flow"
            ends = self._ends(0.1, 20.0)
            return labels_of_time(
                kind, self.labels, self.levels, ends, self.whole, self.towards_data
            )
        return labels_of_table(self._levels(), self.labels, self.whole)

    def _levels(self) -> LevelTable:
        if self.betas is not None:
            return table_of_betas(self.betas)
        if self.alphas_cumprod is not None:
            return table_of_squares(self.alphas_cumprod)
        if self.table:
            return _read_table(Path(self.table))
        return table_of_schedule(self.schedule, self.levels, self._ends(1e-4, 0.02))

    def _ends(self, start: float, end: float) -> tuple[float, float]:
        return (
            start if self.beta_start is None else self.beta_start,
            end if self.beta_end is None else self.beta_end,
        )


def _read_table(path: Path) -> LevelTable:
    arrays = load_tensors(path)
    found = [name for name in ("betas", "alphas_cumprod") if name in arrays]
    if len(found) != 1:
        raise BenchError(f"{path}: must hold one array 'betas', or one 'alphas_cumprod'")
    values = arrays[found[0]].double().flatten()
    try:
        return table_of_betas(values) if found == ["betas"] else table_of_squares(values)
    except ValueError as error:
        raise BenchError(f"{path}: {error}; correct the table") from None


@dataclass(frozen=True, eq=False)
class _Denoiser:
    """D(y; s) of a network that sees x_t = alpha y and a label."""

    network: Running
    model: DiscreteModel
    labels: Labels

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        level = levels_of(s)
        alpha = alpha_of(self.labels.path, level)
        label = self.labels(level, alpha).expand(y.shape[0])
        time = label if self.labels.whole else label.to(self.network.inner)
        raw = self._without_variances(self.network(scale_rows(y, alpha), time), y)
        if self.model.towards_data and self.model.predicts == "velocity":
            raw = -raw
        return to_denoised(self.model.predicts, raw, y, level, alpha)

    def _without_variances(self, raw: Tensor, y: Tensor) -> Tensor:
        channels = y.shape[1] * (2 if self.model.variances else 1)
        if raw.shape != (y.shape[0], channels, *y.shape[2:]):
            raise BenchError(
                f"model 'discrete': '{self.model.factory}' gives {tuple(raw.shape[1:])} for x_t of "
                f"{tuple(y.shape[1:])}; correct it, or set variances: true where it gives twice "
                "the channels"
            )
        return raw[:, : y.shape[1]]
