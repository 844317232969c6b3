"""Special functions, under the names of torch.special. Their arithmetic is in kernels/math/."""

from typing import Any

from . import _C

_SHARED = (
    "digamma", "erf", "erfc", "erfinv", "exp2", "expm1", "i0", "log1p",
    "log_softmax", "logit", "logsumexp", "polygamma", "round", "sinc", "softmax", "xlogy",
)  # fmt: skip
_RENAMED = {
    "expit": "sigmoid", "gammainc": "igamma", "gammaincc": "igammac", "gammaln": "lgamma",
    "multigammaln": "mvlgamma", "psi": "digamma",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    own = _C.places.get("functions.special", {})
    for key in (name, "special_" + name):
        if key in own:
            return own[key]
    if name in _SHARED or name in _RENAMED:
        import kagari

        return getattr(kagari, _RENAMED.get(name, name))
    raise AttributeError(f"module 'kagari.special' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*_C.places.get("functions.special", {}), *_SHARED, *_RENAMED})
