"""BibTeX entries of what this family implements."""

from bench.api import paper

HO2022CFG = """\
@misc{ho2022classifier,
  title = {Classifier-Free Diffusion Guidance},
  author = {Ho, Jonathan and Salimans, Tim},
  year = {2022},
  eprint = {2207.12598},
  archivePrefix = {arXiv},
}
"""

KYNKAANNIEMI2024 = """\
@inproceedings{kynkaanniemi2024applying,
  title = {Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in
    Diffusion Models},
  author = {Kynk{\\"a}{\\"a}nniemi, Tuomas and Aittala, Miika and Karras, Tero and Laine, Samuli and
    Aila, Timo and Lehtinen, Jaakko},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2024},
  eprint = {2404.07724},
  archivePrefix = {arXiv},
}
"""

WANG2024SCHEDULERS = """\
@misc{wang2024analysis,
  title = {Analysis of Classifier-Free Guidance Weight Schedulers},
  author = {Wang, Xi and Dufour, Nicolas and Andreou, Nefeli and Cani, Marie-Paule and
    Fern{\\'a}ndez Abrevaya, Victoria and Picard, David and Kalogeiton, Vicky},
  year = {2024},
  eprint = {2404.13040},
  archivePrefix = {arXiv},
}
"""

CHUNG2025 = """\
@inproceedings{chung2025cfgpp,
  title = {{CFG++}: Manifold-constrained Classifier Free Guidance for Diffusion Models},
  author = {Chung, Hyungjin and Kim, Jeongsol and Park, Geon Yeong and Nam, Hyelin and
    Ye, Jong Chul},
  booktitle = {International Conference on Learning Representations},
  year = {2025},
  eprint = {2406.08070},
  archivePrefix = {arXiv},
}
"""

SADAT2025 = """\
@inproceedings{sadat2025eliminating,
  title = {Eliminating Oversaturation and Artifacts of High Guidance Scales in Diffusion Models},
  author = {Sadat, Seyedmorteza and Hilliges, Otmar and Weber, Romann M.},
  booktitle = {International Conference on Learning Representations},
  year = {2025},
  eprint = {2410.02416},
  archivePrefix = {arXiv},
}
"""

FAN2025 = """\
@misc{fan2025cfgzero,
  title = {{CFG-Zero*}: Improved Classifier-Free Guidance for Flow Matching Models},
  author = {Fan, Weichen and Zheng, Amber Yijia and Yeh, Raymond A. and Liu, Ziwei},
  year = {2025},
  eprint = {2503.18886},
  archivePrefix = {arXiv},
}
"""

DHARIWAL2021 = """\
@inproceedings{dhariwal2021guided,
  title = {Diffusion Models Beat {GAN}s on Image Synthesis},
  author = {Dhariwal, Prafulla and Nichol, Alex},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2021},
  eprint = {2105.05233},
  archivePrefix = {arXiv},
}
"""

INGRAHAM2023 = """\
@article{ingraham2023illuminating,
  title = {Illuminating protein space with a programmable generative model},
  author = {Ingraham, John B. and Baranov, Max and Costello, Zak and others},
  journal = {Nature},
  volume = {623},
  year = {2023},
  doi = {10.1038/s41586-023-06728-8},
}
"""

KARRAS2024 = paper("karras2024guiding")
SZEKELY2013 = paper("szekely2013energy")
