"""The keys of the configurations of score_sde, EDM and k-diffusion."""

from __future__ import annotations

from bench_plugins.checkpoints.keys import KeyTable, keys, same_keys

_SIZES = "sizes and parts of the network; must fit the weights"
_TRAINING = "of training"
_AUTHORS = "the network's own sizes again; must agree with them"

SCORE_SDE_KEYS = KeyTable(
    "score_sde: a recipe",
    (
        *keys(
            "honoured",
            sde="`ve`, `vp` or `subvp`",
            continuous=(
                "all levels; or a table of network.num_scales, which subvp and Fourier embeddings "
                "do not have"
            ),
            data="name of the data set",
            beta_min="of vp and subvp; of a table of N levels beta_min / N",
            beta_max="of vp and subvp; of a table of N levels beta_max / N",
            network="the next table",
        ),
    ),
)
NCSNPP_KEYS = KeyTable(
    "score_sde: `network` of a recipe",
    (
        *keys(
            "honoured",
            image_size="the shape",
            channels="the shape",
            num_scales=(
                "N levels of a discrete recipe, labels t (N - 1); continuous ones of vp and subvp "
                "are told 999 t whatever N, as the authors' are"
            ),
            sigma_min="of ve, in the units of the images",
            sigma_max="of ve, in the units of the images",
            centered="images in [-1, 1]; vp and subvp must have it",
            scale_by_sigma="the output is divided by sigma; of ve alone",
            embedding="`fourier`: of ve alone; `positional`",
            conditional="whether it is told the level at all",
        ),
        *same_keys(
            "honoured",
            _SIZES,
            "nf ch_mult num_res_blocks attn_resolutions resblock resamp_with_conv fir fir_taps "
            "skip_rescale progressive progressive_input combine",
        ),
        *keys("irrelevant", fourier_scale="the frequencies are read from the file"),
        *keys("irrelevant", dropout=_TRAINING),
    ),
)

EDM_FILE_KEYS = KeyTable(
    "EDM: a .pkl",
    (
        *keys("honoured", ema="the network", dataset_kwargs="`path`: name of the data set"),
        *same_keys("irrelevant", _TRAINING, "loss_fn augment_pipe"),
    ),
)
EDM_PRECOND_KEYS = KeyTable(
    "EDM: the preconditioning of a .pkl",
    (
        *keys(
            "honoured",
            sigma_data="of `edm`",
            sigma_min="range of noise levels",
            sigma_max="range of noise levels",
            beta_d="of `vp`",
            beta_min="of `vp`",
            M="number of labels of `vp` and `iddpm`",
            C_1="of `iddpm`",
            C_2="of `iddpm`",
        ),
        *keys(
            "irrelevant",
            use_fp16="ask for it: precision: float16",
            epsilon_t="sigma_min follows from it",
            training="of torch, as are names that begin with `_`",
        ),
        *same_keys("honoured", _AUTHORS, "img_resolution img_channels label_dim"),
    ),
)
_EDM_SIZES = (
    "model_channels channel_mult channel_mult_emb num_blocks attn_resolutions embedding_type "
    "channel_mult_noise encoder_type decoder_type resample_filter"
)
EDM_NETWORK_KEYS = KeyTable(
    "EDM: the network of a .pkl",
    (
        *same_keys("honoured", "the shape", "img_resolution in_channels"),
        *keys(
            "honoured",
            out_channels="in_channels or more; what is more is dropped",
            label_dim="the number of classes",
            augment_dim="size of the augmentation labels, which are zero here",
        ),
        *same_keys("honoured", _SIZES, _EDM_SIZES),
        *same_keys("irrelevant", _TRAINING, "dropout label_dropout"),
    ),
)
EDM_RECIPE_KEYS = KeyTable(
    "EDM: the record of a .safetensors",
    (
        *keys(
            "honoured",
            precond="`edm`, `vp`, `ve` or `iddpm`",
            network="as in a .pkl, and `family`: `song` or `dhariwal`",
            data="name of the data set",
        ),
        *(
            key
            for key in EDM_PRECOND_KEYS.keys
            if key.effect == "honoured" and key.meaning != _AUTHORS
        ),
    ),
)

K_DIFFUSION_KEYS = KeyTable(
    "k-diffusion: a configuration",
    (
        *keys("honoured", model="the next tables", dataset="the last table"),
        *same_keys("irrelevant", _TRAINING, "optimizer lr_sched ema_sched"),
    ),
)
_K_SHARED = (
    *keys(
        "honoured",
        type="`image_v1` or `image_transformer_v2`; others are refused",
        input_channels="the shape",
        input_size="the shape",
        sigma_data="of the preconditioning",
        sigma_min="range of noise levels",
        sigma_max="range of noise levels",
        loss_config="`karras` or `simple`, which mean the same D",
    ),
    *same_keys(
        "irrelevant",
        _TRAINING,
        "dropout_rate augment_prob loss_weighting loss_scales sigma_sample_density",
    ),
)
IMAGE_V1_KEYS = KeyTable(
    "k-diffusion: `model` of type image_v1",
    (
        *_K_SHARED,
        *keys(
            "honoured",
            has_variance="a further output, which is dropped",
            augment_wrapper="augmentation labels, which are zero here",
        ),
        *same_keys(
            "honoured",
            _SIZES,
            "mapping_out depths channels self_attn_depths patch_size skip_stages",
        ),
        *same_keys(
            "refused",
            "conditions that are not given here; unless 0",
            "mapping_cond_dim unet_cond_dim cross_cond_dim",
        ),
        *keys("irrelevant", cross_attn_depths="of cross_cond_dim"),
    ),
)
TRANSFORMER_V2_KEYS = KeyTable(
    "k-diffusion: `model` of type image_transformer_v2",
    (
        *_K_SHARED,
        *same_keys(
            "honoured",
            _SIZES,
            "depths widths patch_size d_ffs self_attns mapping_width mapping_depth mapping_d_ff",
        ),
        *same_keys("refused", "conditions that are not given here; unless 0", "mapping_cond_dim"),
        *same_keys(
            "refused", "not of this network; unless false or 0", "augment_wrapper skip_stages"
        ),
        *keys(
            "irrelevant",
            has_variance="the network has no such output",
            mapping_dropout_rate=_TRAINING,
        ),
    ),
)
K_DATASET_KEYS = KeyTable(
    "k-diffusion: `dataset`",
    (
        *keys(
            "honoured",
            type="`cifar10`, `mnist`: name of the data set",
            num_classes="of image_transformer_v2; image_v1 knows none",
        ),
        *same_keys(
            "irrelevant",
            _TRAINING,
            "location cond_dropout_rate image_key class_key get_dataset config",
        ),
    ),
)
