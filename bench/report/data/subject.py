"""The tables of one subject."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bench.extensions.data import SubjectData
from bench.render.table import Table
from bench.report.data.orders import Order, error_fits
from bench.report.data.ranks import rank_samplers, rank_tables
from bench.report.data.values import value_tables, wall_clock_table


@dataclass(frozen=True)
class SubjectTables:
    """What is written of a subject beside its figures.

    Attributes:
        tables: of values, times and ranks.
        orders: of its errors.
        ranking: see `rank_samplers`.
    """

    tables: tuple[Table, ...]
    orders: tuple[Order, ...]
    ranking: pd.DataFrame


def tabulate(subject: SubjectData) -> SubjectTables:
    """Make the tables of a subject."""
    points = subject.points
    ranking = rank_samplers(subject.rows)
    units = dict(zip(points["metric"], points["unit"], strict=True))
    tables = (
        *value_tables(points),
        *wall_clock_table(points),
        *rank_tables(ranking, units),
    )
    orders = tuple(order for fit in error_fits(points) for order in fit.orders)
    return SubjectTables(tables, orders, ranking)
