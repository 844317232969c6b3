"""What is told of a step, as TensorBoard's messages: a function per kind, named as PyTorch's."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData
from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData
from tensorboard.util import tensor_util

from . import media


def _about(plugin: str, content: bytes = b"") -> Any:
    return SummaryMetadata(
        plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    )


def _one(**value: Any) -> Any:
    return Summary(value=[Summary.Value(**value)])


def _strings(texts: Iterable[bytes], sizes: Iterable[int]) -> Any:
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])
    return TensorProto(dtype="DT_STRING", string_val=texts, tensor_shape=shape)


def number(value: Any) -> float:
    """A number, or the only one of a tensor."""
    data = media.array(value).reshape(-1)
    if len(data) != 1:
        raise ValueError(f"add_scalar: expected one number, got {len(data)}")
    return float(data[0])


def scalar(
    tag: str, tensor: Any, collections: Any = None, new_style: bool = False,
    double_precision: bool = False,
) -> Any:  # fmt: skip
    """A number; `new_style` as a tensor, which may be of double precision."""
    value = number(tensor)
    if not new_style:
        return _one(tag=tag, simple_value=value)
    if double_precision:
        proto = TensorProto(double_val=[value], dtype="DT_DOUBLE")
    else:
        proto = TensorProto(float_val=[value], dtype="DT_FLOAT")
    return _one(tag=tag, tensor=proto, metadata=_about("scalars"))


def tensor_proto(tag: str, tensor: Any) -> Any:
    """A whole tensor."""
    return _one(
        tag=tag, tensor=tensor_util.make_tensor_proto(media.array(tensor)),
        metadata=_about("tensor"),
    )  # fmt: skip


def default_bins() -> list[float]:
    """TensorBoard's limits of buckets: each 1.1 times the one before, to both sides of zero."""
    positive = [1e-12]
    while positive[-1] * 1.1 < 1e20:
        positive.append(positive[-1] * 1.1)
    return [-limit for limit in reversed(positive)] + [0.0] + positive


def histogram(name: str, values: Any, bins: Any, max_bins: int | None = None) -> Any:
    """How many values lie in each bucket: between `bins`, limits or a number of buckets or a rule
    of numpy.histogram, at most `max_bins`."""
    data = media.array(values).astype(float).reshape(-1)
    if data.size == 0:
        raise ValueError("add_histogram: values: expected some, got none")
    counts, limits = np.histogram(data, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        together = len(counts) // max_bins
        counts = np.append(counts, np.zeros(-len(counts) % together, counts.dtype))
        counts = counts.reshape(-1, together).sum(1)
        limits = np.append(limits[:-1][::together], limits[-1])
    filled = np.flatnonzero(counts)
    if len(filled) == 0:
        raise ValueError("add_histogram: bins: no value lies between them")
    first, last = filled[0], filled[-1] + 1  # an empty bucket stands before the first
    before = counts[first - 1 : last] if first else np.append(0, counts[:last])
    return histogram_raw(
        name, data.min(), data.max(), len(data), data.sum(), data.dot(data),
        limits[first : last + 1], before,
    )  # fmt: skip


def histogram_raw(
    name: str, min: Any, max: Any, num: Any, sum: Any, sum_squares: Any, bucket_limits: Any,
    bucket_counts: Any,
) -> Any:  # fmt: skip
    """Buckets that have been counted already: `bucket_limits` are their upper limits."""
    proto = HistogramProto(
        min=min, max=max, num=num, sum=sum, sum_squares=sum_squares,
        bucket_limit=[float(limit) for limit in bucket_limits],
        bucket=[float(count) for count in bucket_counts],
    )  # fmt: skip
    return _one(tag=name, histo=proto)


def image(tag: str, tensor: Any, rescale: float = 1, dataformats: str = "NCHW") -> Any:
    """An image, or several in a grid."""
    return _one(tag=tag, image=media.png(media.images(tensor, dataformats)))


def audio(tag: str, tensor: Any, sample_rate: int = 44100) -> Any:
    """A sound of one channel."""
    return _one(tag=tag, audio=media.sound(tensor, sample_rate))


def text(tag: str, text: str) -> Any:
    """A text, in Markdown."""
    content = TextPluginData(version=0).SerializeToString()
    proto = _strings([text.encode()], [1])
    return _one(tag=tag + "/text_summary", tensor=proto, metadata=_about("text", content))


def pr_curve(
    tag: str, labels: Any, predictions: Any, num_thresholds: int = 127, weights: Any = None
) -> Any:
    """Precision and recall of probabilities for yes and no, at thresholds from 0 to 1."""
    count = min(num_thresholds, 127)
    truth, given = media.array(labels).reshape(-1), media.array(predictions).reshape(-1)
    weight = 1.0 if weights is None else media.array(weights).reshape(-1)
    place = np.floor(given * (count - 1)).astype(np.int32)
    span = (0, count - 1)
    yes, _ = np.histogram(place, count, span, weights=truth * weight)
    no, _ = np.histogram(place, count, span, weights=(1.0 - truth) * weight)
    tp, fp = np.cumsum(yes[::-1])[::-1], np.cumsum(no[::-1])[::-1]
    tn, fn = fp[0] - fp, tp[0] - tp
    precision, recall = tp / np.maximum(1e-7, tp + fp), tp / np.maximum(1e-7, tp + fn)
    return pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, count, weights)


