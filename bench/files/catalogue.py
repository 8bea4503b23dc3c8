"""Lists of published files, as plugins ship them."""

from __future__ import annotations

from importlib.resources import files

from pydantic import TypeAdapter

from bench.files.asset import Asset


def read_assets(package: str, file: str) -> tuple[Asset, ...]:
    """Read the assets of a JSON file (a list of the fields of `Asset`) that lies in ``package``.

    Raises:
        ValueError: the file, which is the plugin's own, is wrong.
    """
    text = files(package).joinpath(file).read_text(encoding="utf-8")
    return TypeAdapter(tuple[Asset, ...]).validate_json(text, strict=True)
