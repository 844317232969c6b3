"""Names for old programs and small names of the top level, beside PyTorch's."""

import doctest
import importlib
import warnings

import numpy
import pytest
import torch

import kagari


def both(text, **names):
    """The expression in either library, as text or the class of the exception."""
    found = []
    for module in (kagari, torch):
        scope = {"torch": module, "x": module.arange(6.0).reshape(2, 3), **names}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                value = eval(text, scope)
                found.append(repr(value).replace("kagari.", "torch."))
            except Exception as error:
                found.append(type(error))
    return found


EXPRESSIONS = """
x.new(2, 3).shape
x.new([1, 2])
x.new(torch.ones(2, dtype=torch.float64))
x.new()
x.new(torch.Size([2, 2])).shape
x.long().storage_type()
x.storage_type() is torch.FloatStorage is torch.Storage
x.dim_order()
x.t().dim_order(ambiguity_check=True)
torch.ones(2, 1, 3).dim_order(ambiguity_check=True)
torch.ones(2, 1, 3).dim_order()
torch.ones(2, 3)[:, None].expand(2, 4, 3).dim_order()
torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last).dim_order()
torch.ones(2, 1, 4, 5).dim_order(ambiguity_check=[torch.contiguous_format, torch.channels_last])
torch.ones(2, 3, 4, 5).dim_order(ambiguity_check=[torch.contiguous_format, torch.channels_last])
x.dim_order(ambiguity_check=3)
x.const_data_ptr() == x.data_ptr()
x.volatile
x.resize(3, 2)
x.resize(4, 2)
x.resize_as(torch.ones(3, 2))
x.reinforce(1)
x.solve(x)
x.eig()
x.lstsq(x)
x.symeig()
torch.solve(x, x)
torch.eig(x)
torch.lstsq(x, x)
torch.symeig(x)
torch.matrix_rank(x)
x.__div__(2)
x.__rdiv__(2)
x.__idiv__(2)
torch.tensor(3.7).__long__()
torch.tensor(0.0).__nonzero__()
x.__nonzero__()
x.map2_(x.clone(), x[:1].clone(), lambda a, b, c: a + b * c)
x.is_maia, x.is_mtia
x.dense_dim(), x.sparse_dim(), x.to_dense() is x
x.to_dense(torch.float64)
x.split(split_size=2, dim=1)
x.split(2)
torch.split(x, split_size_or_sections=1)
x.unsafe_split_with_sizes([1, 2], 1)
torch.unsafe_split_with_sizes(x, [1, 1])
x.clamp_max(2), x.clamp_min(3), torch.clamp_max(x, torch.tensor(2.0)), torch.clamp_min(x, 4)
torch.clamp_max_(x, 2), x.clamp_min_(1)
torch.fill_(x, 3), torch.detach_(x), torch.resize_as_(x, torch.ones(2)).shape
torch.as_strided_(x, (2, 2), (1, 2))
torch.detach_copy(x) is x
torch.constant_pad_nd(x, (1, 2), 9.0)
torch.adjoint(x + 1j)
torch.adjoint(torch.ones(2))
torch.is_distributed(x), torch.is_vulkan_available(), torch.compiled_with_cxx11_abi()
torch.thread_safe_generator(), torch.random.thread_safe_generator(), torch.init_num_threads()
torch.get_device_module("cpu").__name__, torch.get_device_module().__name__
torch.get_device_module("nonsense")
torch.has_lapack, torch.has_openmp, torch.has_spectral
torch.sym_max(1, 2.5), torch.sym_max(3, 2.5), torch.sym_min(1, 2.5), torch.sym_min(1, 2)
torch.sym_max(x, 2)
torch.sym_min("a", 2)
torch.sym_max(numpy.float32(3), 2)
torch.sym_not(True), torch.sym_not(0)
torch.sym_sum(1, 2, 3), torch.sym_sum([1, 2, 3]), torch.sym_sum([1, 2.5])
torch.sym_ite(True, 1, 2), torch.sym_ite(False, 1, 2)
torch.sym_ite(True, 1, 2.0)
torch.sym_float(3), torch.sym_int(3.7), torch.sym_int(-3.7), torch.sym_sqrt(4)
torch.sym_constrain_range(3, min=1, max=4)
torch.sym_constrain_range(3, min=4)
torch.sym_constrain_range(3, max=2)
torch.typename(x), torch.typename(3), torch.typename(x.long())
issubclass(torch.AcceleratorError, RuntimeError)
torch.cond(torch.tensor(True), lambda a: a + 1, lambda a: a - 1, (x,))
torch.cond(False, lambda a: a["k"] + 1, lambda a: a["k"] - 1, ({"k": x},))
torch.cond(x, lambda a: a, lambda a: a, (x,))
torch.cond("yes", lambda a: a, lambda a: a, (x,))
torch.cond(torch.tensor(True), lambda a: a, 5, (x,))
torch.cond(torch.tensor(True), lambda a: a, lambda a: a, x)
torch.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * 2), (torch.tensor(0), x))
torch.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * 2), (0, x))
torch.while_loop(lambda i: i < 0, lambda i: (i + 1,), (0,))
torch.while_loop(3, lambda i: i, (0,))
torch.TypedStorage([1, 2], dtype=torch.int64, device="cpu")
torch.TypedStorage(2, device="meta").device
torch.TypedStorage(2, wrap_storage=torch.UntypedStorage(8))
torch.set_anomaly_enabled(True, False), torch.is_anomaly_enabled(), torch.set_anomaly_enabled(False)
torch.is_anomaly_check_nan_enabled(), torch.is_anomaly_enabled()
torch.types.Number
"""


