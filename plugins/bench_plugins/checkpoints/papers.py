"""BibTeX entries of the papers that this family names."""

SCORE_SDE = """@inproceedings{song2021score,
  author = {Song, Yang and Sohl-Dickstein, Jascha and Kingma, Diederik P. and Kumar, Abhishek and Ermon, Stefano and Poole, Ben},
  title = {Score-Based Generative Modeling through Stochastic Differential Equations},
  booktitle = {International Conference on Learning Representations},
  year = {2021},
  eprint = {2011.13456},
  archiveprefix = {arXiv}
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

DDPM = """@inproceedings{ho2020denoising,
  author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter},
  title = {Denoising Diffusion Probabilistic Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020},
  eprint = {2006.11239},
  archiveprefix = {arXiv}
}
"""

HOURGLASS = """@misc{crowson2024scalable,
  author = {Crowson, Katherine and Baumann, Stefan Andreas and Birch, Alex and Abraham, Tanishq Mathew and Kaplan, Daniel Z. and Shippole, Enrico},
  title = {Scalable High-Resolution Pixel-Space Image Synthesis with {Hourglass} Diffusion Transformers},
  year = {2024},
  eprint = {2401.11605},
  archiveprefix = {arXiv}
}
"""

K_DIFFUSION = r"""@misc{crowson2022kdiffusion,
  author = {Crowson, Katherine},
  title = {k-diffusion},
  year = {2022},
  howpublished = {\url{https://github.com/crowsonkb/k-diffusion}}
}
"""
