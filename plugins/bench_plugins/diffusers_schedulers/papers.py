"""BibTeX of what this family names."""

VONPLATEN2022DIFFUSERS = r"""@misc{vonplaten2022diffusers,
  author = {von Platen, Patrick and Patil, Suraj and Lozhkov, Anton and Cuenca, Pedro and Lambert, Nathan and Rasul, Kashif and Davaadorj, Mishig and Nair, Dhruv and Paul, Sayak and Berman, William and Xu, Yiyi and Liu, Steven and Wolf, Thomas},
  title = {Diffusers: State-of-the-art diffusion models},
  year = {2022},
  howpublished = {\url{https://github.com/huggingface/diffusers}}
}
"""
