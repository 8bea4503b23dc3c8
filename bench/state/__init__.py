"""The state of a process that numbers rest on: seen before and after strangers' code, and undone.

with undo_changes() as changes:
    ...  # strangers' code
# `changes` says what it changed, and all that can be undone is undone
"""

from bench.state.snapshot import Change, Changes, Snapshot, shorten, undo_changes

__all__ = ["Change", "Changes", "Snapshot", "shorten", "undo_changes"]
