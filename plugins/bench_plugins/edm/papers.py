"""BibTeX of the papers that this family names."""

KARRAS2022ELUCIDATING = r"""@inproceedings{karras2022elucidating,
  author = {Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli},
  title = {Elucidating the Design Space of Diffusion-Based Generative Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022},
  eprint = {2206.00364},
  archiveprefix = {arXiv}
}
"""

ZHOU2024FAST = r"""@inproceedings{zhou2024fast,
  author = {Zhou, Zhenyu and Chen, Defang and Wang, Can and Chen, Chun},
  title = {Fast {ODE}-based Sampling for Diffusion Models in Around 5 Steps},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2024},
  eprint = {2312.00094},
  archiveprefix = {arXiv}
}
"""
