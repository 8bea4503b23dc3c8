"""BibTeX entries of the papers that this family names."""

from bench.api import paper

BARYCENTERS = r"""@inproceedings{rabin2011wasserstein,
  author = {Rabin, Julien and Peyr{\'e}, Gabriel and Delon, Julie and Bernot, Marc},
  title = {{Wasserstein} Barycenter and Its Application to Texture Mixing},
  booktitle = {Scale Space and Variational Methods in Computer Vision},
  year = {2011}
}
"""

SLICED_WASSERSTEIN = paper("bonneel2015sliced")

ENERGY_DISTANCE = paper("szekely2013energy")

RAVURI2019 = """@inproceedings{ravuri2019classification,
  author = {Ravuri, Suman and Vinyals, Oriol},
  title = {Classification Accuracy Score for Conditional Generative Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2019},
  eprint = {1905.10887},
  archiveprefix = {arXiv}
}
"""

RELIABLE_FIDELITY = r"""@inproceedings{naeem2020reliable,
  author = {Naeem, Muhammad Ferjad and Oh, Seong Joon and Uh, Youngjung and Choi, Yunjey and Yoo, Jaejun},
  title = {Reliable Fidelity and Diversity Metrics for Generative Models},
  booktitle = {International Conference on Machine Learning},
  year = {2020},
  eprint = {2002.09797},
  archiveprefix = {arXiv}
}
"""

BENNY2021 = """@article{benny2021evaluation,
  author = {Benny, Yaniv and Galanti, Tomer and Benaim, Sagie and Wolf, Lior},
  title = {Evaluation Metrics for Conditional Image Generation},
  journal = {International Journal of Computer Vision},
  year = {2021},
  eprint = {2004.12361},
  archiveprefix = {arXiv}
}
"""
