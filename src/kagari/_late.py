"""Functions and methods whose files are imported at their first use: which name is in which file.

That keeps `import kagari` quick. Functions are found by the package's `__getattr__`; methods are
installed here and find their function when they are called.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

_FILES = {
    "copies": "adjoint as_strided_ detach_ detach_copy fill_ ger resize_as_ slice_inverse "
    "unsafe_split_with_sizes",
    "covariance": "corrcoef cov",
    "differences": "diff gradient",
    "distances": "cdist",
    "histograms": "histogram histogramdd",
    "integrals": "cumulative_trapezoid trapezoid trapz",
    "layers": "affine_grid_generator bilinear binary_cross_entropy_with_logits channel_shuffle "
    "constant_pad_nd conv_tbc cosine_embedding_loss cosine_similarity ctc_loss embedding_bag "
    "embedding_renorm_ grid_sampler grid_sampler_2d grid_sampler_3d hardshrink "
    "hinge_embedding_loss "
    "instance_norm kl_div margin_ranking_loss native_channel_shuffle native_dropout "
    "pairwise_distance pdist pixel_shuffle pixel_unshuffle poisson_nll_loss prelu rrelu rrelu_ "
    "threshold_ triplet_margin_loss",
    "limits": "clamp_max clamp_max_ clamp_min clamp_min_ vander",
    "lobpcg": "lobpcg",
    "low_rank": "pca_lowrank svd_lowrank",
    "membership": "hash_tensor isin",
    "norms": "frobenius_norm norm_except_dim nuclear_norm renorm renorm_",
    "quantization": "fake_quantize_per_channel_affine fake_quantize_per_tensor_affine",
    "recurrent": "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
    "segments": "segment_reduce",
    "spectrum": "istft stft",
    "windows": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
}
_METHODS = (
    "clamp_max", "clamp_max_", "clamp_min", "clamp_min_", "corrcoef", "cov", "diff", "ger",
    "hardshrink", "hash_tensor", "histogram", "istft", "prelu", "renorm", "renorm_",
    "slice_inverse", "stft", "unsafe_split_with_sizes",
)  # fmt: skip
_NOT_FUNCTIONS = ("renorm_",)
PLACES = {name: file for file, names in _FILES.items() for name in names.split()}
FUNCTIONS = [name for name in PLACES if name not in _NOT_FUNCTIONS]


def find(name: str) -> Any:
    """The function of that name."""
    return getattr(import_module(f"kagari.functional.{PLACES[name]}"), name)


def _method(name: str) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return find(name)(self, *args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"See kagari.{name}."
    return call


METHODS = {name: _method(name) for name in _METHODS}
