"""Which ways of computing attention are allowed, causal masks, other implementations."""

from typing import Any

import pytest
import torch
import torch.nn.attention.bias  # PyTorch loads it only when it is imported

import kagari
from kagari.nn.functional import attention
from tests.nn.test_attention import operands, sdpa
from tests.ops.pairs import close, compare, ours, same_error


def backend(lib: Any, *names: str) -> Any:
    return [getattr(lib.nn.attention.SDPBackend, name) for name in names]


def test_names_and_numbers() -> None:
    expected = torch.nn.attention.SDPBackend.__members__
    found = kagari.nn.attention.SDPBackend.__members__
    assert {n: int(b) for n, b in found.items()} == {n: int(b) for n, b in expected.items()}
    assert repr(found["MATH"]) == repr(expected["MATH"])
    assert str(found["MATH"]) == str(expected["MATH"])


@pytest.mark.parametrize(
    "names", [["MATH"], ["FLASH_ATTENTION", "MATH"], ["CUDNN_ATTENTION", "MATH"]]
)
def test_allowed(names: list[str]) -> None:
    def run(lib: Any, *args: Any) -> Any:
        with lib.nn.attention.sdpa_kernel(backend(lib, *names), set_priority=True):
            return sdpa(lib, *args)

    compare(run, *operands(2, 3), scale=10)


def refused(lib: Any, *names: str) -> None:
    q = lib.zeros(1, 2, 3)
    with lib.nn.attention.sdpa_kernel(backend(lib, *names)):
        sdpa(lib, q, q, q)


def wrong(lib: Any, backends: Any) -> None:
    with lib.nn.attention.sdpa_kernel(backends):
        pass


def test_refused() -> None:
    same_error(lambda lib: refused(lib, "EFFICIENT_ATTENTION"))
    same_error(lambda lib: refused(lib))
    same_error(lambda lib: wrong(lib, 3))
    q = kagari.zeros(1, 2, 3)
    sdpa(kagari, q, q, q)  # what was set is over


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("variant", ["causal_upper_left", "causal_lower_right"])
@pytest.mark.parametrize("lengths", [(5, 7), (7, 5), (4, 4)], ids=str)
def test_causal_masks(variant: str, lengths: Any, blocks: bool, monkeypatch: Any) -> None:
    if blocks:
        monkeypatch.setattr(attention, "_ROWS", 2)
        monkeypatch.setattr(attention, "_SCORES", 1)
    length, keys = lengths
    q, k, v = operands(1, 3, length=length, keys=keys)
    mask = getattr(torch.nn.attention.bias, variant)(length, keys)
    bias = getattr(kagari.nn.attention.bias, variant)(length, keys)
    close(kagari.ones(1, dtype=kagari.bool) & bias, mask._materialize())
    assert repr(bias).split() == repr(mask).split()

    def run(lib: Any, q: Any, k: Any, v: Any) -> Any:
        return sdpa(lib, q, k, v, bias if lib is kagari else mask._materialize())

    compare(run, q, k, v, scale=10)
    compare(run, q, k, v, scale=10, order=1)


ERRORS = {
    "causal too": lambda lib: sdpa(
        lib, *[lib.zeros(1, 3, 2)] * 3, lib.nn.attention.bias.causal_lower_right(3, 3),
        is_causal=True,
    ),
    "variant": lambda lib: lib.nn.attention.bias.CausalBias(1, 3, 3),
    "sizes": lambda lib: lib.nn.attention.bias.causal_upper_left(3),
    "implementation": lambda lib: lib.nn.attention.activate_flash_attention_impl("none such"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name])


def test_a_mask_for_other_lengths() -> None:
    q = ours(torch.zeros(1, 3, 2))
    with pytest.raises(RuntimeError, match="for 4 queries"):
        sdpa(kagari, q, q, q, kagari.nn.attention.bias.causal_upper_left(4, 3))


def test_implementations() -> None:
    removed = []

    class Handle:
        def remove(self) -> None:
            removed.append(True)

    space = kagari.nn.attention
    space.register_flash_attention_impl("one", register_fn=Handle)
    space.register_flash_attention_impl("two", register_fn=lambda: None)
    assert {"one", "two"} <= set(space.list_flash_attention_impls())
    assert space.current_flash_attention_impl() is None
    space.activate_flash_attention_impl("one")
    assert space.current_flash_attention_impl() == "one"
    space.activate_flash_attention_impl("two")
    assert removed == [True]
    space.restore_flash_attention_impl()
    assert space.current_flash_attention_impl() is None
