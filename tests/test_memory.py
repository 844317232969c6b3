"""The allocator's statistics and limit, out of memory, threads."""

import os
import subprocess
import sys

import pytest

import kagari

MIB = 1 << 20


def test_statistics():
    kagari.cpu.empty_cache()
    assert kagari.cpu.memory_cached() == 0
    before = kagari.cpu.memory_allocated()
    kagari.cpu.reset_peak_memory_stats()
    tensor = kagari.empty(4 * MIB, dtype=kagari.uint8)
    assert kagari.cpu.memory_allocated() - before >= 4 * MIB
    del tensor
    assert kagari.cpu.memory_allocated() - before < MIB
    assert kagari.cpu.max_memory_allocated() - before >= 4 * MIB
    assert kagari.cpu.memory_cached() >= 4 * MIB
    hits = kagari.cpu.memory_stats()["cache_hits"]
    kagari.empty(4 * MIB, dtype=kagari.uint8)
    assert kagari.cpu.memory_stats()["cache_hits"] == hits + 1
    kagari.cpu.empty_cache()
    assert kagari.cpu.memory_cached() == 0


def test_limit():
    kagari.cpu.empty_cache()
    kagari.cpu.set_memory_limit(kagari.cpu.memory_allocated() + 8 * MIB)
    try:
        kept = kagari.empty(4 * MIB, dtype=kagari.uint8)
        with pytest.raises(kagari.OutOfMemoryError, match=r"asked for 16777216 bytes.*limit"):
            kagari.empty(16 * MIB, dtype=kagari.uint8)
        assert kept.numel() == 4 * MIB
        kagari.empty(2 * MIB, dtype=kagari.uint8)  # what is free can still be had
    finally:
        kagari.cpu.set_memory_limit(0)
    with pytest.raises(ValueError):
        kagari.cpu.set_memory_limit(-1)


@pytest.mark.parametrize("bytes", [2**45, 2**61, 2**62, 2**63 - 1])
def test_more_than_there_is(bytes):
    with pytest.raises(RuntimeError):
        kagari.empty(bytes, dtype=kagari.uint8)
    assert kagari.ones(2).tolist() == [1, 1]


def test_out_of_memory_is_a_runtime_error_with_numbers():
    with pytest.raises(kagari.OutOfMemoryError) as error:
        kagari.empty(2**45, dtype=kagari.float32)
    assert isinstance(error.value, RuntimeError) and str(2**47) in str(error.value)


def test_threads(capsys):
    count = kagari.get_num_threads()
    assert f"{count} threads" in kagari.show_threads()
    assert "affinity" in capsys.readouterr().out
    kagari.set_num_threads(1)
    assert kagari.get_num_threads() == 1
    kagari.set_num_threads(count)
    for bad in (0, -1):
        with pytest.raises(RuntimeError):
            kagari.set_num_threads(bad)
        with pytest.raises(RuntimeError):
            kagari.set_num_interop_threads(bad)
    assert kagari.get_num_interop_threads() >= 1


def test_threads_from_the_environment():
    program = "import kagari; print(kagari.get_num_threads())"
    for name in ("KAGARI_NUM_THREADS", "OMP_NUM_THREADS"):
        plain = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**plain, name: "3"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "3"


def test_children_of_a_fork_have_one_thread():
    program = """
import os, kagari
a = kagari.ones(1000, 1000)
(a + a).exp().sum()
child = os.fork()
if child == 0:
    ok = kagari.get_num_threads() == 1 and (a + a).exp().numel() == 1000000
    os._exit(0 if ok else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_device_questions():
    assert kagari.cpu.is_available() and kagari.cpu.device_count() == 1
    assert kagari.cpu.current_device() == "cpu"
    kagari.cpu.synchronize()
