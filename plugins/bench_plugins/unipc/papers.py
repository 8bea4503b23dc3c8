"""BibTeX of the papers that this family names."""

ZHAO2023UNIPC = r"""@inproceedings{zhao2023unipc,
  author = {Zhao, Wenliang and Bai, Lujia and Rao, Yongming and Zhou, Jie and Lu, Jiwen},
  title = {{UniPC}: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023},
  eprint = {2302.04867},
  archiveprefix = {arXiv}
}
"""
