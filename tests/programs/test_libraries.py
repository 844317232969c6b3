"""Libraries written for PyTorch, unmodified: each program runs under `kagari run` and under
PyTorch, from the same seeds, and the numbers it records are compared.

A library that is not installed skips its programs (docs/ecosystem.md says how to install them).
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
TOLERANCE = 1e-4  # relative to the number, or to the largest of its row
PROGRAMS = {
    "lightning_trainer": "lightning",
    "einops_layers": "einops",
    "safetensors_files": "safetensors",
    "tensorboard_events": "tensorboard",
    "torchmetrics_all": "torchmetrics",
    "transformers_bert": "transformers",
    "transformers_decoders gpt2": "transformers",
    "transformers_decoders llama": "transformers",
    "transformers_t5": "transformers",
    "transformers_vit": "transformers",
    "transformers_whisper": "transformers",
    "timm_model resnet18 64": "timm torchvision",
    "timm_model vit_tiny_patch16_224 64": "timm torchvision",
    "torchvision_model resnet18 64": "torchvision",
}
# torchvision's compiled part is absent beside some builds of PyTorch; its Python part asks for
# these two, so they are declared
PRELUDE = """
import runpy, sys
import torch
try:
    import torchvision
except RuntimeError:
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
except ImportError:
    pass
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def recorded(start, program):
    """What a program records: name -> (shape, numbers)."""
    script, *arguments = program.split()
    environment = dict(os.environ, OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1")
    environment["PYTHONPATH"] = os.pathsep.join([str(SCRIPTS), *sys.path])
    done = subprocess.run(
        [sys.executable, *start, str(SCRIPTS / f"{script}.py"), *arguments],
        capture_output=True, text=True, timeout=300, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"name"')]
    return {row["name"]: (row["shape"], row["values"]) for row in rows}


def difference(ours, theirs):
    """The largest difference, relative to the number or to the largest of its row."""
    scale = max((abs(value) for value in theirs[1:]), default=0) or abs(theirs[0]) or 1
    return max(abs(a - b) / max(abs(b), scale) for a, b in zip(ours, theirs))


@pytest.mark.parametrize("program", PROGRAMS)
def test_numbers_are_pytorchs(program):
    for library in PROGRAMS[program].split():
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    theirs = recorded(["-c", PRELUDE], program)
    ours = recorded(["-m", "kagari", "run"], program)
    assert list(ours) == list(theirs) and len(ours) >= 3
    for name, (shape, values) in theirs.items():
        assert ours[name][0] == shape, name
        assert difference(ours[name][1], values) < TOLERANCE, (name, ours[name], values)


def test_comparison_bites():
    assert difference([1.0, 2.0], [1.0, 2.001]) > TOLERANCE
    assert difference([5.0, 1e-9], [5.0, 1.0]) > TOLERANCE
    assert difference([1.0, 2.0, 1e-12], [1.0, 2.0, 0.0]) < TOLERANCE
