"""Networks of published checkpoints, under the key names of their files."""
