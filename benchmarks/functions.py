"""The functions that programs use most, called eagerly at three sizes: where they are slow.

`python -m benchmarks --functions` times them and ends with the slowest. The aim is to be no slower
than PyTorch anywhere, so the target of each is 1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import Workload, normal

# size: elements of a vector, sizes of a matrix, of a square one, of images, of (B, H, T, D), and
# how many matrices of 8 x 8
SIZES: dict[str, tuple[Any, ...]] = {
    "tiny": (16, (4, 4), 4, (1, 2, 8, 8), (1, 1, 4, 8), 2),
    "medium": (100_000, (250, 400), 64, (4, 8, 56, 56), (2, 4, 64, 32), 200),
    "large": (2_000_000, (1000, 2000), 512, (16, 32, 56, 56), (4, 8, 256, 64), 10_000),
}


def inputs(lib: Any, size: str) -> dict[str, Any]:
    """The tensors that the code below names."""
    n, (rows, columns), side, images, heads, batch = SIZES[size]
    generator = np.random.default_rng(0)

    def whole(high: int, *shape: int) -> Any:
        return lib.from_numpy(generator.integers(0, high, shape))

    square = normal(lib, side, side).to(lib.float64)
    small = normal(lib, batch, 8, 8)
    return {
        "t": lib, "F": lib.nn.functional, "L": lib.linalg,
        "a": normal(lib, n), "b": normal(lib, n, seed=1), "p": normal(lib, n, seed=2).abs() + 0.1,
        "m": normal(lib, rows, columns), "o": normal(lib, rows, columns, seed=1),
        "v": normal(lib, columns), "g": normal(lib, rows, columns, grad=True),
        "k": whole(100, n), "i": whole(rows, rows), "j": whole(columns, rows, columns),
        "c": whole(columns, rows), "s": square, "S": square @ square.mT + side * lib.eye(side),
        "y": small, "Y": small @ small.mT + 8 * lib.eye(8), "x": normal(lib, *images),
        "w": normal(lib, 8, images[1], 3, 3), "q": normal(lib, *heads),
        "C": lib.complex(normal(lib, rows, columns), normal(lib, rows, columns, seed=1)),
        "z": whole(2, rows, columns).to(lib.float32),
    }  # fmt: skip


# name: code
CALLS = {
    "empty_like": "t.empty_like(a)", "zeros_like": "t.zeros_like(m)", "full": "t.full((8,), 2.0)",
    "arange": "t.arange(1000)", "linspace": "t.linspace(0, 1, 1000)", "eye": "t.eye(64)",
    "rand_like": "t.rand_like(a)", "randint": "t.randint(0, 9, (1000,))",
    "randperm": "t.randperm(1000)", "clone": "m.clone()", "transposed copy": "m.t().contiguous()",
    "permuted copy": "x.permute(0, 2, 3, 1).contiguous()", "to bfloat16": "a.to(t.bfloat16)",
    "to float16": "a.to(t.float16)", "to float64": "a.double()", "to int64": "a.long()",
    "bool to float": "(k > 50).float()",
    "cat": "t.cat([m, o])", "stack": "t.stack([m, o], 1)", "split": "t.split(m, 2)[0]",
    "pad": "F.pad(m, (1, 1))", "pad images": "F.pad(x, (1, 1, 1, 1))", "flip": "m.flip(1)",
    "roll": "m.roll(1, 1)", "repeat": "m.repeat(2, 2)", "tril": "m.tril()",
    "repeat_interleave": "m.repeat_interleave(2, 0)", "expand_as": "v.expand_as(m).contiguous()",
    "meshgrid": "t.meshgrid(v, v, indexing='ij')[0]", "where": "t.where(a > 0, a, b)",
    "masked_fill": "m.masked_fill(m > 0, 0.0)", "masked_select": "a[a > 0]",
    "nonzero": "(a > 1).nonzero()", "index_select": "m.index_select(0, i)", "index": "m[i]",
    "gather": "m.gather(1, j)", "scatter": "m.scatter(1, j, o)",
    "scatter_add": "m.scatter_add(1, j, o)", "index_add": "m.index_add(0, i, o)",
    "index_put": "m.index_put((i,), o)", "one_hot": "F.one_hot(i)", "take": "a.take(c)",
    "embedding": "F.embedding(i, m)", "bincount": "k.bincount()", "unique": "k.unique()",
    "unique of floats": "a.unique()", "histc": "a.histc(100)",
    "searchsorted": "t.searchsorted(v, m)",
    "sort": "m.sort()", "argsort": "m.argsort()", "topk": "m.topk(3)", "median": "m.median(1)",
    "kthvalue": "m.kthvalue(2)", "quantile": "t.quantile(a[:1000], 0.3)",
    "add": "a + b", "mul": "a * 2", "div": "a / b", "pow": "p ** 1.7", "square": "a ** 2",
    "sqrt": "p.sqrt()", "exp": "a.exp()", "log": "p.log()", "tanh": "a.tanh()",
    "sigmoid": "a.sigmoid()", "erf": "a.erf()", "erfinv": "t.erfinv(a * 0.1)", "sin": "a.sin()",
    "atan2": "t.atan2(a, b)", "lgamma": "p.lgamma()", "digamma": "p.digamma()", "abs": "a.abs()",
    "round": "a.round()", "clamp": "a.clamp(-1, 1)", "lerp": "t.lerp(a, b, 0.3)",
    "addcmul": "t.addcmul(a, a, b)", "isnan": "a.isnan()", "floor_divide": "k // 7",
    "remainder": "a % 0.7", "bitwise_and": "k & 15", "logical_and": "t.logical_and(a, b)",
    "isclose": "t.isclose(a, b)", "allclose": "t.allclose(a, a)", "equal": "t.equal(a, a)",
    "sum": "m.sum()", "sum dim 0": "m.sum(0)", "mean": "m.mean(1)", "var": "m.var(1)",
    "std": "m.std(0)", "prod": "p.prod()", "amax": "m.amax(1)", "argmax": "m.argmax(1)",
    "argmin of all": "m.argmin()", "max": "m.max(1)", "any": "(a > 5).any()", "norm": "m.norm()",
    "norm dim 1": "m.norm(dim=1)", "logsumexp": "m.logsumexp(1)", "cumsum": "m.cumsum(1)",
    "cumprod": "p.cumprod(0)", "cummax": "m.cummax(1)", "diff": "a.diff()",
    "mode": "k[:1000].mode()",
    "softmax": "m.softmax(1)", "log_softmax": "m.log_softmax(1)", "normalize": "F.normalize(m)",
    "relu": "F.relu(a)", "gelu": "F.gelu(a)", "silu": "F.silu(a)", "elu": "F.elu(a)",
    "softplus": "F.softplus(a)", "mish": "F.mish(a)", "hardswish": "F.hardswish(a)",
    "leaky_relu": "F.leaky_relu(a)", "prelu": "F.prelu(m, v)", "glu": "F.glu(m)",
    "layer_norm": "F.layer_norm(m, m.shape[1:])", "rms_norm": "F.rms_norm(m, m.shape[1:])",
    "batch_norm": "F.batch_norm(m, None, None, training=True)", "group_norm": "F.group_norm(x, 2)",
    "dropout": "F.dropout(a)", "cosine_similarity": "F.cosine_similarity(m, o)",
    "linear": "F.linear(m, o)", "matmul": "m @ o.mT", "mv": "m @ v", "outer": "t.outer(v, v)",
    "bmm": "y @ y", "einsum": "t.einsum('ij,kj->ik', m, o)", "cdist": "t.cdist(m[:200], o[:200])",
    "cdist backward": "t.cdist(g[:200], o[:200]).sum().backward()", "dot": "a.dot(b)",
    "attention": "F.scaled_dot_product_attention(q, q, q)",
    "causal attention": "F.scaled_dot_product_attention(q, q, q, is_causal=True)",
    "conv2d": "F.conv2d(x, w)", "conv2d padded": "F.conv2d(x, w, padding=1)",
    "max_pool2d": "F.max_pool2d(x, 2)", "avg_pool2d": "F.avg_pool2d(x, 2)",
    "adaptive_avg_pool2d": "F.adaptive_avg_pool2d(x, 1)",
    "adaptive_avg_pool2d to 7": "F.adaptive_avg_pool2d(x, 7)",
    "interpolate nearest": "F.interpolate(x, scale_factor=2)",
    "interpolate bilinear": "F.interpolate(x, scale_factor=2, mode='bilinear')",
    "unfold": "F.unfold(x, 3)",
    "pixel_shuffle": "F.pixel_shuffle(x[:1, :1].expand(1, 4, -1, -1), 2)",
    "cross_entropy": "F.cross_entropy(m, c)", "mse_loss": "F.mse_loss(a, b)",
    "smooth_l1_loss": "F.smooth_l1_loss(a, b)",
    "bce_with_logits": "F.binary_cross_entropy_with_logits(m, z)",
    "kl_div": "F.kl_div(m, z, reduction='batchmean')",
    "softmax backward": "g.softmax(1)[:, 0].sum().backward()",
    "layer_norm backward": "F.layer_norm(g, g.shape[1:]).sum().backward()",
    "mean backward": "(g * g).mean().backward()",
    "det": "L.det(s)", "inv": "L.inv(S)", "solve": "L.solve(S, s)", "cholesky": "L.cholesky(S)",
    "qr": "L.qr(s)", "eigh": "L.eigh(S[:100, :100])", "svd": "L.svd(s[:100, :100])",
    "batched inv": "L.inv(Y)", "batched solve": "L.solve(Y, y)", "batched det": "L.det(Y)",
    "batched cholesky": "L.cholesky(Y)", "triangular": "L.solve_triangular(S, s, upper=True)",
    "fft": "t.fft.fft(C)", "rfft": "t.fft.rfft(m)", "fft2": "t.fft.fft2(C)",
    "stft": "t.stft(a, 8, return_complex=True)", "complex abs": "C.abs()", "complex mul": "C * C",
}  # fmt: skip


def call(code: str, size: str) -> Callable[[Any], Callable[[], Any]]:
    def build(lib: Any) -> Callable[[], Any]:
        return eval(f"lambda: {code}", inputs(lib, size))

    return build


FUNCTIONS = [
    Workload(f"{name}, {size}", f"functions, {size}", 1.0, call(code, size))
    for size in SIZES
    for name, code in CALLS.items()
]
