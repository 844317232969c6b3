"""What the options that PyTorch gives every optimizer mean here: foreach, fused, capturable,
differentiable. The fused C++ step serves foreach and fused alike; the step written as tensor
operations serves `differentiable`, `foreach=False` and complex parameters."""

from typing import Any

from kagari import Tensor


def check_flags(
    lr: Any, foreach: bool | None, capturable: bool, differentiable: bool, fused: bool | None
) -> None:
    """Refuse combinations that PyTorch refuses."""
    if isinstance(lr, Tensor):
        if foreach and not capturable:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        if lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def wants_fused(group: dict[str, Any], params: list[Tensor]) -> bool:
    """Whether the fused step serves this group."""
    if group["differentiable"] or (group["foreach"] is False and not group["fused"]):
        return False
    return all(dtype.is_floating_point for dtype in {param.dtype for param in params})


def check_capturable(group: dict[str, Any], params: list[Tensor]) -> None:
    """`capturable` is for recording into GPU graphs, so all parameters have to be on a GPU."""
    if group.get("capturable") and any(param.device.type == "cpu" for param in params):
        raise AssertionError(
            "If capturable=True, params and state_steps must be on supported devices: "
            "['cuda', 'hpu', 'mps', 'xla', 'xpu']."
        )
