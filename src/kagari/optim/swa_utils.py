"""Averages of a model's weights along its training, and the schedule and statistics they need
(Izmailov et al., 2018)."""

import itertools
import math
import warnings
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import Module

from .lr_scheduler import LRScheduler
from .optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn",
    "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """A function of lists (averages, parameters, count) that keeps `decay` of the averages."""
    _check_decay(decay)

    def update(averages: list[Tensor], parameters: list[Tensor], _: Any) -> None:
        with kagari.no_grad():
            for average, parameter in zip(averages, parameters, strict=True):
                if average.is_floating_point() or average.is_complex():
                    average.lerp_(parameter.to(average.dtype), 1 - decay)
                else:
                    average.copy_(average * decay + parameter * (1 - decay))

    return update


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """A function of lists (averages, parameters, count) that keeps the mean."""

    def update(averages: list[Tensor], parameters: list[Tensor], count: Any) -> None:
        share = 1 / (int(count) + 1)
        with kagari.no_grad():
            for average, parameter in zip(averages, parameters, strict=True):
                if average.is_floating_point() or average.is_complex():
                    average.lerp_(parameter.to(average.dtype), share)
                else:
                    average.add_((parameter - average) // (int(count) + 1))

    return update


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Tensor]:
    """A function (average, parameter, count) that keeps `decay` of the average."""
    _check_decay(decay)

    def update(average: Tensor, parameter: Tensor, count: Any) -> Tensor:
        return decay * average + (1 - decay) * parameter

    return update


def get_swa_avg_fn() -> Callable[..., Tensor]:
    """A function (average, parameter, count) that keeps the mean."""

    def update(average: Tensor, parameter: Tensor, count: Any) -> Tensor:
        return average + (parameter - average) / (count + 1)

    return update


class AveragedModel(Module):
    """A copy of a model, `module`, whose parameters become averages with `update_parameters`.

    Args:
        model: the model; it is copied.
        device: where the copy lives.
        avg_fn: gives the new average from (average, parameter, number of models averaged).
        multi_avg_fn: the same in place, for lists. With neither, the mean.
        use_buffers: whether buffers are averaged too.

    >>> model = kagari.nn.Linear(2, 1)
    >>> averaged = kagari.optim.swa_utils.AveragedModel(model)
    >>> averaged.update_parameters(model)
    >>> averaged.n_averaged
    tensor(1)
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Callable[..., Tensor] | None = None,
        multi_avg_fn: Callable[..., None] | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", kagari.tensor(0, dtype=kagari.long, device=device))
        self.avg_fn, self.multi_avg_fn = avg_fn, multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def _averaged(self, model: Module) -> list[Tensor]:
        if not self.use_buffers:
            return list(model.parameters())
        return list(itertools.chain(model.parameters(), model.buffers()))

    def update_parameters(self, model: Module) -> None:
        """Takes the model's present parameters into the averages."""
        averages = [t.detach() for t in self._averaged(self.module)]
        present = [
            t.detach().to(a.device) for a, t in zip(averages, self._averaged(model), strict=True)
        ]
        if self.n_averaged == 0:
            for average, parameter in zip(averages, present, strict=True):
                average.copy_(parameter)
        elif self.avg_fn is not None:
            for average, parameter in zip(averages, present, strict=True):
                average.copy_(self.avg_fn(average, parameter, self.n_averaged))
        else:
            update = self.multi_avg_fn or get_swa_multi_avg_fn()
            update(averages, present, self.n_averaged)
        if not self.use_buffers:
            # buffers are the model's of now
            for mine, its in zip(self.module.buffers(), model.buffers(), strict=True):
                mine.detach().copy_(its.detach().to(mine.device))
        self.n_averaged += 1


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the statistics of all batch norms of `model` anew, as means over the batches of
    `loader` (of each, if it is a list or tuple, the first part)."""
    kinds = kagari.nn.modules.batchnorm._BatchNorm
    norms = [m for m in model.modules() if isinstance(m, kinds)]
    momenta = {norm: norm.momentum for norm in norms}
    if not norms:
        return
    was_training = model.training
    with kagari.no_grad():
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        model.train()
        for batch in loader:
            input = batch[0] if isinstance(batch, list | tuple) else batch
            model(input if device is None else input.to(device))
    for norm, momentum in momenta.items():
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Brings the rate to `swa_lr` within `anneal_epochs`, and keeps it there.

    Args:
        optimizer: whose rates are set.
        swa_lr: the rate of all groups, or one for each.
        anneal_epochs: how long it takes.
        anneal_strategy: "cos" or "linear".
        last_epoch: the last epoch done.
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: float, anneal_epochs: int = 10,
        anneal_strategy: str = "cos", last_epoch: int = -1,
    ) -> None:  # fmt: skip
        rates = swa_lr if isinstance(swa_lr, list | tuple) else [swa_lr] * len(
            optimizer.param_groups
        )  # fmt: skip
        if len(rates) != len(optimizer.param_groups):
            raise ValueError(
                "swa_lr must have the same length as optimizer.param_groups: swa_lr has "
                f"{len(rates)}, optimizer.param_groups has {len(optimizer.param_groups)}"
            )
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must by one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, t: float) -> float:
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        """The rates of now: what is left of the old one, taken out of the present one."""
        if not getattr(self, "_get_lr_called_within_step", True):
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=2,
            )
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before = self._share(max(0, min(1, (step - 1) / max(1, self.anneal_epochs))))
        share = self._share(max(0, min(1, step / max(1, self.anneal_epochs))))
        rates = []
        for group in self.optimizer.param_groups:
            swa_lr, lr = group["swa_lr"], group["lr"]
            first = swa_lr if before == 1 else (lr - before * swa_lr) / (1 - before)
            rates.append(swa_lr * share + first * (1 - share))
        return rates
