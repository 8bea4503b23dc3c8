"""The keys of diffusers' configurations."""

from __future__ import annotations

from bench_plugins.checkpoints.keys import KeyTable, keys, same_keys

_STEPS = "the scheduler's own choice of steps"
_ORDER = "the scheduler's own solver"
_CLIP = "clipping of x_0 within the scheduler's own steps; D here is the network's own"
_RECORD = "bookkeeping"

SCHEDULER_KEYS = KeyTable(
    "diffusers: scheduler_config.json",
    (
        *keys(
            "honoured",
            _class_name="which scheduler; one that is not known is refused by name",
            num_train_timesteps="the number of labels; of flows what the time is multiplied by",
        ),
        *same_keys("honoured", "the table of noise levels", "beta_start beta_end beta_schedule"),
        *keys(
            "honoured",
            trained_betas="the table itself; must have num_train_timesteps entries",
            rescale_betas_zero_snr=(
                "the table without its last signal; a last level without any cannot be asked for"
            ),
            prediction_type="what the network gives; what the scheduler does not know is refused",
            variance_type=(
                "`learned`, `learned_range`: twice the channels, of which the second half is "
                "dropped"
            ),
            timestep_type=(
                "`continuous` with v_prediction: the label is ln(sigma) / 4; without, as "
                "diffusers has it, nothing"
            ),
            use_flow_sigmas=(
                "x_t = (1 - sigma) x_0 + sigma eps, label num_train_timesteps sigma; with "
                "v_prediction, or with another choice of sigmas than UniPC's Karras, refused"
            ),
            sigma_data="of EDM's preconditioning",
            sigma_min="range of EDM's, VE's and continuous labels; else the scheduler's own steps",
            sigma_max="range of EDM's, VE's and continuous labels; else the scheduler's own steps",
        ),
        *keys(
            "refused",
            predict_epsilon=(
                "the old name of prediction_type, which diffusers ignores now; unless it agrees"
            ),
            invert_sigmas="`true`: time runs the other way",
            interpolation_type=(
                "`log_linear`: labels that do not belong to their noise; unless they follow "
                "from it (Karras, exponential or beta sigmas, continuous labels)"
            ),
        ),
        *same_keys(
            "irrelevant",
            _STEPS,
            "timestep_spacing steps_offset use_karras_sigmas use_exponential_sigmas "
            "use_beta_sigmas use_lu_lambdas lambda_min_clipped sigma_schedule rho "
            "final_sigmas_type set_alpha_to_one set_alpha_to_zero flow_shift shift "
            "use_dynamic_shifting base_shift max_shift base_image_seq_len max_image_seq_len "
            "shift_terminal time_shift_type sampling_eps timestep_values",
        ),
        *same_keys(
            "irrelevant",
            _ORDER,
            "skip_prk_steps solver_order solver_type solver_p algorithm_type predictor_order "
            "corrector_order tau_func predict_x0 disable_corrector lower_order_final "
            "euler_at_final noise_sampler_seed stochastic_sampling snr correct_steps",
        ),
        *same_keys(
            "irrelevant",
            _CLIP,
            "clip_sample clip_sample_range thresholding dynamic_thresholding_ratio "
            "sample_max_value",
        ),
        *same_keys("irrelevant", _RECORD, "_diffusers_version _name_or_path tensor_format"),
    ),
)

LEFT_OUT = frozenset(
    key.name for key in SCHEDULER_KEYS.keys if key.meaning in (_STEPS, _ORDER, _CLIP)
)
"""Keys of the scheduler's own steps, which nothing here follows."""

_OWN_NETWORK = "diffusers' own network takes it into account"

UNET_KEYS = KeyTable(
    "diffusers: config.json of the UNet2DModel",
    (
        *keys(
            "honoured",
            _class_name="must be UNet2DModel",
            sample_size=(
                "the shape; without it, or where its sides do not divide by two as often as there "
                "are down-samplings, refused"
            ),
            in_channels="the channels of an image",
            out_channels="in_channels, or twice as many with learned variances; else refused",
            num_class_embeds="the number of classes",
            time_embedding_type=(
                "`positional`; `fourier` where labels are positive (VE, flows); `learned` is "
                "refused, as its labels are whole"
            ),
        ),
        *keys(
            "refused",
            class_embed_type="`timestep`, `identity`: classes that are no numbers of classes",
        ),
        *same_keys(
            "honoured",
            _OWN_NETWORK + "; values that it cannot have are refused",
            "down_block_types up_block_types block_out_channels layers_per_block "
            "downsample_padding downsample_type upsample_type act_fn norm_num_groups "
            "attn_norm_num_groups resnet_time_scale_shift",
        ),
        *same_keys(
            "honoured",
            _OWN_NETWORK,
            "center_input_sample time_embedding_dim freq_shift flip_sin_to_cos mid_block_type "
            "mid_block_scale_factor attention_head_dim norm_eps "
            "add_attention",
        ),
        *keys("irrelevant", num_train_timesteps="of learned time embeddings, which are refused"),
        *same_keys(
            "irrelevant",
            "of training",
            "dropout decay inv_gamma min_decay optimization_step power update_after_step "
            "use_ema_warmup",
        ),
        *same_keys("irrelevant", _RECORD, "_diffusers_version _name_or_path"),
    ),
)

INDEX_KEYS = KeyTable(
    "diffusers: model_index.json",
    (
        *keys(
            "honoured",
            _class_name="DDPMPipeline, DDIMPipeline, PNDMPipeline or ScoreSdeVePipeline",
            unet="must be diffusers' UNet2DModel",
            scheduler="must be diffusers', of the class that its own record names",
        ),
        *same_keys("irrelevant", _RECORD, "_diffusers_version _name_or_path"),
    ),
)
"""Any other part (`vqvae`, `vae`, `text_encoder`, ...) is refused by name."""
