"""nn.parallel without devices, and other names that libraries import."""

import pytest
import torch

import kagari
from kagari import jit
from kagari._dynamo import OptimizedModule
from kagari.nn import parallel
from kagari.utils.data import dataloader
from kagari.utils.flop_counter import FlopCounterMode


def test_data_parallel_calls_its_module():
    net = kagari.nn.Linear(2, 2)
    x = kagari.ones(1, 2)
    wrapped = kagari.nn.DataParallel(net)
    assert kagari.equal(wrapped(x), net(x)) and wrapped.module is net
    assert list(wrapped.state_dict()) == list(
        torch.nn.DataParallel(torch.nn.Linear(2, 2)).state_dict()
    )
    assert kagari.equal(parallel.data_parallel(net, x), net(x))


def test_distributed_refuses():
    with pytest.raises(ValueError, match="process group"):
        parallel.DistributedDataParallel(kagari.nn.Linear(1, 1))


@pytest.mark.parametrize("make", [
    jit.ScriptModule, jit.ScriptFunction, OptimizedModule, FlopCounterMode
])  # fmt: skip
def test_classes_without_objects(make):
    with pytest.raises(NotImplementedError, match="not_supported"):
        make()
    assert kagari.ScriptModule is jit.ScriptModule


def test_iterators_of_loaders():
    loader = kagari.utils.data.DataLoader([1, 2, 3])
    assert isinstance(iter(loader), dataloader._BaseDataLoaderIter)
    assert not isinstance(iter(loader), dataloader._MultiProcessingDataLoaderIter)


def test_records_of_a_checkpoint(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"w": torch.arange(4.0)}, path)
    reader = kagari.PyTorchFileReader(str(path))
    assert reader.has_record("data/0") and "data.pkl" in reader.get_all_records()
    assert reader.get_record_size("data/0") == 16 and reader.version() >= 3
    tensor = reader.get_storage_from_record("data/0", 4, kagari.float32)
    assert tensor.untyped_storage().nbytes() == 16
    with pytest.raises(RuntimeError, match="no record"):
        reader.get_record("nothing")
    (tmp_path / "no.pt").write_bytes(b"no")
    with pytest.raises(RuntimeError, match="zip"):
        kagari.PyTorchFileReader(tmp_path / "no.pt")


def test_arguments_of_to_are_read():
    read = kagari._C._nn._parse_to
    assert read("cpu", kagari.float64)[:2] == (kagari.device("cpu"), kagari.float64)


def converted(lib):
    """A net with SyncBatchNorm, after a step of training."""
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Conv2d(2, 3, 3), lib.nn.BatchNorm2d(3), lib.nn.ReLU())
    weight = net[1].weight
    net = lib.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert type(net[1]) is lib.nn.SyncBatchNorm and net[1].weight is weight
    out = net(lib.randn(4, 2, 6, 6))
    return out, net[1].running_var, list(net.state_dict())


def test_sync_batch_norm_in_one_process():
    ours, theirs = converted(kagari), converted(torch)
    for a, b in zip(ours[:2], theirs[:2]):
        torch.testing.assert_close(torch.tensor(a.tolist()), b.detach(), rtol=1e-5, atol=1e-6)
    assert ours[2] == theirs[2]
    with pytest.raises(ValueError, match="2D"):
        kagari.nn.SyncBatchNorm(2)(kagari.ones(2))
