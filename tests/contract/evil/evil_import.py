"""Cannot be imported."""

raise RuntimeError("no import today,\nnor tomorrow")
