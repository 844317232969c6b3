"""What only sparse, quantised and nested tensors have: dense ones refuse with PyTorch's classes."""

import pytest
import torch

import kagari

METHODS = {
    "coalesce": (), "is_coalesced": (), "indices": (), "values": (), "crow_indices": (),
    "col_indices": (), "ccol_indices": (), "row_indices": (), "sparse_mask": (None,),
    "sparse_resize_": ((2,), 1, 1), "sparse_resize_and_clear_": ((2,), 1, 1), "int_repr": (),
    "qscheme": (), "q_scale": (), "q_zero_point": (), "q_per_channel_axis": (),
    "q_per_channel_scales": (), "q_per_channel_zero_points": (), "to_padded_tensor": (0.0,),
    "smm": (None,), "sspaddmm": (None, None),
}  # fmt: skip
FUNCTIONS = ["indices_copy", "values_copy", "crow_indices_copy", "col_indices_copy", "int_repr"]


def refusal(library, call):
    with pytest.raises((RuntimeError, NotImplementedError)) as caught:
        call(library.ones(2, 2))
    return caught.value


@pytest.mark.parametrize("name", METHODS)
def test_methods(name):
    def call(x):
        getattr(x, name)(*[x if a is None else a for a in METHODS[name]])

    assert type(refusal(kagari, call)) is type(refusal(torch, call))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    ours = refusal(kagari, getattr(kagari, name))
    assert type(ours) is type(refusal(torch, getattr(torch, name)))


def test_dense_tensors_are_what_they_stand_for():
    x = kagari.ones(2, dtype=kagari.int32)
    assert x.dequantize().dtype == torch_name(torch.ones(2, dtype=torch.int32).dequantize())
    y = kagari.ones(2)
    assert kagari.dequantize(y) is y


def torch_name(tensor):
    return getattr(kagari, str(tensor.dtype).removeprefix("torch."))
