"""BibTeX entries of the papers that this family names."""

FID = """@inproceedings{heusel2017gans,
  author = {Heusel, Martin and Ramsauer, Hubert and Unterthiner, Thomas and Nessler, Bernhard and Hochreiter, Sepp},
  title = {{GANs} Trained by a Two Time-Scale Update Rule Converge to a Local {Nash} Equilibrium},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2017},
  eprint = {1706.08500},
  archiveprefix = {arXiv}
}
"""

SCORE_SDE = """@inproceedings{song2021score,
  author = {Song, Yang and Sohl-Dickstein, Jascha and Kingma, Diederik P. and Kumar, Abhishek and Ermon, Stefano and Poole, Ben},
  title = {Score-Based Generative Modeling through Stochastic Differential Equations},
  booktitle = {International Conference on Learning Representations},
  year = {2021},
  eprint = {2011.13456},
  archiveprefix = {arXiv}
}
"""

BARYCENTERS = r"""@inproceedings{rabin2011wasserstein,
  author = {Rabin, Julien and Peyr{\'e}, Gabriel and Delon, Julie and Bernot, Marc},
  title = {{Wasserstein} Barycenter and Its Application to Texture Mixing},
  booktitle = {Scale Space and Variational Methods in Computer Vision},
  year = {2011}
}
"""

SLICED_WASSERSTEIN = r"""@article{bonneel2015sliced,
  author = {Bonneel, Nicolas and Rabin, Julien and Peyr{\'e}, Gabriel and Pfister, Hanspeter},
  title = {Sliced and {Radon} {Wasserstein} Barycenters of Measures},
  journal = {Journal of Mathematical Imaging and Vision},
  volume = {51},
  number = {1},
  pages = {22--45},
  year = {2015}
}
"""

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

EDM = """@inproceedings{karras2022elucidating,
  author = {Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli},
  title = {Elucidating the Design Space of Diffusion-Based Generative Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022},
  eprint = {2206.00364},
  archiveprefix = {arXiv}
}
"""
