"""SummaryWriter writes the events that PyTorch's writes, field by field."""

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorboard", reason="tensorboard is not installed")
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.util.tensor_util import make_ndarray
from torch.utils.tensorboard import SummaryWriter as TheirWriter

import kagari
from kagari.utils.tensorboard import SummaryWriter

RNG = np.random.default_rng(0)
LABELS, GUESSES = RNG.integers(0, 2, 40), RNG.uniform(size=40)
CALLS = {
    "scalar": lambda w: w.add_scalar("a/b", 1.5, 3, walltime=9.0),
    "new style": lambda w: w.add_scalar("n", 2, 1, 9.0, new_style=True),
    "double": lambda w: w.add_scalar("n", 2, 1, 9.0, new_style=True, double_precision=True),
    "histogram": lambda w: w.add_histogram("h", np.arange(-5.0, 5), 2, walltime=9.0),
    "histogram auto": lambda w: w.add_histogram("h", LABELS, 2, bins="auto", walltime=9.0),
    "histogram few": lambda w: w.add_histogram("h", GUESSES, 2, "tensorflow", 9.0, max_bins=50),
    "histogram raw": lambda w: w.add_histogram_raw("h", 0, 1, 2, 3, 4, [1, 2], [1, 1], 1, 9.0),
    "text": lambda w: w.add_text("t", "**hi** ü", 1, 9.0),
    "image": lambda w: w.add_image("i", GUESSES.reshape(1, 8, 5), 1, 9.0),
    "image HWC": lambda w: w.add_image("i", GUESSES[:36].reshape(3, 4, 3), 1, 9.0, "HWC"),
    "image HW": lambda w: w.add_image("i", GUESSES.reshape(8, 5), 1, 9.0, "HW"),
    "images": lambda w: w.add_images("i", GUESSES[:36].reshape(3, 1, 4, 3), 1, 9.0),
    "bytes": lambda w: w.add_image("i", (255 * GUESSES).astype("u1").reshape(1, 8, 5), 1, 9.0),
    "pr curve": lambda w: w.add_pr_curve("p", LABELS, GUESSES, 1, 11, walltime=9.0),
    "custom": lambda w: w.add_custom_scalars({"A": {"b": ["Multiline", ["x", "y"]]}}),
    "margin": lambda w: w.add_custom_scalars_marginchart(["x", "y", "z"], "c", "t"),
}


def events(folder):
    """All events, by folder, without times and what names the writer."""
    found = {}
    for path in sorted(Path(folder).rglob("events.out*")):
        for raw in RawEventFileLoader(str(path)).Load():
            event = Event.FromString(raw)
            if event.WhichOneof("what") == "summary":
                if not event.wall_time == 9.0:
                    event.wall_time = 0
                place = os.path.relpath(path.parent, folder)
                found.setdefault(place, []).append(event)
    return found


def written(kind, folder, call):
    writer = kind(str(folder))
    call(writer)
    writer.close()
    return events(folder)


@pytest.mark.parametrize("name", CALLS)
def test_events(tmp_path, name):
    call = CALLS[name]
    ours = written(SummaryWriter, tmp_path / "a", call)
    theirs = written(TheirWriter, tmp_path / "b", call)
    assert len(ours["."]) == 1 and ours == theirs


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "bfloat16"])
def test_tensors(tmp_path, dtype):
    tensor = kagari.arange(6).reshape(2, 3).to(getattr(kagari, dtype))
    made = written(SummaryWriter, tmp_path, lambda w: w.add_tensor("t", tensor, 1))
    value = made["."][0].summary.value[0]
    assert value.metadata.plugin_data.plugin_name == "tensor"
    assert make_ndarray(value.tensor).tolist() == tensor.tolist()


def test_sound(tmp_path):
    call = lambda w: w.add_audio("s", np.sin(np.arange(50.0))[None], 1, 8000, 9.0)
    (ours,) = written(SummaryWriter, tmp_path / "a", call)["."]
    (theirs,) = written(TheirWriter, tmp_path / "b", call)["."]
    ours, theirs = ours.summary.value[0].audio, theirs.summary.value[0].audio
    assert ours.encoded_audio_string == theirs.encoded_audio_string
    assert ours.length_frames == theirs.length_frames == 50 and ours.sample_rate == 8000


def test_several_numbers_and_hparams(tmp_path):
    def call(writer):
        writer.add_scalars("s/t", {"x": 1.0, "y": 2.0}, 1, 9.0)
        hparams = {"lr": 0.1, "n": 3, "kind": "x", "on": True}
        writer.add_hparams(hparams, {"m": 1.0}, {"kind": ["x", "y"]}, run_name="run")

    ours, theirs = (
        written(SummaryWriter, tmp_path / "a", call),
        written(TheirWriter, tmp_path / "b", call),
    )
    assert ours == theirs and {"run", "s_t_x", "s_t_y"} <= set(ours)


def test_embedding(tmp_path):
    for kind, folder in ((SummaryWriter, "a"), (TheirWriter, "b")):
        with kind(str(tmp_path / folder)) as writer:
            writer.add_embedding(np.ones((2, 3)), ["x", "y"], global_step=4)
    for name in (
        "projector_config.pbtxt",
        "00004/default/tensors.tsv",
        "00004/default/metadata.tsv",
    ):
        ours, theirs = ((tmp_path / folder / name).read_text() for folder in "ab")
        assert ours.split() == theirs.split()


def test_wrong_input(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        for call in (
            lambda: writer.add_scalar("a", np.ones(2)),
            lambda: writer.add_image("a", np.ones((2, 2)), dataformats="CHW"),
            lambda: writer.add_histogram("a", []),
            lambda: writer.add_embedding(np.ones(3)),
            lambda: writer.add_embedding(np.ones((3, 1)), ["x"]),
        ):
            with pytest.raises(ValueError):
                call()
        with pytest.raises(NotImplementedError, match="tracer"):
            writer.add_graph(None)
