"""BibTeX of the papers that this family names."""

PEI2025OPTIMAL = r"""@inproceedings{pei2025optimal,
  author = {Pei, Jianning and Hu, Han and Gu, Shuyang},
  title = {Optimal Stepsize for Diffusion Sampling},
  booktitle = {arXiv preprint arXiv:2503.21774},
  year = {2025},
  eprint = {2503.21774},
  archiveprefix = {arXiv}
}
"""

TONG2025LEARNING = r"""@inproceedings{tong2025learning,
  author = {Tong, Vinh and Hoang, Trung-Dung and Liu, Anji and Van den Broeck, Guy and Niepert, Mathias},
  title = {Learning to Discretize Denoising Diffusion {ODEs}},
  booktitle = {International Conference on Learning Representations},
  year = {2025},
  eprint = {2405.15506},
  archiveprefix = {arXiv}
}
"""

FRANKEL2025S4S = r"""@inproceedings{frankel2025s4s,
  author = {Frankel, Eric and Chen, Sitan and Li, Jerry and Koh, Pang Wei and Ratliff, Lillian J. and Oh, Sewoong},
  title = {{S4S}: Solving for a Diffusion Model Solver},
  booktitle = {International Conference on Machine Learning},
  year = {2025},
  eprint = {2502.17423},
  archiveprefix = {arXiv}
}
"""

ZHU2025DISTILLING = r"""@inproceedings{zhu2025distilling,
  author = {Zhu, Beier and Wang, Ruoyu and Zhao, Tong and Zhang, Hanwang and Zhang, Chi},
  title = {Distilling Parallel Gradients for Fast {ODE} Solvers of Diffusion Models},
  booktitle = {IEEE/CVF International Conference on Computer Vision},
  year = {2025},
  eprint = {2507.14797},
  archiveprefix = {arXiv}
}
"""
