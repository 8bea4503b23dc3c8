"""BibTeX entries of the papers that this family names."""

from bench.api import paper

BARYCENTERS = r"""@inproceedings{rabin2011wasserstein,
  author = {Rabin, Julien and Peyr{\'e}, Gabriel and Delon, Julie and Bernot, Marc},
  title = {{Wasserstein} Barycenter and Its Application to Texture Mixing},
  booktitle = {Scale Space and Variational Methods in Computer Vision},
  year = {2011}
}
"""

SLICED_WASSERSTEIN = paper("bonneel2015sliced")

ENERGY_DISTANCE = r"""@article{szekely2013energy,
  author = {Sz{\'e}kely, G{\'a}bor J. and Rizzo, Maria L.},
  title = {Energy Statistics: A Class of Statistics Based on Distances},
  journal = {Journal of Statistical Planning and Inference},
  volume = {143},
  number = {8},
  pages = {1249--1272},
  year = {2013}
}
"""
