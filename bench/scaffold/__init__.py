"""`bench plugins new`: a complete plugin package, ready to install, check and run."""

from bench.scaffold.package import write_package

__all__ = ["write_package"]
