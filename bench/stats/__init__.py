"""Statistics of plain arrays: intervals, tests, curves, profiles, ranks. Knows no frames."""
