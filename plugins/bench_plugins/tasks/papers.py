"""BibTeX entries of what this family implements."""

from bench.api import paper

SONG2021 = paper("song2021score")
