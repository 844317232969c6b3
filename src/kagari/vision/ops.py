"""The ops of torchvision's compiled extension, under the same names: torch.ops.torchvision.nms...

torchvision asks for them by torch.ops.load_library, which comes here. Those that are only declared
raise when they are called (docs/not_supported.md).
"""

import math

import kagari
from kagari import Tensor
from kagari.library import Library

_INT = "int pooled_height, int pooled_width"
_ROI = f"Tensor input, Tensor rois, float spatial_scale, {_INT}"
_BACK = f"Tensor grad, Tensor rois, float spatial_scale, {_INT}, int batch_size, int channels"
_SIZES = "int height, int width"
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    f"roi_align({_ROI}, int sampling_ratio, bool aligned) -> Tensor",
    f"roi_pool({_ROI}) -> (Tensor, Tensor)",
    f"ps_roi_align({_ROI}, int sampling_ratio) -> (Tensor, Tensor)",
    f"ps_roi_pool({_ROI}) -> (Tensor, Tensor)",
    "deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, "
    "int stride_h, int stride_w, int pad_h, int pad_w, int dilation_h, int dilation_w, "
    "int groups, int offset_groups, bool use_mask) -> Tensor",
    f"_roi_align_backward({_BACK}, {_SIZES}, int sampling_ratio, bool aligned) -> Tensor",
    f"_roi_pool_backward({_BACK}, {_SIZES}) -> Tensor",
    f"_ps_roi_align_backward({_BACK}, {_SIZES}) -> Tensor",
    f"_ps_roi_pool_backward({_BACK}, {_SIZES}) -> Tensor",
    "_deform_conv2d_backward(Tensor grad, Tensor input) -> Tensor[]",
    f"qroi_align({_ROI}, int sampling_ratio, bool aligned) -> Tensor",
    "_cuda_version() -> int",
)


def nms(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Which boxes stay when, from the highest score down, each removes those it overlaps.

    Args:
        dets: (N, 4) of x1, y1, x2, y2. scores: (N,).
        iou_threshold: boxes go whose intersection is more than this part of their union.

    Returns:
        int64, (kept,): places in `dets`, highest score first.

    >>> boxes = kagari.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2.1], [5, 5, 6, 6]])
    >>> nms(boxes, kagari.tensor([0.5, 0.9, 0.1]), 0.5)
    tensor([1, 2])
    """
    if dets.dim() != 2 or dets.shape[1] != 4:
        raise RuntimeError(f"nms: dets: expected shape (N, 4), got {tuple(dets.shape)}")
    if scores.shape != dets.shape[:1]:
        raise RuntimeError(
            f"nms: scores: expected one for each of {dets.shape[0]} boxes, got shape "
            f"{tuple(scores.shape)}"
        )
    dets = dets.detach().to(kagari.promote_types(dets.dtype, kagari.float32))
    order = scores.detach().argsort(stable=True, descending=True)
    boxes = dets[order]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept, gone = [], kagari.zeros(len(order), dtype=kagari.bool)
    for i in range(len(order)):
        if bool(gone[i]):
            continue
        kept.append(i)
        low = kagari.maximum(boxes[i, :2], boxes[:, :2])
        high = kagari.minimum(boxes[i, 2:], boxes[:, 2:])
        shared = (high - low).clamp(min=0).prod(1)
        gone |= shared / (area[i] + area - shared) > iou_threshold
    return order[kagari.tensor(kept, dtype=kagari.int64)]


def roi_align(
    input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int,
    sampling_ratio: int, aligned: bool,
) -> Tensor:  # fmt: skip
    """Windows of images, resampled to one size (He et al., Mask R-CNN, 2017).

    Each result is a mean over a grid of points, interpolated between pixels. The weights of rows
    and of columns are independent, so this is two matrix products.

    Args:
        input: (N, C, H, W). rois: (K, 5): the image's number, then x1, y1, x2, y2.
        sampling_ratio: points per result in each direction; 0 or less: as many as pixels.
        aligned: are coordinates of pixels' centres, not of their corners?

    Returns:
        (K, C, pooled_height, pooled_width).
    """
    if rois.dim() != 2 or rois.shape[1] != 5:
        raise RuntimeError(f"roi_align: rois: expected shape (K, 5), got {tuple(rois.shape)}")
    if input.dtype != rois.dtype:
        raise RuntimeError(f"roi_align: rois: expected {input.dtype}, got {rois.dtype}")
    numbers = rois.detach().float() if rois.dtype is kagari.float16 else rois.detach()
    start = numbers[:, 1:3] * spatial_scale - (0.5 if aligned else 0.0)
    size = numbers[:, 3:] * spatial_scale - (0.5 if aligned else 0.0) - start
    if not aligned:
        size = size.clamp(min=1)
    rows = _weights(start[:, 1], size[:, 1], pooled_height, input.shape[2], sampling_ratio)
    columns = _weights(start[:, 0], size[:, 0], pooled_width, input.shape[3], sampling_ratio)
    windows = input[numbers[:, 0].long()]
    rows, columns = rows.to(input.dtype).unsqueeze(1), columns.to(input.dtype).unsqueeze(1)
    return rows @ windows @ columns.mT


def _weights(start: Tensor, size: Tensor, results: int, pixels: int, ratio: int) -> Tensor:
    """(K, results, pixels): with what weight each pixel of a line enters each result."""
    lines = []
    for first, length in zip(start.tolist(), size.tolist()):
        points = ratio if ratio > 0 else max(1, math.ceil(length / results))
        at = (kagari.arange(results * points, dtype=start.dtype) + 0.5) / points
        place = first + at * (length / results)
        outside = (place < -1) | (place > pixels)
        place = place.clamp(0, pixels - 1)
        distance = (place.unsqueeze(1) - kagari.arange(pixels, dtype=start.dtype)).abs()
        weight = (1 - distance).clamp(min=0).masked_fill(outside.unsqueeze(1), 0)
        lines.append(weight.unflatten(0, (results, points)).mean(1))
    return kagari.stack(lines) if lines else start.new_zeros((0, results, pixels))


def define() -> None:
    """Puts the ops under torch.ops.torchvision."""
    library = Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    library.impl("nms", nms, "CPU")
    library.impl("roi_align", roi_align, "CompositeImplicitAutograd")
    library.impl("_cuda_version", lambda: -1, "CompositeImplicitAutograd")
