"""Which columns two numbers must share before they may be compared."""

from __future__ import annotations

from bench.run.schema import SECTIONS

PROTOCOL: tuple[str, ...] = (
    "metric_n",
    *(
        column.name
        for section in SECTIONS
        if section.title == "The protocol"
        for column in section.columns
        if column.name != "started"
    ),
)
"""All that the report says about how a number came to be."""

QUALITY: tuple[str, ...] = (
    "metric_n",
    "samples",
    "dtype",
    "s_min",
    "s_max",
    "finish",
    "weights",
    "reference_hash",
)
"""Values of one metric are comparable where these agree."""

TIMING: tuple[str, ...] = (
    "device",
    "device_kind",
    "threads",
    "workers",
    "batch",
    "shard",
    "dtype",
    "torch",
)
"""Wall-clock times are comparable where these agree."""