def pr_curve_raw(
    tag: str, tp: Any, fp: Any, tn: Any, fn: Any, precision: Any, recall: Any,
    num_thresholds: int = 127, weights: Any = None,
) -> Any:  # fmt: skip
    """A curve that has been counted already: one number per threshold each."""
    count = min(num_thresholds, 127)
    rows = np.stack([media.array(row) for row in (tp, fp, tn, fn, precision, recall)])
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in rows.shape])
    content = PrCurvePluginData(version=0, num_thresholds=count).SerializeToString()
    proto = TensorProto(
        dtype="DT_FLOAT", float_val=rows.reshape(-1).tolist(), tensor_shape=shape
    )  # fmt: skip
    return _one(tag=tag, tensor=proto, metadata=_about("pr_curves", content))


def custom_scalars(layout: dict[str, dict[str, tuple[str, list[str]]]]) -> Any:
    """Charts of several numbers: {category: {title: ("Multiline" or "Margin", [tags])}}."""
    categories = []
    for name, charts in layout.items():
        found = []
        for title, (kind, tags) in charts.items():
            if kind == "Margin":
                series = layout_pb2.MarginChartContent.Series(
                    value=tags[0], lower=tags[1], upper=tags[2]
                )
                margin = layout_pb2.MarginChartContent(series=[series])
                found.append(layout_pb2.Chart(title=title, margin=margin))
            else:
                lines = layout_pb2.MultilineChartContent(tag=tags)
                found.append(layout_pb2.Chart(title=title, multiline=lines))
        categories.append(layout_pb2.Category(title=name, chart=found))
    content = layout_pb2.Layout(category=categories).SerializeToString()
    proto = TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=TensorShapeProto())
    return _one(
        tag="custom_scalars__config__", tensor=proto, metadata=_about("custom_scalars")
    )  # fmt: skip


def _hparam(kind: str, data: Any) -> Any:
    content = plugin_data_pb2.HParamsPluginData(
        version=hparams_metadata.PLUGIN_DATA_VERSION, **data
    ).SerializeToString()
    about = _about(hparams_metadata.PLUGIN_NAME, content)
    return _one(tag=getattr(hparams_metadata, kind), metadata=about)


def hparams(
    hparam_dict: dict[str, Any], metric_dict: dict[str, Any], hparam_domain_discrete: Any = None
) -> tuple[Any, Any, Any]:
    """Hyperparameters (numbers, bools, strings) and the tags of what they led to: an experiment,
    the start of a session and its end."""
    if not isinstance(hparam_dict, dict) or not isinstance(metric_dict, dict):
        raise TypeError("add_hparams: hparam_dict and metric_dict: expected two dicts")
    start = plugin_data_pb2.SessionStartInfo()
    infos = []
    for name, value in hparam_dict.items():
        if value is None:
            continue
        if isinstance(value, str):
            field, kind = "string_value", "DATA_TYPE_STRING"
        else:  # a bool is a number, as in PyTorch
            value = number(value)
            field, kind = "number_value", "DATA_TYPE_FLOAT64"
        setattr(start.hparams[name], field, value)
        info = api_pb2.HParamInfo(name=name, type=api_pb2.DataType.Value(kind))
        choices = (hparam_domain_discrete or {}).get(name)
        if choices is not None:
            for choice in choices:
                setattr(info.domain_discrete.values.add(), field, choice)
        infos.append(info)
    metrics = [
        api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in metric_dict
    ]  # fmt: skip
    experiment = api_pb2.Experiment(hparam_infos=infos, metric_infos=metrics)
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.Status.Value("STATUS_SUCCESS"))
    return (
        _hparam("EXPERIMENT_TAG", {"experiment": experiment}),
        _hparam("SESSION_START_INFO_TAG", {"session_start_info": start}),
        _hparam("SESSION_END_INFO_TAG", {"session_end_info": end}),
    )
