"""The file of what workers print has an end."""

from __future__ import annotations

import os
from pathlib import Path

from bench.run.log import trim


def test_a_large_log_keeps_its_last_lines_and_its_writers(tmp_path: Path) -> None:
    log = tmp_path / "workers.log"
    writer = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        lines = b"".join(b"line %04d\n" % i for i in range(1000))
        os.write(writer, lines)
        trim(log, len(lines))
        assert log.read_bytes() == lines
        os.write(writer, b"x\n")
        trim(log, len(lines))
        os.write(writer, b"later\n")
        told = log.read_bytes().splitlines()
    finally:
        os.close(writer)
    assert told[0] == b"[earlier output was dropped]"
    assert told[-3:] == [b"line 0999", b"x", b"later"]
    assert told[1:-2] == [b"line %04d" % i for i in range(1000 - len(told) + 3, 1000)]
    assert log.stat().st_size < 0.6 * len(lines)


def test_a_line_without_end_is_kept_from_the_middle(tmp_path: Path) -> None:
    log = tmp_path / "workers.log"
    log.write_bytes(b"x" * 100_000 + b"\n")
    trim(log, 50_000)
    assert log.read_bytes() == b"[earlier output was dropped]\n" + b"x" * 24_999 + b"\n"


def test_a_log_that_is_gone_is_no_reason_to_stop(tmp_path: Path) -> None:
    trim(tmp_path / "none")
