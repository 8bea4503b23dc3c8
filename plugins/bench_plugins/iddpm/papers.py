"""BibTeX of the papers that this family names."""

NICHOL2021IMPROVED = r"""@inproceedings{nichol2021improved,
  author = {Nichol, Alexander Quinn and Dhariwal, Prafulla},
  title = {Improved Denoising Diffusion Probabilistic Models},
  booktitle = {International Conference on Machine Learning},
  year = {2021},
  eprint = {2102.09672},
  archiveprefix = {arXiv}
}
"""