@pytest.mark.parametrize("text", EXPRESSIONS.strip().splitlines())
def test_as_torch(text):
    ours, theirs = both(text, numpy=numpy)
    assert ours == theirs


@pytest.mark.parametrize("name", ["xpu", "ipu", "mtia"])
def test_devices_that_are_not_there(name):
    with pytest.raises((RuntimeError, AssertionError)):
        getattr(kagari.ones(1), name)()


def test_removed_functions_name_what_to_use():
    with pytest.raises(RuntimeError, match="removed; use linalg.eigh"):
        kagari.symeig(kagari.eye(2))


def test_while_loop_checks_the_number_of_values():
    with pytest.raises(RuntimeError, match="expected 2 values"):
        kagari.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1,), (0, 1))


def test_gradients_pass_control_flow():
    x = kagari.tensor([1.0, 2.0], requires_grad=True)
    _, y = kagari.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), (kagari.tensor(0), x))
    kagari.cond(y.sum() > 0, lambda y: y.sum(), lambda y: -y.sum(), (y,)).backward()
    assert x.grad.tolist() == [4, 32]


def test_from_file(tmp_path):
    path = str(tmp_path / "numbers")
    shared = kagari.from_file(path, shared=True, size=4, dtype=kagari.int32)
    shared.copy_(kagari.arange(4))
    assert torch.from_file(path, False, 4, dtype=torch.int32).tolist() == [0, 1, 2, 3]
    private = kagari.from_file(path, False, 3, dtype=kagari.int32)
    private[0] = 9
    assert private.tolist() == [9, 1, 2] and shared[0] == 0
    assert kagari.from_file(path, size=2, requires_grad=True).requires_grad
    for module in (kagari, torch):
        with pytest.raises(RuntimeError):
            module.from_file(path, False, 400)
        with pytest.raises(RuntimeError):
            module.from_file(str(tmp_path / "none"), False, 4)
    with pytest.raises(RuntimeError, match="cpu"):
        kagari.from_file(path, size=1, device="meta")


def test_module_load():
    for module in (kagari, torch):
        x = module.zeros(2, dtype=module.float64)
        other = module.ones(2)
        loaded = x.module_load(other)
        assert loaded.dtype is module.float64 and loaded.tolist() == [1, 1]
        assert loaded.data_ptr() == x.data_ptr()
        assert x.module_load(other, assign=True).dtype is module.float32


def test_paths():
    assert kagari.get_file_path("kagari", "__init__.py") == kagari.__file__


DOCUMENTED = "_symbols _control_flow _layouts _schemas overrides testing.creation"


@pytest.mark.parametrize("name", DOCUMENTED.split())
def test_examples(name):
    module = importlib.import_module(f"kagari.{name}")
    result = doctest.testmod(module, extraglobs={"kagari": kagari})
    assert result.failed == 0 and result.attempted
