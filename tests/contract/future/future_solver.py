"""Must not even be imported: what it needs is not there."""

raise RuntimeError("imported although the version does not fit")
