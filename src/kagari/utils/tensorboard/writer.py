"""SummaryWriter: a folder of event files for TensorBoard. What events hold is in summary.py."""

import os
import socket
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from . import media, summary


class FileWriter:
    """Writes events to a file of its own in a folder, from a thread of its own."""

    def __init__(
        self, log_dir: Any, max_queue: int = 10, flush_secs: int = 120, filename_suffix: str = ""
    ) -> None:
        self.event_writer = EventFileWriter(str(log_dir), max_queue, flush_secs, filename_suffix)

    def get_logdir(self) -> str:
        """The folder."""
        return self.event_writer.get_logdir()

    def add_event(self, event: Any, step: Any = None, walltime: float | None = None) -> None:
        """Writes an event of a step, at the present time if no other is given."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)

    def add_summary(self, summary: Any, global_step: Any = None, walltime: Any = None) -> None:
        """Writes what summary.py's functions give."""
        self.add_event(Event(summary=summary), global_step, walltime)

    def flush(self) -> None:
        """Waits until all is on the disk."""
        self.event_writer.flush()

    def close(self) -> None:
        """Writes the rest and closes the file."""
        self.event_writer.close()


class SummaryWriter:
    """Tells TensorBoard about a program: numbers, histograms, images, sounds, texts, curves.

    Args:
        log_dir: the folder; "runs/DATE_HOST" with `comment` at its end if None.
        purge_step: events from that step on, of an earlier run that failed, are to be forgotten.
        max_queue, flush_secs: how many events, and for how long, may wait to be written.

    >>> with SummaryWriter("runs/demo") as writer:  # doctest: +SKIP
    ...     writer.add_scalar("loss", 0.5, global_step=1)
    """

    def __init__(
        self, log_dir: Any = None, comment: str = "", purge_step: int | None = None,
        max_queue: int = 10, flush_secs: int = 120, filename_suffix: str = "",
    ) -> None:  # fmt: skip
        if not log_dir:
            now = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir = os.fspath(log_dir)
        self.purge_step = purge_step
        self._options = (max_queue, flush_secs, filename_suffix)
        self.file_writer: FileWriter | None = None
        self.all_writers: dict[str, FileWriter] = {}
        self._get_file_writer()

    def _get_file_writer(self) -> FileWriter:
        """The writer; a new one, with a new file, if it has been closed."""
        if self.file_writer is None:
            self.file_writer = self._writer(self.log_dir)
            if self.purge_step is not None:
                log = SessionLog(status=SessionLog.START)
                self.file_writer.add_event(
                    Event(step=self.purge_step, file_version="brain.Event:2"), self.purge_step
                )
                self.file_writer.add_event(Event(session_log=log), self.purge_step)
                self.purge_step = None
        return self.file_writer

    def _writer(self, folder: str) -> FileWriter:
        if folder not in self.all_writers:
            self.all_writers[folder] = FileWriter(folder, *self._options)
        return self.all_writers[folder]

    def _add(self, made: Any, step: Any, walltime: Any) -> None:
        self._get_file_writer().add_summary(made, step, walltime)

    def get_logdir(self) -> str:
        """The folder."""
        return self.log_dir

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: Any = None, walltime: Any = None,
        new_style: bool = False, double_precision: bool = False,
    ) -> None:  # fmt: skip
        """A number, or a tensor of one."""
        made = summary.scalar(
            tag, scalar_value, new_style=new_style, double_precision=double_precision
        )
        self._add(made, global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None,
        walltime: Any = None,
    ) -> None:  # fmt: skip
        """Several numbers for one chart, each from a file of its own."""
        for tag, value in tag_scalar_dict.items():
            folder = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            writer = self._writer(folder)
            writer.add_summary(summary.scalar(main_tag, value), global_step, walltime)

    def add_tensor(
        self, tag: str, tensor: Any, global_step: Any = None, walltime: Any = None
    ) -> None:
        """A whole tensor."""
        self._add(summary.tensor_proto(tag, tensor), global_step, walltime)

    def add_histogram(
        self, tag: str, values: Any, global_step: Any = None, bins: Any = "tensorflow",
        walltime: Any = None, max_bins: int | None = None,
    ) -> None:  # fmt: skip
        """How the values of a tensor are distributed."""
        limits = summary.default_bins() if isinstance(bins, str) and bins == "tensorflow" else bins
        self._add(summary.histogram(tag, values, limits, max_bins), global_step, walltime)

    def add_histogram_raw(
        self, tag: str, min: Any, max: Any, num: Any, sum: Any, sum_squares: Any,
        bucket_limits: Any, bucket_counts: Any, global_step: Any = None, walltime: Any = None,
    ) -> None:  # fmt: skip
        """A histogram that has been counted already."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("add_histogram_raw: expected as many bucket_counts as bucket_limits")
        made = summary.histogram_raw(
            tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts
        )
        self._add(made, global_step, walltime)

    def add_image(
        self, tag: str, img_tensor: Any, global_step: Any = None, walltime: Any = None,
        dataformats: str = "CHW",
    ) -> None:  # fmt: skip
        """An image: bytes, or floats from 0 to 1."""
        self._add(summary.image(tag, img_tensor, 1, dataformats), global_step, walltime)

    def add_images(
        self, tag: str, img_tensor: Any, global_step: Any = None, walltime: Any = None,
        dataformats: str = "NCHW",
    ) -> None:  # fmt: skip
        """Images in a grid."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True,
        walltime: Any = None,
    ) -> None:  # fmt: skip
        """A figure of matplotlib, or a list of them."""
        axes = "NCHW" if isinstance(figure, list) else "CHW"
        self.add_image(tag, media.figure(figure, close), global_step, walltime, axes)

    def add_audio(
        self, tag: str, snd_tensor: Any, global_step: Any = None, sample_rate: int = 44100,
        walltime: Any = None,
    ) -> None:  # fmt: skip
        """A sound of one channel, (1, length), from -1 to 1."""
        self._add(summary.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_text(
        self, tag: str, text_string: str, global_step: Any = None, walltime: Any = None
    ) -> None:
        """A text, in Markdown."""
        self._add(summary.text(tag, text_string), global_step, walltime)

    def add_pr_curve(
        self, tag: str, labels: Any, predictions: Any, global_step: Any = None,
        num_thresholds: int = 127, weights: Any = None, walltime: Any = None,
    ) -> None:  # fmt: skip
        """Precision and recall of probabilities for yes and no."""
        made = summary.pr_curve(tag, labels, predictions, num_thresholds, weights)
        self._add(made, global_step, walltime)

    def add_pr_curve_raw(
        self, tag: str, true_positive_counts: Any, false_positive_counts: Any,
        true_negative_counts: Any, false_negative_counts: Any, precision: Any, recall: Any,
        global_step: Any = None, num_thresholds: int = 127, weights: Any = None,
        walltime: Any = None,
    ) -> None:  # fmt: skip
        """A curve that has been counted already."""
        made = summary.pr_curve_raw(
            tag, true_positive_counts, false_positive_counts, true_negative_counts,
            false_negative_counts, precision, recall, num_thresholds, weights,
        )  # fmt: skip
        self._add(made, global_step, walltime)

    def add_custom_scalars(self, layout: Any) -> None:
        """Charts of several numbers: {category: {title: ("Multiline" or "Margin", [tags])}}."""
        self._add(summary.custom_scalars(layout), None, None)

    def add_custom_scalars_multilinechart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """One chart with a line per tag."""
        self.add_custom_scalars({category: {title: ("Multiline", tags)}})

    def add_custom_scalars_marginchart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """One chart of a value between a lower and an upper limit: three tags."""
        if len(tags) != 3:
            raise ValueError(f"add_custom_scalars_marginchart: expected three tags, got {tags}")
        self.add_custom_scalars({category: {title: ("Margin", tags)}})

    def add_hparams(
        self, hparam_dict: dict[str, Any], metric_dict: dict[str, Any],
        hparam_domain_discrete: Any = None, run_name: str | None = None, global_step: Any = None,
    ) -> None:  # fmt: skip
        """Hyperparameters and what they led to, in a folder of their own."""
        made = summary.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self.log_dir, run_name or str(time.time()))
        with SummaryWriter(log_dir=folder) as writer:
            for one in made:
                writer._add(one, None, None)
            for tag, value in metric_dict.items():
                writer.add_scalar(tag, value, global_step)

    def add_embedding(
        self, mat: Any, metadata: Any = None, label_img: Any = None, global_step: Any = None,
        tag: str = "default", metadata_header: Any = None,
    ) -> None:  # fmt: skip
        """Rows of a matrix as points, with a name each."""
        if label_img is not None:
            raise NotImplementedError("add_embedding: label_img: give names as metadata instead")
        rows = media.array(mat)
        if rows.ndim != 2:
            raise ValueError(f"add_embedding: mat: expected a matrix, got shape {rows.shape}")
        part = f"{str(global_step or 0).zfill(5)}/{tag}"
        folder = Path(self.log_dir) / part
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["\t".join(str(number) for number in row) for row in rows]
        (folder / "tensors.tsv").write_text("\n".join(lines) + "\n")
        said = f'  tensor_name: "{tag}:{str(global_step or 0).zfill(5)}"\n'
        if metadata is not None:
            if len(metadata) != len(rows):
                raise ValueError(
                    f"add_embedding: metadata: expected {len(rows)} names, got {len(metadata)}"
                )
            names = ["\t".join(map(str, name)) if metadata_header else str(name)
                     for name in metadata]  # fmt: skip
            header = ["\t".join(metadata_header)] if metadata_header else []
            (folder / "metadata.tsv").write_text("\n".join([*header, *names]) + "\n")
            said += f'  metadata_path: "{part}/metadata.tsv"\n'
        said += f'  tensor_path: "{part}/tensors.tsv"\n'
        with open(Path(self.log_dir) / "projector_config.pbtxt", "a") as file:
            file.write("embeddings {\n" + said + "}\n")

    def add_graph(self, *args: Any, **kwargs: Any) -> NoReturn:
        """An error: a graph comes of a trace."""
        raise NotImplementedError(
            "add_graph: kagari has no tracer (docs/not_supported.md); print(model) says more"
        )

    def flush(self) -> None:
        """Waits until all is on the disk."""
        for writer in self.all_writers.values():
            writer.flush()

    def close(self) -> None:
        """Writes the rest and closes the files; a later call opens new ones."""
        for writer in self.all_writers.values():
            writer.flush()
            writer.close()
        self.file_writer = None
        self.all_writers = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
