"""BibTeX of the papers that this family names."""

ABDULLE2002ROCK4 = r"""@article{abdulle2002rock4,
  author = {Abdulle, Assyr},
  title = {Fourth Order {Chebyshev} Methods with Recurrence Relation},
  journal = {SIAM Journal on Scientific Computing},
  volume = {23},
  number = {6},
  pages = {2041--2054},
  year = {2002}
}
"""

ESSER2024SCALING = r"""@inproceedings{esser2024scaling,
  author = {Esser, Patrick and Kulal, Sumith and Blattmann, Andreas and others},
  title = {Scaling Rectified Flow Transformers for High-Resolution Image Synthesis},
  booktitle = {International Conference on Machine Learning},
  year = {2024},
  eprint = {2403.03206},
  archiveprefix = {arXiv}
}
"""

JIN2025AFLOPS = r"""@misc{jin2025aflops,
  author = {Jin, Cheng and Xiao, Zhenyu and Gu, Yuantao},
  title = {{A-FloPS}: Accelerating Diffusion Models via Adaptive Flow Path Sampler},
  year = {2025},
  eprint = {2509.00036},
  archiveprefix = {arXiv}
}
"""

LIPMAN2023FLOW = r"""@inproceedings{lipman2023flow,
  author = {Lipman, Yaron and Chen, Ricky T. Q. and Ben-Hamu, Heli and Nickel, Maximilian and Le, Matt},
  title = {Flow Matching for Generative Modeling},
  booktitle = {International Conference on Learning Representations},
  year = {2023},
  eprint = {2210.02747},
  archiveprefix = {arXiv}
}
"""

LIU2023FLOW = r"""@inproceedings{liu2023flow,
  author = {Liu, Xingchao and Gong, Chengyue and Liu, Qiang},
  title = {Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified Flow},
  booktitle = {International Conference on Learning Representations},
  year = {2023},
  eprint = {2209.03003},
  archiveprefix = {arXiv}
}
"""

SKARAS2021SUPER = r"""@article{skaras2021super,
  author = {Skaras, Timothy and Saxton, Torrey and Meyer, Chad and Aslam, Tariq D.},
  title = {Super-Time-Stepping Schemes for Parabolic Equations with Boundary Conditions},
  journal = {Journal of Computational Physics},
  volume = {425},
  pages = {109879},
  year = {2021}
}
"""

TAN2025STORK = r"""@misc{tan2025stork,
  author = {Tan, Zheng and Wang, Weizhen and Bertozzi, Andrea L. and Ryu, Ernest K.},
  title = {{STORK}: Faster Diffusion and Flow Matching Sampling by Resolving both Stiffness and Structure-Dependence},
  year = {2025},
  eprint = {2505.24210},
  archiveprefix = {arXiv}
}
"""
