"""Samples of distributions in closed form: a learned score then has an exact one beside it."""

from __future__ import annotations

import torch

from bench.api import BenchError
from bench_train.plugin_options import parse_model
from bench_train.split import DataSplit, Labelled

EXACT = "model:"
_TRAIN, _TEST = 200_000, 10_000


def exact_samples(text: str) -> DataSplit:
    """200,000 and 10,000 exact samples, float32, of the model that ``text`` names.

    Args:
        text: a name, or YAML with parameters: `{name: random_mixture, dim: 8}`.

    Raises:
        BenchError: there is no such model, or it has no closed form of real numbers.
    """
    params, model = parse_model(text)
    loaded = model.load(torch.device("cpu"), torch.float64)
    exact = loaded.target.exact
    if exact is None or loaded.target.discrete is not None:
        raise BenchError(
            f"--data {EXACT}{text}: '{model.name}' has no closed form of real numbers; take one "
            "such as gaussian_mixture"
        )
    train, test = (
        Labelled(exact.sample(count, seed).float())
        for seed, count in enumerate((_TRAIN, _TEST), start=1)
    )
    source = {"name": model.name, "params": params}
    licence = "none needed: drawn from a formula"
    return DataSplit(loaded.target.data, 0, licence, train, test, source)
