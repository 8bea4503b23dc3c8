"""BibTeX of the papers that this family names."""

LIU2022PSEUDO = r"""@inproceedings{liu2022pseudo,
  author = {Liu, Luping and Ren, Yi and Lin, Zhijie and Zhao, Zhou},
  title = {Pseudo Numerical Methods for Diffusion Models on Manifolds},
  booktitle = {International Conference on Learning Representations},
  year = {2022},
  eprint = {2202.09778},
  archiveprefix = {arXiv}
}
"""

ROMBACH2022HIGH = r"""@inproceedings{rombach2022high,
  author = {Rombach, Robin and Blattmann, Andreas and Lorenz, Dominik and Esser, Patrick and Ommer, Bj{\"o}rn},
  title = {High-Resolution Image Synthesis with Latent Diffusion Models},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2022},
  eprint = {2112.10752},
  archiveprefix = {arXiv}
}
"""
