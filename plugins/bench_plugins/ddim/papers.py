"""BibTeX of the papers that this family names."""

LIN2024COMMON = r"""@inproceedings{lin2024common,
  author = {Lin, Shanchuan and Liu, Bingchen and Li, Jiashi and Yang, Xiao},
  title = {Common Diffusion Noise Schedules and Sample Steps are Flawed},
  booktitle = {IEEE/CVF Winter Conference on Applications of Computer Vision},
  year = {2024},
  eprint = {2305.08891},
  archiveprefix = {arXiv}
}
"""

SONG2021DDIM = r"""@inproceedings{song2021ddim,
  author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano},
  title = {Denoising Diffusion Implicit Models},
  booktitle = {International Conference on Learning Representations},
  year = {2021},
  eprint = {2010.02502},
  archiveprefix = {arXiv}
}
"""
