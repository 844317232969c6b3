"""Reading PyTorch's format from before 1.6: what torch.save writes, and files that mean harm."""

import io
import pickle
import struct

import numpy as np
import pytest
import torch

import kagari
from kagari.serialization.legacy import MAGIC


def saved(value):
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def loaded(data, **options):
    return kagari.load(io.BytesIO(data), **options)


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "bfloat16", "complex64"])
def test_tensors_come_as_they_were(dtype, weights_only):
    base = torch.arange(24).reshape(4, 6).to(getattr(torch, dtype))
    sent = {"all": base, "t": base.t(), "row": base[1:, ::2], "none": base[:0], "n": 3}
    got = loaded(saved(sent), weights_only=weights_only)
    for name in ("all", "t", "row", "none"):
        assert got[name].shape == sent[name].shape and got[name].stride() == sent[name].stride()
        assert got[name].tolist() == sent[name].tolist()
    got["all"].zero_()
    assert not got["row"].any() and got["n"] == 3  # they share a storage, as they did


def test_a_model_and_a_path(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    path = tmp_path / "old.pt"
    path.write_bytes(saved(model.state_dict()))
    ours = kagari.nn.Sequential(kagari.nn.Linear(3, 4), kagari.nn.BatchNorm1d(4))
    ours.load_state_dict(kagari.load(path))
    assert ours[0].weight.tolist() == model[0].weight.tolist()
    with pytest.raises(RuntimeError, match="mmap=False"):
        kagari.load(path, mmap=True)
    assert kagari.load(path, map_location="cpu")["0.bias"].tolist() == model[0].bias.tolist()


def machine(**changes):
    return {"protocol_version": 1001, "little_endian": True, "type_sizes": {}} | changes


def test_other_pickles_are_refused():
    with pytest.raises(RuntimeError, match="not one of PyTorch's"):
        loaded(b"".join(pickle.dumps(part, 2) for part in (7, 1001, machine())))
    with pytest.raises(RuntimeError, match="version 9"):
        loaded(b"".join(pickle.dumps(part, 2) for part in (MAGIC, 9, machine())))
    with pytest.raises(RuntimeError, match="big-endian"):
        parts = (MAGIC, 1001, machine(little_endian=False))
        loaded(b"".join(pickle.dumps(part, 2) for part in parts))


class Evil:
    def __reduce__(self):
        return print, ("called",)


def test_a_file_can_call_nothing(capsys):
    with pytest.raises(pickle.UnpicklingError, match="neither a tensor nor a plain container"):
        loaded(saved({"x": Evil()}))
    assert capsys.readouterr().out == ""


def test_sizes_are_not_believed():
    data = saved(torch.arange(4.0))
    count = data.rindex(struct.pack("<q", 4))
    for wrong in (-1, 3, 5, 2**40, 2**62):
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            loaded(data[:count] + struct.pack("<q", wrong) + data[count + 8 :])
    huge = data.replace(b"K\x04N", b"J\xff\xff\xff\x7fN")  # the count in the persistent id
    assert huge != data
    with pytest.raises(pickle.UnpicklingError, match="does not have"):
        loaded(huge)


def test_every_truncation_is_an_error_and_noise_is_harmless():
    data = saved({"w": torch.arange(8.0), "v": torch.arange(8.0)[2:5]})
    for length in range(1, len(data)):
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            loaded(data[:length])
    rng = np.random.default_rng(0)
    for _ in range(400):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            broken[place] = rng.integers(0, 256)
        try:
            value = loaded(bytes(broken))
        except (RuntimeError, pickle.UnpicklingError):
            continue
        assert isinstance(value, (dict, int, float, str, list, tuple, type(None), kagari.Tensor))
