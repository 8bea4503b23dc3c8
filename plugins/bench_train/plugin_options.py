"""Plugins as options name them: by a name, or by YAML with parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bench.api import (
    BenchError,
    Model,
    NoiseProcess,
    ParameterError,
    Plugin,
    Trainable,
    TrainableClassifier,
    make_plugin,
)
from bench_train.settings import Sizes

P = TypeVar("P", bound=Plugin)


@dataclass(frozen=True)
class PluginOption:
    """An option, or an argument, that names a plugin.

    Attributes:
        name: what messages call it, such as ``--process``.
        example: a text that it takes.
    """

    name: str
    example: str

    def plugin(
        self, contract: Callable[..., P], text: str, more: Mapping[str, object] | None = None
    ) -> P:
        """Return the plugin that ``text`` names, built with its parameters and ``more``.

        Args:
            contract: the plugin's kind.
            text: a name, or YAML with parameters.
            more: parameters that options of their own give, by the options' names.

        Raises:
            BenchError: there is no such plugin, or it does not take such parameters.
        """
        params = {**self.parse(text), **(more or {})}
        name = str(params.pop("name"))
        try:
            return make_plugin(contract, name, params)
        except ParameterError as error:
            if error.key in (more or {}):
                raise BenchError(
                    f"{self.name} '{text}': --{error.key}: {error.message}; change such options or "
                    "leave them out"
                ) from None
            place = f"parameter '{error.key}' " if error.key else ""
            raise BenchError(f"{self.name} '{text}': {place}{error}") from None

    def parse(self, text: str) -> dict[str, Any]:
        """Return the name and the parameters; raises BenchError where there is no name."""
        try:
            content = YAML(typ="safe", pure=True).load(text)
        except YAMLError:
            content = None
        mapping = {"name": content} if isinstance(content, str) else content
        if not isinstance(mapping, dict) or not isinstance(mapping.get("name"), str):
            raise BenchError(f"{self.name} '{text}': give a name such as {self.example}")
        return mapping


def parse_process(text: str) -> NoiseProcess:
    """Return the process of a name, or of YAML as in benchmarks: `{name: ve, sigma_min: 0.02}`.

    Raises:
        BenchError: there is no such process, or it does not take such parameters.
    """
    option = PluginOption("--process", "vp, or '{name: ve, sigma_max: 100.0}'")
    return option.plugin(NoiseProcess, text)


def parse_network(text: str, sizes: Sizes) -> Trainable:
    """Return the network of a name, or of YAML with parameters, and of ``sizes`` beside them.

    Raises:
        BenchError: there is no such network, or it does not take such sizes.
    """
    option = PluginOption("--network", "mlp, or '{name: ncsnpp, width: 64}'")
    return option.plugin(Trainable, text, sizes.given)


def parse_model(text: str) -> tuple[dict[str, object], Model]:
    """Return parameters and model of a name, or of YAML with parameters.

    Raises:
        BenchError: there is no such model, or it does not take such parameters.
    """
    option = PluginOption("--data model:", "gaussian_mixture, or '{name: random_mixture, dim: 8}'")
    params = {key: value for key, value in option.parse(text).items() if key != "name"}
    return params, option.plugin(Model, text)


def parse_classifier(text: str, widths: tuple[int, ...] | None) -> TrainableClassifier:
    """Return the classifier of a name, or of YAML with parameters, and of ``widths``.

    Raises:
        BenchError: there is no such classifier, or it does not take such parameters.
    """
    option = PluginOption("--network", "classifier, or '{name: classifier, widths: [8, 16]}'")
    return option.plugin(TrainableClassifier, text, {"widths": widths} if widths else {})
