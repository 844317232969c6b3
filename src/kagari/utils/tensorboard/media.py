"""Arrays as images and sound: axes in order, bytes in range, PNG and WAV."""

import io
import wave
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary

from kagari import Tensor


def array(values: Any) -> np.ndarray:
    """Tensors, numbers and lists as an array."""
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()
    return np.asarray(values)


def images(values: Any, axes: str) -> np.ndarray:
    """(height, width, 3) of images with axes like "NCHW", several in a grid as square as can be."""
    data, axes = array(values), axes.upper()
    if data.ndim != len(axes) or len(set(axes)) != len(axes) or not set(axes) <= set("NCHW"):
        raise ValueError(f"dataformats: {axes!r} does not describe the shape {data.shape}")
    if "N" in axes:
        data = data.transpose([axes.index(axis) for axis in axes if axis == "N"]
                              + [axes.index(axis) for axis in "CHW"])  # fmt: skip
        data = _grid(data).transpose(1, 2, 0)
    elif axes == "HW":
        data = data[..., None]
    else:
        data = data.transpose([axes.index(axis) for axis in "HWC"])
    return np.repeat(data, 3, 2) if data.shape[2] == 1 else data


def _grid(data: np.ndarray) -> np.ndarray:
    if data.shape[1] == 1:
        data = np.repeat(data, 3, 1)
    count, channels, height, width = data.shape
    columns = min(count, 8)
    rows = -(-count // columns)
    canvas = np.zeros((channels, height * rows, width * columns), data.dtype)
    for number, one in enumerate(data):
        y, x = divmod(number, columns)
        canvas[:, y * height : (y + 1) * height, x * width : (x + 1) * width] = one
    return canvas


def png(pixels: np.ndarray) -> Any:
    """(height, width, channels), bytes or floats from 0 to 1, as an image of an event."""
    from PIL import Image

    scale = 1 if pixels.dtype == np.uint8 else 255
    coloured = (pixels.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(coloured).save(file, format="PNG")
    height, width, channels = coloured.shape
    return Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=file.getvalue()
    )


def sound(values: Any, rate: int) -> Any:
    """(1, length) or (length,), from -1 to 1, as the sound of an event."""
    samples = array(values).squeeze()
    if samples.ndim != 1:
        raise ValueError(f"add_audio: snd_tensor: expected one channel, got shape {samples.shape}")
    numbers = (samples.clip(-1, 1) * np.iinfo(np.int16).max).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(numbers.tobytes())
    return Summary.Audio(
        sample_rate=rate, num_channels=1, length_frames=len(samples),
        encoded_audio_string=file.getvalue(), content_type="audio/wav",
    )  # fmt: skip


def figure(figures: Any, close: bool) -> np.ndarray:
    """Figures of matplotlib as images, (3, height, width), or one more axis for a list."""
    if isinstance(figures, list):
        return np.stack([figure(one, close) for one in figures])
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figures)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    if close:
        from matplotlib import pyplot

        pyplot.close(figures)
    return pixels.transpose(2, 0, 1)
