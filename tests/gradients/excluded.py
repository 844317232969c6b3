"""What finite differences do not check, each with its reason."""

# Entries of PyTorch's database, by name, or name and dtype.
_ENTRIES = {
    "the result has less precision than finite differences need": (
        "bfloat16", "float", "half", "cfloat", "chalf",
    ),
    "the result is a sample: the gradient is zero by definition": (
        "normal", "normal.number_mean",
    ),
    "its samples are at points without a derivative": (
        "linalg.norm.subgradients_at_zero", "grid_sampler_3d",
    ),
    "its samples read memory that is not the input's": ("as_strided.partial_views",),
    "its samples write one place twice; the entries with .grad do not": (
        "nn.functional.max_unpool1d", "nn.functional.max_unpool2d", "nn.functional.max_unpool3d",
    ),
    "its samples have the root of a negative number; own_samples.py has others": (
        "__rpow__/float64",
    ),
    "undefined where masked out, which only PyTorch's private functions tell": tuple(
        "masked." + name
        for name in (
            "amax", "amin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean",
            "median", "norm", "normalize", "softmax", "softmin", "std", "var",
        )
    ),
    "its weights are float32": ("cov",),
    "its options are an object of PyTorch; tests/nn/test_linear_cross_entropy.py has ours": (
        "nn.functional.linear_cross_entropy.chunked",
        "nn.functional.linear_cross_entropy.chunked_none",
    ),
    "refused in place, as its result is real": ("abs, abs_/complex128",),
}  # fmt: skip
ENTRIES = {name: reason for reason, names in _ENTRIES.items() for name in names}

# Nodes of the graph, by name.
NODES = {
    "FakeQuantizeElementsBackward0": "passes straight through",
    "PointwiseBackward0": "what a pointwise op defined at run time is called",
    "StandardGammaBackward0": "implicit; see tests/ops/test_samplers.py",
    "SampleDirichletBackward0": "implicit; see tests/ops/test_samplers.py",
    "StandardGammaGradBackward0": "nobody has this derivative",
    "DirichletGradBackward0": "nobody has this derivative",
}

# Public functions that the database lacks, by what they are.
_FUNCTIONS = {
    "does not compute with elements": (
        "are_deterministic_algorithms_enabled can_cast cpu_level fork_rng get_default_device "
        "get_default_dtype get_deterministic_debug_mode get_device get_float32_matmul_precision "
        "get_num_interop_threads get_num_threads get_printoptions get_rng_state initial_seed "
        "is_complex is_conj is_deterministic_algorithms_warn_only_enabled is_floating_point "
        "is_grad_enabled is_inference is_inference_mode_enabled is_neg is_nonzero is_same_size "
        "is_signed is_storage is_tensor is_warn_always_enabled load manual_seed numel printoptions "
        "promote_types result_type save seed set_default_device set_default_dtype "
        "set_default_tensor_type set_deterministic_debug_mode set_float32_matmul_precision "
        "set_flush_denormal set_library_path set_num_interop_threads set_num_threads "
        "set_printoptions set_rng_state set_warn_always show_threads typename "
        "use_deterministic_algorithms vmap write_outs compiled_with_cxx11_abi from_file "
        "get_device_module get_file_path init_num_threads is_anomaly_check_nan_enabled "
        "is_anomaly_enabled is_distributed is_vulkan_available set_anomaly_enabled "
        "install_as_torch thread_safe_generator"
    ),
    "has no derivative": "binomial",
    "works on plain numbers": (
        "sym_constrain_range sym_float sym_int sym_ite sym_max sym_min sym_not sym_sqrt sym_sum"
    ),
    "raises: its successors are checked": "symeig",
    "raises: it is for sparse or quantised tensors": (
        "ccol_indices_copy col_indices_copy crow_indices_copy indices_copy int_repr "
        "q_per_channel_axis q_per_channel_scales q_per_channel_zero_points q_scale q_zero_point "
        "row_indices_copy smm sspaddmm values_copy"
    ),
    "is a conversion to float32": "dequantize",
    "asks for or sets a mode": (
        "clear_autocast_cache get_autocast_cpu_dtype get_autocast_dtype get_autocast_gpu_dtype "
        "is_autocast_cache_enabled is_autocast_cpu_enabled is_autocast_enabled "
        "set_autocast_cache_enabled set_autocast_cpu_dtype set_autocast_dtype"
    ),
    "is not there yet, and says so": "compile",
    "passes straight through: tests/functional/test_quantization.py compares it": (
        "fake_quantize_per_channel_affine fake_quantize_per_tensor_affine"
    ),
    "makes a tensor without history": (
        "as_tensor asarray detach from_dlpack from_numpy frombuffer rand randperm range tensor "
        "to_dlpack bartlett_window blackman_window hamming_window hann_window kaiser_window "
        "detach_ detach_copy lobpcg fft.fftfreq fft.rfftfreq"
    ),
    "tests/functional/test_recurrent.py has two derivatives of it": (
        "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell"
    ),
    "tests/nn/test_grouped.py has its derivative": "nn.functional.grouped_mm",
    "has integers as result": (
        "bitwise_and_ bitwise_left_shift_ bitwise_not_ bitwise_or_ bitwise_right_shift_ "
        "bitwise_xor_ gcd_ lcm_"
    ),
    "another name of what is checked, with other arguments": (
        "affine_grid_generator grid_sampler native_dropout norm_except_dim embedding_renorm_ "
        "segment_reduce slice_inverse"
    ),
    "the same with its indices": (
        "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices "
        + " ".join(
            f"nn.functional.{kind}_with_indices"
            for kind in (
                "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d",
                "fractional_max_pool2d", "fractional_max_pool3d", "max_pool1d", "max_pool2d",
                "max_pool3d",
            )
        )
    ),
}  # fmt: skip
FUNCTIONS = {name: reason for reason, names in _FUNCTIONS.items() for name in names.split()}
