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

HO2020DENOISING = r"""@inproceedings{ho2020denoising,
  author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter},
  title = {Denoising Diffusion Probabilistic Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020},
  eprint = {2006.11239},
  archiveprefix = {arXiv}
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

SONG2019GENERATIVE = r"""@inproceedings{song2019generative,
  author = {Song, Yang and Ermon, Stefano},
  title = {Generative Modeling by Estimating Gradients of the Data Distribution},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2019},
  eprint = {1907.05600},
  archiveprefix = {arXiv}
}
"""

SONG2021SCORE = r"""@inproceedings{song2021score,
  author = {Song, Yang and Sohl-Dickstein, Jascha and Kingma, Diederik P. and Kumar, Abhishek and Ermon, Stefano and Poole, Ben},
  title = {Score-Based Generative Modeling through Stochastic Differential Equations},
  booktitle = {International Conference on Learning Representations},
  year = {2021},
  eprint = {2011.13456},
  archiveprefix = {arXiv}
}
"""
