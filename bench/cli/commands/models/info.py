"""`bench models info`: all that is known of a published file, or of a checkpoint of one's own."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options import Json, print_json
from bench.printable import printable

EPILOG = """
    bench models info edm-cifar10-32x32-uncond-vp
    bench models info my/checkpoint.safetensors
    bench models info hub:google/ddpm-cifar10-32

Of a checkpoint that is here it says the network, its parameters, data and noise levels. Nothing in
the file is executed.
"""

Name = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A published file's name, or a path.")
]


def info(name: Name, json: Json = False) -> None:
    """Describe a published file or a checkpoint."""
    from bench.cli.commands.models.content import info_of
    from bench.registry import load_registry

    fields = info_of(name, load_registry())
    if json:
        print_json(fields)
        return
    for key, value in fields.items():
        nested = value if isinstance(value, dict) else {}
        print(printable(f"{key}:" if nested else f"{key}: {'-' if value is None else value}"))
        for inner, what in nested.items():
            print(printable(f"  {inner}: {what}"))
