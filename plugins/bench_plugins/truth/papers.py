"""BibTeX entries of what this family implements."""

from bench.api import paper

BONNEEL2015 = paper("bonneel2015sliced")

BISHOP2006 = """\
@book{bishop2006pattern,
  title = {Pattern Recognition and Machine Learning},
  author = {Bishop, Christopher M.},
  publisher = {Springer},
  year = {2006},
}
"""

TALTS2018 = """\
@misc{talts2018validating,
  title = {Validating {Bayesian} Inference Algorithms with Simulation-Based Calibration},
  author = {Talts, Sean and Betancourt, Michael and Simpson, Daniel and Vehtari, Aki and Gelman, Andrew},
  year = {2018},
  eprint = {1804.06788},
  archivePrefix = {arXiv},
}
"""

KAY1993 = """\
@book{kay1993fundamentals,
  title = {Fundamentals of Statistical Signal Processing: Estimation Theory},
  author = {Kay, Steven M.},
  publisher = {Prentice Hall},
  year = {1993},
}
"""

LOPEZPAZ2017 = """\
@inproceedings{lopezpaz2017revisiting,
  title = {Revisiting Classifier Two-Sample Tests},
  author = {Lopez-Paz, David and Oquab, Maxime},
  booktitle = {International Conference on Learning Representations},
  year = {2017},
  eprint = {1610.06545},
  archivePrefix = {arXiv},
}
"""

GORHAM2017 = """\
@inproceedings{gorham2017measuring,
  title = {Measuring Sample Quality with Kernels},
  author = {Gorham, Jackson and Mackey, Lester},
  booktitle = {International Conference on Machine Learning},
  year = {2017},
  eprint = {1703.01717},
  archivePrefix = {arXiv},
}
"""

WANG2004 = """\
@article{wang2004image,
  title = {Image Quality Assessment: From Error Visibility to Structural Similarity},
  author = {Wang, Zhou and Bovik, Alan C. and Sheikh, Hamid R. and Simoncelli, Eero P.},
  journal = {IEEE Transactions on Image Processing},
  volume = {13},
  number = {4},
  pages = {600--612},
  year = {2004},
}
"""

ZHANG2018 = """\
@inproceedings{zhang2018unreasonable,
  title = {The Unreasonable Effectiveness of Deep Features as a Perceptual Metric},
  author = {Zhang, Richard and Isola, Phillip and Efros, Alexei A. and Shechtman, Eli and Wang, Oliver},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  year = {2018},
  eprint = {1801.03924},
  archivePrefix = {arXiv},
}
"""

KAIPIO2005 = """\
@book{kaipio2005statistical,
  title = {Statistical and Computational Inverse Problems},
  author = {Kaipio, Jari and Somersalo, Erkki},
  publisher = {Springer},
  year = {2005},
}
"""
