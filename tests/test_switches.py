"""Settings and questions that programs carry from PyTorch: devices, backends, determinism."""

import pytest
import torch

import kagari

QUESTIONS = {
    "cuda": lambda t: t.cuda.is_available() if t is kagari else False,
    "cuda_count": lambda t: t.cuda.device_count() if t is kagari else 0,
    "mps": lambda t: t.backends.mps.is_available(),
    "openmp": lambda t: t.backends.openmp.is_available(),
    "benchmark": lambda t: t.backends.cudnn.benchmark,
    "tf32": lambda t: t.backends.cuda.matmul.allow_tf32,
    "precision": lambda t: t.get_float32_matmul_precision(),
    "deterministic": lambda t: t.are_deterministic_algorithms_enabled(),
    "debug": lambda t: t.get_deterministic_debug_mode(),
    "warn_always": lambda t: t.is_warn_always_enabled(),
    "get_device": lambda t: t.ones(1).get_device(),
    "pinned": lambda t: t.ones(1).is_pinned(),
    "same_size": lambda t: t.is_same_size(t.ones(2), t.ones(3)),
    "signed": lambda t: t.is_signed(t.ones(2)),
    "inference": lambda t: t.is_inference(t.ones(2)),
    "xla": lambda t: t.ones(1).is_xla,
    "name": lambda t: t.ones(1).name,
    "storage": lambda t: t.FloatStorage([1, 2]).tolist(),
    "storage_type": lambda t: isinstance(t.ones(2).storage(), t.FloatStorage),
    "resize_as": lambda t: tuple(t.ones(1).resize_as_(t.ones(2, 3)).shape),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", QUESTIONS)
def test_same_answers(name):
    assert QUESTIONS[name](kagari) == QUESTIONS[name](torch)


def test_settings_are_read_back():
    kagari.set_float32_matmul_precision("high")
    assert kagari.get_float32_matmul_precision() == "high"
    kagari.set_float32_matmul_precision("highest")
    kagari.use_deterministic_algorithms(True, warn_only=True)
    assert kagari.get_deterministic_debug_mode() == 1
    kagari.set_deterministic_debug_mode("error")
    assert kagari.are_deterministic_algorithms_enabled()
    assert not kagari.is_deterministic_algorithms_warn_only_enabled()
    kagari.set_deterministic_debug_mode(0)
    kagari.backends.cudnn.benchmark = True
    assert kagari.backends.cudnn.benchmark
    kagari.backends.cudnn.benchmark = False


def test_wrong_settings():
    with pytest.raises(ValueError, match="precision"):
        kagari.set_float32_matmul_precision("extreme")
    with pytest.raises(TypeError, match="mode"):
        kagari.use_deterministic_algorithms(3)
    with pytest.raises(RuntimeError, match="debug_mode"):
        kagari.set_deterministic_debug_mode("loud")


def test_there_is_no_accelerator():
    for use in (
        kagari.cuda.current_device,
        kagari.cuda.synchronize,
        kagari.ones(1).cuda,
        lambda: kagari.ones(1).to("cuda"),
        lambda: kagari.ones(1, device="cuda"),
        kagari.ones(1).pin_memory,
    ):
        with pytest.raises(RuntimeError):
            use()
    kagari.cuda.manual_seed_all(1)
    kagari.cuda.empty_cache()
