"""``--only``: the cells that the user wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bench.core.errors import BenchError
from bench.results.schema import FILTERS
from bench.run.cell import KINDS, Cell


@dataclass(frozen=True)
class CellFilter:
    """Passes a cell if, for each named field, one pattern fits."""

    patterns: Mapping[str, tuple[str, ...]]

    @staticmethod
    def parse(texts: Sequence[str]) -> CellFilter:
        """From ``field=pattern`` or a bare pattern, which is looked for in the cell's title.

        Raises:
            BenchError: an unknown field.
        """
        patterns: dict[str, tuple[str, ...]] = {}
        for text in texts:
            name, equals, pattern = text.partition("=")
            if not equals:
                name, pattern = "title", f"*{text}*"
            elif name not in FILTERS:
                raise BenchError(
                    f"--only {text}: unknown field '{name}'; there are: {', '.join(FILTERS)}"
                )
            patterns[name] = (*patterns.get(name, ()), pattern)
        return CellFilter(patterns)

    def accepts(self, cell: Cell) -> bool:
        """True if the cell is wanted."""
        fields = _fields(cell)
        return all(
            any(fnmatchcase(fields[name], pattern) for pattern in patterns)
            for name, patterns in self.patterns.items()
        )


def _fields(cell: Cell) -> Mapping[str, str]:
    return {
        "title": cell.title,
        "suite": cell.suite,
        **{name: spec.name if (spec := getattr(cell, name)) else "" for name in KINDS},
        "sampler": cell.sampler,
        "nfe": str(cell.budget or ""),
        "seed": str(cell.seed),
    }
