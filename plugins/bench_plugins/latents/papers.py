"""BibTeX entries of the papers that this family names."""

ENERGY_TEST = r"""@article{szekely2005normality,
  author = {Sz{\'e}kely, G{\'a}bor J. and Rizzo, Maria L.},
  title = {A New Test for Multivariate Normality},
  journal = {Journal of Multivariate Analysis},
  volume = {93},
  number = {1},
  pages = {58--80},
  year = {2005}
}
"""

SLERP = r"""@inproceedings{shoemake1985animating,
  author = {Shoemake, Ken},
  title = {Animating Rotation with Quaternion Curves},
  booktitle = {Proceedings of SIGGRAPH},
  pages = {245--254},
  year = {1985}
}
"""
