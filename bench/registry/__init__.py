"""Finds plugins, guards the host against broken ones, and builds them strictly from parameters."""

from bench.registry.discovery import load_registry, own_sources, registry_of
from bench.registry.entries import Broken, Entry, Kind, Meddling, Registry, Source
from bench.registry.guard import guard_state
from bench.registry.named import make_plugin
from bench.registry.parameters import ParameterError, build, parameters
from bench.registry.point import WITHOUT

__all__ = [
    "WITHOUT",
    "Broken",
    "Entry",
    "Kind",
    "Meddling",
    "ParameterError",
    "Registry",
    "Source",
    "build",
    "guard_state",
    "load_registry",
    "make_plugin",
    "own_sources",
    "parameters",
    "registry_of",
]
