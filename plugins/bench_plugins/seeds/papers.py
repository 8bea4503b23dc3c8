"""BibTeX of the papers that this family names."""

GONZALEZ2023SEEDS = r"""@inproceedings{gonzalez2023seeds,
  author = {Gonzalez, Martin and Fernandez Pinto, Nelson and Tran, Thuy and Gherbi, Elies and Hajri, Hatem and Masmoudi, Nader},
  title = {{SEEDS}: Exponential {SDE} Solvers for Fast High-Quality Sampling from Diffusion Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023},
  eprint = {2305.14267},
  archiveprefix = {arXiv}
}
"""
