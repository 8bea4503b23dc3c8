"""BibTeX entries of the papers that this family names."""

FID_INFINITY = """@inproceedings{chong2020effectively,
  author = {Chong, Min Jin and Forsyth, David},
  title = {Effectively Unbiased {FID} and {Inception} Score and Where to Find Them},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2020},
  eprint = {1911.07023},
  archiveprefix = {arXiv}
}
"""

KID = r"""@inproceedings{binkowski2018demystifying,
  author = {Bi{\'n}kowski, Miko{\l}aj and Sutherland, Danica J. and Arbel, Michael and Gretton, Arthur},
  title = {Demystifying {MMD} {GANs}},
  booktitle = {International Conference on Learning Representations},
  year = {2018},
  eprint = {1801.01401},
  archiveprefix = {arXiv}
}
"""

INCEPTION_SCORE = """@inproceedings{salimans2016improved,
  author = {Salimans, Tim and Goodfellow, Ian and Zaremba, Wojciech and Cheung, Vicki and Radford, Alec and Chen, Xi},
  title = {Improved Techniques for Training {GANs}},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2016},
  eprint = {1606.03498},
  archiveprefix = {arXiv}
}
"""

STEIN = """@misc{stein2023exposing,
  author = {Stein, George and Cresswell, Jesse C. and Hosseinzadeh, Rasa and Sui, Yi and Ross, Brendan Leigh and Villecroze, Valentin and Liu, Zhaoyan and Caterini, Anthony L. and Taylor, J. Eric T. and Loaiza-Ganem, Gabriel},
  title = {Exposing flaws of generative model evaluation metrics and their unfair treatment of diffusion models},
  year = {2023},
  eprint = {2306.04675},
  archiveprefix = {arXiv}
}
"""
