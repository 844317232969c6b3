"""GradScaler: makes losses larger before backward, so that small gradients survive float16."""

import warnings
from typing import Any

import kagari
from kagari import Tensor


class GradScaler:
    """Scales losses, and lets an optimizer step only on finite gradients.

    The scale grows by `growth_factor` after `growth_interval` steps without an infinity or NaN in
    the gradients, and shrinks by `backoff_factor` at each that has one.

    >>> scaler = GradScaler("cpu", init_scale=4.0)
    >>> scaler.scale(kagari.tensor(2.0))
    tensor(8.)
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        self._device, self._enabled = device, enabled
        if enabled and device != "cpu":
            warnings.warn(f"GradScaler: there is no {device} device. Disabling.", stacklevel=2)
            self._enabled = False
        if self._enabled and growth_factor <= 1:
            raise ValueError(
                f"GradScaler: growth_factor: expected more than 1, got {growth_factor}"
            )
        if self._enabled and backoff_factor >= 1:
            raise ValueError(
                f"GradScaler: backoff_factor: expected less than 1, got {backoff_factor}"
            )
        self._init_scale, self._scale = init_scale, None  # type: float, Tensor | None
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._seen: dict[int, dict[str, Any]] = {}  # id of an optimizer -> what was done with it

    def scale(self, outputs: Any) -> Any:
        """A loss, or losses in lists and tuples, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._tensor()
        if isinstance(outputs, list | tuple):
            return type(outputs)(self.scale(output) for output in outputs)
        raise ValueError(
            f"GradScaler.scale: outputs: expected tensors, got {type(outputs).__name__}"
        )

    def _tensor(self) -> Tensor:
        if self._scale is None:
            self._scale = kagari.tensor(float(self._init_scale))
        return self._scale

    def unscale_(self, optimizer: Any) -> None:
        """Divides an optimizer's gradients by the scale, to clip them for instance; `step` does it
        otherwise. Once between two updates."""
        if not self._enabled:
            return
        seen = self._seen.setdefault(id(optimizer), {})
        if "finite" in seen:
            after = "step()" if seen.get("stepped") else "the last update()"
            raise RuntimeError(
                f"unscale_() has already been called on this optimizer since {after}."
                if not seen.get("stepped")
                else "unscale_() is being called after step()."
            )
        inverse = 1.0 / self._tensor().double().item()
        seen["finite"] = True
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if parameter.dtype is kagari.float16:
                    raise ValueError("Attempting to unscale FP16 gradients.")
                with kagari.no_grad():
                    parameter.grad.mul_(inverse)
                    seen["finite"] &= bool(parameter.grad.isfinite().all())

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """optimizer.step(), unless a gradient is infinite or NaN."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        seen = self._seen.setdefault(id(optimizer), {})
        if seen.get("stepped"):
            raise RuntimeError("step() has already been called since the last update().")
        if "finite" not in seen:
            self.unscale_(optimizer)
        seen["stepped"] = True
        return optimizer.step(*args, **kwargs) if seen["finite"] else None

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Changes the scale for the next step: by what the gradients were, or to `new_scale`."""
        if not self._enabled:
            return
        scale = self._tensor().item()
        finite = [seen["finite"] for seen in self._seen.values() if "finite" in seen]
        if new_scale is not None:
            scale = float(new_scale)
        elif not finite:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif not all(finite):
            scale, self._growth_tracker = scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                grown, self._growth_tracker = scale * self._growth_factor, 0
                scale = grown if kagari.tensor(grown).isfinite() else scale
        self._scale = kagari.tensor(scale)
        self._seen.clear()

    def get_scale(self) -> float:
        """The scale; 1 where it is off."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self) -> float:
        """By what it grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Changes that."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By what it shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Changes that."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps it grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Changes that."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Is it on?"""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """What load_state_dict takes; empty where it is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where another stopped."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale = kagari.tensor(float(state_dict["scale"]))
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]
