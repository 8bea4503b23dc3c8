"""BibTeX of the papers that this family names."""

DUANE1987HYBRID = r"""@article{duane1987hybrid,
  author = {Duane, Simon and Kennedy, A. D. and Pendleton, Brian J. and Roweth, Duncan},
  title = {Hybrid {Monte} {Carlo}},
  journal = {Physics Letters B},
  volume = {195},
  number = {2},
  pages = {216--222},
  year = {1987}
}
"""

NEAL2011MCMC = r"""@incollection{neal2011mcmc,
  author = {Neal, Radford M.},
  title = {{MCMC} Using {Hamiltonian} Dynamics},
  booktitle = {Handbook of {Markov} Chain {Monte} {Carlo}},
  publisher = {Chapman \& Hall/CRC},
  year = {2011},
  eprint = {1206.1901},
  archiveprefix = {arXiv}
}
"""
