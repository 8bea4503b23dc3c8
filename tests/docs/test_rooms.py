"""The rooms of the house in CONTRIBUTING and ADR 13 are those that `lint-imports` holds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Layers = list[list[str]]


@pytest.fixture(scope="module")
def layers() -> Layers:
    """The layers of the contract, from the top, the rooms of each in order."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("needs the source tree")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (found,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [_rooms(layer.replace("bench.", "")) for layer in found]


def _rooms(line: str) -> list[str]:
    return [room.strip() for room in line.split("|")]


def test_every_folder_is_a_room(layers: Layers) -> None:
    folders = {path.parent.name for path in (ROOT / "bench").glob("*/__init__.py")}
    assert folders == {room for layer in layers for room in layer}


def test_the_decision_has_them(layers: Layers) -> None:
    text = (ROOT / "docs" / "adr" / "0013-rooms.md").read_text(encoding="utf-8")
    assert [_rooms(line) for line in re.findall(r"^    (\w.*)$", text, re.MULTILINE)] == layers


def test_contributing_has_them(layers: Layers) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    house = text.partition("## The house\n")[2].partition("## Glossary\n")[0]
    block = next(block for block in house.split("```") if block.startswith("\ncli "))
    assert [_rooms(line) for line in re.findall(r"^(\w.*?)  ", block, re.MULTILINE)] == layers
