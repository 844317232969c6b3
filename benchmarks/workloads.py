"""What is timed, written once against a module with PyTorch's names, with the ratio to reach."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

DIGITS = Path(__file__).resolve().parent.parent / "examples" / "digits.py"
TEN_MILLION = 10_000_000


@dataclass(frozen=True)
class Workload:
    """`build(library)` gives the function to time; kagari/PyTorch is to be at most `target`."""

    name: str
    group: str
    target: float
    build: Callable[[Any], Callable[[], Any]]
    fresh: bool = False  # PyTorch allocates as it does by default, rather than from kept memory


def normal(lib: Any, *shape: int, seed: int = 0, grad: bool = False) -> Any:
    """The same numbers in either library."""
    values = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    tensor = lib.from_numpy(values).clone()
    return tensor.requires_grad_() if grad else tensor


def tiny(code: str, grad: bool) -> Callable[[Any], Callable[[], Any]]:
    def build(lib: Any) -> Callable[[], Any]:
        names = {"t": lib, "a": normal(lib, 4, grad=grad), "b": normal(lib, 4, seed=1)}
        return eval(f"lambda t=t, a=a, b=b: {code}", names)

    return build


def chain(lib: Any) -> Callable[[], Any]:
    """Ten ops forward and backward on four elements."""
    a, b = normal(lib, 4, grad=True), normal(lib, 4, seed=1)

    def run() -> Any:
        y = lib.tanh(a * b + b)
        y = lib.exp((y - b) * 2.0 * 0.1)
        y = lib.relu(y + 1.0) / 3.0
        y.sum().backward()
        grad, a.grad = a.grad, None
        return grad

    return run


def mlp_step(lib: Any) -> Callable[[], Any]:
    """A training step of an MLP 64-64-10 with Adam on 32 samples."""
    nn = lib.nn
    lib.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    x = normal(lib, 32, 64)
    target = lib.from_numpy(np.arange(32) % 10)

    def step() -> Any:
        loss = nn.functional.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def kernel(code: str, *shape: int) -> Callable[[Any], Callable[[], Any]]:
    def build(lib: Any) -> Callable[[], Any]:
        names = {"t": lib, "F": lib.nn.functional, "a": normal(lib, *shape)}
        names["b"] = normal(lib, *shape, seed=1)
        return eval(f"lambda t=t, F=F, a=a, b=b: {code}", names)

    return build


def convolution(backward: bool) -> Callable[[Any], Callable[[], Any]]:
    """3 x 3, 64 -> 64 channels, 56 x 56, batch 16."""

    def build(lib: Any) -> Callable[[], Any]:
        convolve = lib.nn.functional.conv2d
        x = normal(lib, 16, 64, 56, 56, grad=backward)
        weight = normal(lib, 64, 64, 3, 3, seed=1, grad=backward)
        bias = normal(lib, 64, seed=2, grad=backward)
        if not backward:
            return lambda: convolve(x, weight, bias, padding=1)
        y = convolve(x, weight, bias, padding=1)
        grad = normal(lib, *y.shape, seed=3)
        return lambda: lib.autograd.grad(y, (x, weight, bias), grad, retain_graph=True)

    return build


def digits_epoch(lib: Any) -> Callable[[], Any]:
    """One epoch of examples/digits.py: the file itself, with the library it imports replaced."""
    source = DIGITS.read_text().replace("import kagari as torch", f"import {lib.__name__} as torch")
    example = ModuleType("digits")
    example.__file__ = str(DIGITS)
    exec(source.replace("from kagari", f"from {lib.__name__}"), example.__dict__)
    lib.manual_seed(0)
    training, _ = example.digits()
    batches = example.DataLoader(training, batch_size=64, shuffle=True)
    model = example.network()
    optimizer = example.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = example.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10**6)
    progress = example.Progress(1, len(batches))
    progress.live = False

    def epoch() -> None:
        example.train_epoch(model, batches, optimizer, schedule, progress, 1)

    return epoch


TINY = {"a + b": "a + b", "a * 2": "a * 2", "relu(a)": "t.relu(a)", "a[0]": "a[0]"}
TINY["a.view"] = "a.view(2, 2)"
KERNELS = {
    "exp": ("t.exp(a)", (TEN_MILLION,)),
    "tanh": ("t.tanh(a)", (TEN_MILLION,)),
    "sigmoid": ("t.sigmoid(a)", (TEN_MILLION,)),
    "gelu": ("F.gelu(a)", (TEN_MILLION,)),
    "sum": ("a.sum()", (TEN_MILLION,)),
    "softmax": ("t.softmax(a, -1)", (10_000, 1_000)),
    "layer_norm": ("F.layer_norm(a, (1000,))", (10_000, 1_000)),
}

WORKLOADS = [
    *(Workload(f"{n}, 4 elements", "tiny ops", 0.3, tiny(c, False)) for n, c in TINY.items()),
    *(
        Workload(f"{n}, 4 elements, requires_grad", "tiny ops, requires_grad", 0.3, tiny(c, True))
        for n, c in TINY.items()
    ),
    Workload("10-op chain, forward + backward", "10-op chain", 0.35, chain),
    Workload("MLP 64-64-10 step, Adam, batch 32", "MLP training step", 0.35, mlp_step),
    Workload(
        "a + b, 10⁷, fresh output", "a + b, fresh 10⁷", 0.2, kernel("a + b", TEN_MILLION), True
    ),
    *(
        Workload(f"{n}, 10⁷, reused memory", "kernels at 10⁷", 1.0, kernel(c, *shape))
        for n, (c, shape) in KERNELS.items()
    ),
    *(
        Workload(f"matmul {n}", "float32 matmul", 0.6, kernel("a @ b", n, n))
        for n in (512, 1024, 2048, 4096)
    ),
    Workload("conv2d 3×3 64→64 56² b16, forward", "conv2d", 1.0, convolution(False)),
    Workload("conv2d 3×3 64→64 56² b16, backward", "conv2d", 1.0, convolution(True)),
    Workload("digits training epoch", "digits training epoch", 0.6, digits_epoch),
]
IMPORT = Workload("import, fresh process", "import", 0.12, lambda lib: lambda: None)
