"""The ops of torchvision's extension: against the same written out element by element."""

import math

import numpy as np
import pytest

import kagari
from kagari.vision import ops


def overlap(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    size = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(size) - width * height)


def test_nms():
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(0, 10, (40, 2)), rng.uniform(1, 5, (40, 2))
    boxes, scores = np.concatenate([corner, corner + size], 1), rng.uniform(size=40)
    kept = []
    for i in np.argsort(-scores):
        if all(overlap(boxes[i], boxes[j]) <= 0.3 for j in kept):
            kept.append(int(i))
    found = ops.nms(kagari.tensor(boxes), kagari.tensor(scores), 0.3)
    assert found.tolist() == kept and 5 < len(kept) < 40
    assert ops.nms(kagari.ones(0, 4), kagari.ones(0), 0.5).tolist() == []


def pixel(image, y, x):
    """Bilinear interpolation between pixels, zero further than one pixel outside."""
    height, width = image.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    y0, x0 = min(int(y), height - 1), min(int(x), width - 1)
    y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
    dy, dx = y - y0, x - x0
    top = image[y0, x0] * (1 - dx) + image[y0, x1] * dx
    return top * (1 - dy) + (image[y1, x0] * (1 - dx) + image[y1, x1] * dx) * dy


def align(images, rois, scale, rows, columns, ratio, aligned):
    shift, result = 0.5 if aligned else 0.0, []
    for n, *corners in rois:
        x1, y1, x2, y2 = (c * scale - shift for c in corners)
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = max(width, 1), max(height, 1)
        down = ratio if ratio > 0 else math.ceil(height / rows)
        across = ratio if ratio > 0 else math.ceil(width / columns)
        out = np.zeros((images.shape[1], rows, columns))
        for c, i, j in np.ndindex(out.shape):
            values = [
                pixel(images[int(n), c], y1 + (i + (p + 0.5) / down) * height / rows,
                      x1 + (j + (q + 0.5) / across) * width / columns)
                for p in range(down) for q in range(across)
            ]  # fmt: skip
            out[c, i, j] = np.mean(values)
        result.append(out)
    return np.array(result)


@pytest.mark.parametrize("ratio", [-1, 2])
@pytest.mark.parametrize("aligned", [False, True])
def test_roi_align(ratio, aligned):
    rng = np.random.default_rng(1)
    images = rng.normal(size=(2, 3, 9, 7))
    rois = np.array([[0, 1, 2, 9, 14], [1, -3, -4, 6, 6], [1, 10, 12, 20, 30], [0, 3, 3, 3.2, 3.1]])
    got = ops.roi_align(kagari.tensor(images), kagari.tensor(rois), 0.5, 3, 2, ratio, aligned)
    np.testing.assert_allclose(got, align(images, rois, 0.5, 3, 2, ratio, aligned), atol=1e-12)


def test_roi_align_has_a_gradient():
    image = kagari.randn(1, 2, 5, 5, dtype=kagari.float64, requires_grad=True)
    rois = kagari.tensor([[0, 0.4, 0.3, 4.2, 3.9]], dtype=kagari.float64)
    call = lambda x: ops.roi_align(x, rois, 1.0, 2, 2, -1, True)
    assert kagari.autograd.gradcheck(call, (image,))


def test_wrong_input():
    with pytest.raises(RuntimeError, match="dets"):
        ops.nms(kagari.ones(3), kagari.ones(3), 0.5)
    with pytest.raises(RuntimeError, match="scores"):
        ops.nms(kagari.ones(3, 4), kagari.ones(2), 0.5)
    with pytest.raises(RuntimeError, match="rois"):
        ops.roi_align(kagari.ones(1, 1, 2, 2), kagari.ones(1, 4), 1.0, 1, 1, 1, True)


def test_the_library_is_torchvisions_alone():
    kagari.ops.load_library("/somewhere/torchvision/_C_stable.so")
    assert kagari.ops.torchvision.nms(kagari.ones(0, 4), kagari.ones(0), 0.5).shape == (0,)
    with pytest.raises(NotImplementedError, match="roi_pool"):
        kagari.ops.torchvision.roi_pool(kagari.ones(1), kagari.ones(1), 1.0, 1, 1)
    with pytest.raises(OSError):
        kagari.ops.load_library("/somewhere/torchvision/image_stable.so")
