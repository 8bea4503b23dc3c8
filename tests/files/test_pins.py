"""The list of pinned files: no bit of it changes what is trusted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.core.errors import BenchError
from bench.files.pins import Pin, lock_file, own_pins, pin_of, set_pin

PINS = {
    "mine": Pin("a" * 64, 12, "https://example.org/a", "models/a.bin", own=True),
    "other": Pin("b" * 64, 13, "https://example.org/b", "models/b.bin"),
}


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of two pins."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    for name, pin in PINS.items():
        set_pin(name, pin)
    return lock_file()


def read() -> dict[str, Pin | None]:
    """What is pinned."""
    assert own_pins().keys() <= PINS.keys()
    return {name: pin_of(name) for name in PINS}


def test_every_flipped_bit_is_harmless_or_reported(lock: Path) -> None:
    whole = lock.read_bytes()
    assert read() == PINS
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            lock.write_bytes(changed)
            try:
                found = read()
            except BenchError as error:
                told = str(error)
                assert_names(told, lock)
                continue
            assert found == PINS, (at, bit)


def assert_names(told: str, lock: Path) -> None:
    """The message says which file it is, and what to do."""
    assert told.startswith(f"{lock}: is no list of pinned files (")
    assert "mend it, or delete it" in told


def test_lists_without_a_checksum_are_read_and_get_one(lock: Path) -> None:
    record = json.loads(lock.read_text(encoding="utf-8"))
    del record["#sha256"]
    lock.write_text(json.dumps(record), encoding="utf-8")
    assert read() == PINS
    set_pin("mine", PINS["mine"])
    assert "#sha256" in json.loads(lock.read_text(encoding="utf-8"))
    assert read() == PINS


@pytest.mark.parametrize("name", ["mine", "other"])
def test_a_name_that_changed_by_hand_is_seen(name: str, lock: Path) -> None:
    lock.write_text(lock.read_text().replace(f'"{name}"', '"third"'), encoding="utf-8")
    with pytest.raises(BenchError, match="its checksum does not hold"):
        read()
