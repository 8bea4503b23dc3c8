"""BibTeX entries of the papers that this family names."""

FFJORD = r"""@inproceedings{grathwohl2019ffjord,
  author = {Grathwohl, Will and Chen, Ricky T. Q. and Bettencourt, Jesse and Sutskever, Ilya and Duvenaud, David},
  title = {{FFJORD}: Free-Form Continuous Dynamics for Scalable Reversible Generative Models},
  booktitle = {International Conference on Learning Representations},
  year = {2019},
  eprint = {1810.01367},
  archiveprefix = {arXiv}
}
"""

SCIKIT_LEARN = r"""@article{pedregosa2011scikit,
  author = {Pedregosa, Fabian and Varoquaux, Ga{\"e}l and Gramfort, Alexandre and others},
  title = {Scikit-learn: Machine Learning in {Python}},
  journal = {Journal of Machine Learning Research},
  volume = {12},
  pages = {2825--2830},
  year = {2011}
}
"""
