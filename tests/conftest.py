"""What all tests share: options, hypothesis profiles, layouts of data, the leak check."""

import gc
import os
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
DTYPES = ("bool", *INTEGERS, *FLOATS, *COMPLEX)
LAYOUTS = ("contiguous", "transposed", "strided", "broadcast", "empty", "scalar")

settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)
settings.register_profile(
    "full", max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="all samples, the slow tests too")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("full" if config.getoption("--full") else "quick")
    if path := os.environ.get("PYTHONPATH"):  # for the processes that tests start elsewhere
        os.environ["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, path.split(os.pathsep)))
    os.environ.setdefault("KAGARI_CACHE", str(config.rootpath / "build" / "test-cache"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--full"):
        skip = pytest.mark.skip(reason="slow: run by make test-full")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(params=DTYPES)
def dtype(request: pytest.FixtureRequest) -> str:
    """The name of a dtype, the same in kagari and in PyTorch."""
    return request.param


@pytest.fixture(params=FLOATS)
def float_dtype(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def lay_out() -> Callable:
    """`lay_out(library, array, layout)`: the array as a tensor of kagari or PyTorch."""

    def lay(library, array, layout: str):
        tensor = library.tensor(array.tolist(), dtype=getattr(library, str(array.dtype)))
        tensor = tensor.reshape(array.shape)
        match layout:
            case "transposed" if array.ndim >= 2:
                return tensor.transpose(0, -1).contiguous().transpose(0, -1)
            case "strided" if array.ndim >= 1:
                return library.stack([tensor, tensor], dim=-1)[..., 0]
            case "broadcast" if array.ndim >= 1:
                return tensor[:1].expand(tensor.shape)
            case "empty" if array.ndim >= 1:
                return tensor[:0]
            case "scalar":
                return tensor.reshape(-1)[0]
        return tensor

    return lay


def _live_tensors() -> int | None:
    """How many tensors the core holds; None for tests that run without it."""
    core = sys.modules.get("kagari._C")
    return core._live_tensors() if core else None


@pytest.fixture(autouse=True, scope="module")
def no_leaked_tensors() -> Iterator[None]:
    """Fails the module whose tests leave tensors behind that nothing in Python refers to."""
    gc.collect()
    before = _live_tensors()
    yield
    if before is None:
        return
    gc.collect()
    after = _live_tensors()
    held = sum(type(o).__name__ in ("Tensor", "Parameter") for o in gc.get_objects())
    assert after - before <= held, f"{after - before} tensors are left, Python knows of {held}"
