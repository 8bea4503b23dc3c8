"""BibTeX of the papers that this family names."""

HOCHBRUCK2005EXPLICIT = r"""@article{hochbruck2005explicit,
  author = {Hochbruck, Marlis and Ostermann, Alexander},
  title = {Explicit Exponential {Runge--Kutta} Methods for Semilinear Parabolic Problems},
  journal = {SIAM Journal on Numerical Analysis},
  volume = {43},
  number = {3},
  pages = {1069--1090},
  year = {2005}
}
"""

ZHANG2023IMPROVED = r"""@misc{zhang2023improved,
  author = {Zhang, Qinsheng and Song, Jiaming and Chen, Yongxin},
  title = {Improved Order Analysis and Design of Exponential Integrator for Diffusion Models Sampling},
  year = {2023},
  eprint = {2308.02157},
  archiveprefix = {arXiv}
}
"""
