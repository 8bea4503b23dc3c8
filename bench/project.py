"""Names and versions that the host and its plugins share."""

from __future__ import annotations

import pluggy

__version__ = "0.1.0"

PROJECT = "scorebench"
GROUP = "scorebench.plugins"
API_VERSION = "3.3"
"""The version of the plugin API: the minor part grows with additions, the major with changes."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Decorator that marks a function of a plugin's module as a hook."""
