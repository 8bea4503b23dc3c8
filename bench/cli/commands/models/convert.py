"""`bench models convert`: checkpoints as safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.registry import Registry

EPILOG = """
    bench models convert edm-cifar10-32x32-cond-vp.pkl edm.safetensors
    bench models convert checkpoint_24.pth ncsnpp.safetensors --preset ve/cifar10_ncsnpp_continuous

The result holds the moving average alone, says itself what network it is, and names by sha256 the
file that it was made of. SOURCE may be published:NAME.
"""

Source = Annotated[str, typer.Argument(help="A checkpoint, such as a .pth or a .pkl.")]
Target = Annotated[Path, typer.Argument(help="The .safetensors file to write.")]
Preset = Annotated[
    str, typer.Option(help="Its configuration, where the file does not say (score_sde).")
]
Recipe = Annotated[str, typer.Option(help="A JSON file in the place of --preset.")]
ModelName = Annotated[str, typer.Option(help="The model to read it with; default: found out.")]


def convert(
    source: Source, target: Target, preset: Preset = "", recipe: Recipe = "", model: ModelName = ""
) -> None:
    """Write a checkpoint as safetensors that describe themselves."""
    from bench.registry import load_registry

    given = {"preset": preset, "recipe": recipe}
    parameters = {key: value for key, value in given.items() if value}
    used = convert_checkpoint(source, target, model, parameters, load_registry())
    print(f"wrote {target} (model {used})")


def convert_checkpoint(
    source: str, target: Path, model: str, parameters: Mapping[str, Any], registry: Registry
) -> str:
    """Write ``source`` as safetensors, by ``model`` or whichever knows the file; its name.

    Raises:
        BenchError: none knows it, it cannot be read, or the target cannot be written.
    """
    from bench.cli.commands.models.content import describe
    from bench.core.target import Exports
    from bench.registry import Kind, build

    if not model:
        found = describe(source, registry)
        if found is None:
            raise BenchError(
                f"{source}: no model knows this kind of file; name one with --model (see "
                "docs/checkpoints.md)"
            )
        model = found.model
    entry = registry.get(model, Kind.MODEL)
    plugin = build(entry.cls, {"path": source, **parameters})
    if not isinstance(plugin, Exports):
        raise BenchError(f"model '{model}' cannot write safetensors; its files may be such already")
    plugin.export(target)
    return model
