"""The ways to prune a parameter: which of its elements a mask keeps. A method is also the hook that
applies its mask before every forward. What users call is left to prune.py."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any

import kagari
from kagari import Tensor


class BasePruningMethod(ABC):
    """A way to prune; a subclass writes `compute_mask` and sets PRUNING_TYPE to "unstructured",
    "structured" (with an attribute `dim`) or "global"."""

    _tensor_name: str
    PRUNING_TYPE: str

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask, 1 for elements that stay, for importance scores `t`; what `default_mask` has
        pruned already stays pruned."""

    def apply_mask(self, module: Any) -> Tensor:
        """The parameter with its mask."""
        name = self._name_of(module)
        mask, original = getattr(module, name + "_mask"), getattr(module, name + "_orig")
        return mask.to(original.dtype) * original

    def _name_of(self, module: Any) -> str:
        name = getattr(self, "_tensor_name", None)
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        return name

    @classmethod
    def apply(
        cls, module: Any, name: str, *args: Any, importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:  # fmt: skip
        """Prune a parameter: `name`_orig is the parameter, `name`_mask a buffer with the mask,
        `name` the product. What was pruned before stays pruned.

        Returns the hook; a PruningContainer where there was one already.
        """
        method = _joined(module, name, cls(*args, **kwargs))
        original = getattr(module, name)
        scores = original if importance_scores is None else importance_scores
        if scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, "
                f"got {tuple(scores.shape)} and {tuple(original.shape)}"
            )
        if isinstance(method, PruningContainer):
            before = getattr(module, name + "_mask").detach().clone()
            module.register_buffer(name + "_mask", method.compute_mask(scores, before))
        else:
            # computed first: what raises leaves the module as it was
            mask = method.compute_mask(scores, kagari.ones_like(original))
            del module._parameters[name]
            module.register_parameter(name + "_orig", original)
            module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """A tensor with the mask of this method applied."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError(
                "importance_scores should have the same shape as tensor t, got "
                f"{tuple(scores.shape)} and {tuple(t.shape)}"
            )
        before = kagari.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=before)

    def remove(self, module: Any) -> None:
        """Make the pruned parameter a plain one; the hook is left to `prune.remove`."""
        name = self._name_of(module)
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters[name + "_orig"]
        original.data = weight.detach()
        del module._parameters[name + "_orig"]
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


def _joined(module: Any, name: str, method: BasePruningMethod) -> BasePruningMethod:
    """`method`, or the container of it and of what pruned the parameter before."""
    method._tensor_name = name
    found = [
        key for key, hook in module._forward_pre_hooks.items()
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
    ]  # fmt: skip
    if not found:
        return method
    before = module._forward_pre_hooks.pop(found[0])
    container = before if isinstance(before, PruningContainer) else PruningContainer(before)
    container.add_pruning_method(method)
    return container


class PruningContainer(BasePruningMethod):
    """Several methods for one parameter, one after the other."""

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        methods = list(args)
        if len(args) == 1 and isinstance(args[0], Iterable):
            methods = list(args[0])
        if methods:
            self._tensor_name = methods[0]._tensor_name
        for method in methods:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Append a method. TypeError for what is none, ValueError for one of another parameter."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        name = getattr(self, "_tensor_name", None)
        if name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The last method's mask of what the others have left."""
        method, mask = self._pruning_methods[-1], default_mask.to(t.dtype)
        part = self._left_by(method, mask)
        new = mask.clone()
        new[part] = method.compute_mask(t[part], default_mask=mask[part]).to(mask.dtype)
        return new

    def _left_by(self, method: BasePruningMethod, mask: Tensor) -> Any:
        if method.PRUNING_TYPE == "unstructured":
            return mask == 1
        if method.PRUNING_TYPE == "global":
            return (slice(None),) * mask.dim()
        if method.PRUNING_TYPE != "structured":
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        dim = method.dim  # type: ignore[attr-defined]
        rank = mask.dim()
        if not -rank <= dim < rank:
            raise IndexError(f"Index is out of bounds for tensor with dimensions {rank}, got {dim}")
        dim %= rank
        kept = mask.sum([d for d in range(rank) if d != dim]) != 0
        return tuple(kept if d == dim else slice(None) for d in range(rank))


# ---- how much ----


def _check_amount(amount: Any) -> None:
    if not isinstance(amount, Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if (isinstance(amount, Integral) and amount < 0) or (
        not isinstance(amount, Integral) and not 0.0 <= float(amount) <= 1.0
    ):
        raise ValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
            "integer"
        )


def _count(amount: Any, size: int) -> int:
    """How many of `size` are pruned."""
    if not isinstance(amount, Integral):
        return round(float(amount) * size)
    if int(amount) > size:
        raise ValueError(
            f"amount={amount} should be smaller than the number of parameters to prune={size}"
        )
    return int(amount)


def _check_dim(t: Tensor, dim: int) -> None:
    if t.dim() <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of "
            f"shape {tuple(t.shape)} with {t.dim()} dims"
        )
    if dim >= t.dim():
        raise IndexError(f"Invalid index {dim} for tensor of size {tuple(t.shape)}")


# ---- the methods ----


class Identity(BasePruningMethod):
    """Prunes nothing."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The default mask."""
        return default_mask

    @classmethod
    def apply(cls, module: Any, name: str) -> Any:  # type: ignore[override]
        """See BasePruningMethod."""
        return super().apply(module, name)


class RandomUnstructured(BasePruningMethod):
    """Prunes `amount` elements, a number or a fraction, at random."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: Any) -> None:
        _check_amount(amount)
        self.amount = amount

    def _chosen(self, t: Tensor, count: int) -> Tensor:
        return kagari.rand_like(t).view(-1).topk(count).indices

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for importance scores `t`."""
        count = _count(self.amount, t.numel())
        mask = default_mask.clone(memory_format=kagari.contiguous_format)
        if count:
            mask.view(-1)[self._chosen(t, count)] = 0
        return mask

    @classmethod
    def apply(cls, module: Any, name: str, amount: Any) -> Any:  # type: ignore[override]
        """See BasePruningMethod."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(RandomUnstructured):
    """Prunes the `amount` elements, a number or a fraction, that are nearest to zero."""

    def _chosen(self, t: Tensor, count: int) -> Tensor:
        return t.abs().reshape(-1).topk(count, largest=False).indices

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Any, name: str, amount: Any, importance_scores: Tensor | None = None
    ) -> Any:
        """See BasePruningMethod."""
        return BasePruningMethod.apply.__func__(  # type: ignore[attr-defined]
            cls, module, name, amount=amount, importance_scores=importance_scores
        )


class RandomStructured(BasePruningMethod):
    """Prunes `amount` channels along `dim`, a number or a fraction, at random."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        _check_amount(amount)
        self.amount, self.dim = amount, dim

    def _kept(self, t: Tensor, count: int) -> Tensor:
        """Which channels stay: a mask of them, or their numbers."""
        chance = kagari.rand(t.shape[self.dim])
        return chance > kagari.kthvalue(chance, k=count).values

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for importance scores `t`."""
        _check_dim(t, self.dim)
        count = _count(self.amount, t.shape[self.dim])
        if count == 0:
            return default_mask
        mask, place = kagari.zeros_like(t), [slice(None)] * t.dim()
        place[self.dim] = self._kept(t, count)  # type: ignore[call-overload]
        mask[tuple(place)] = 1
        return mask * default_mask.to(mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, amount: Any, dim: int = -1) -> Any:  # type: ignore[override]
        """See BasePruningMethod."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(RandomStructured):
    """Prunes the `amount` channels along `dim`, a number or a fraction, of the least `n`-norm."""

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t: Tensor, count: int) -> Tensor:
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        norm = kagari.norm(t, p=self.n, dim=others)
        return norm.topk(t.shape[self.dim] - count).indices

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Any, name: str, amount: Any, n: Any, dim: int,
        importance_scores: Tensor | None = None,
    ) -> Any:  # fmt: skip
        """See BasePruningMethod."""
        return BasePruningMethod.apply.__func__(  # type: ignore[attr-defined]
            cls, module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores
        )


class CustomFromMask(BasePruningMethod):
    """Prunes what a given mask leaves out."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The given mask, without what is pruned already."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"expected a mask of shape {tuple(default_mask.shape)}, got "
                f"{tuple(self.mask.shape)}"
            )
        return default_mask * self.mask.to(default_mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, mask: Tensor) -> Any:  # type: ignore[override]
        """See BasePruningMethod."""
        return super().apply(module, name, mask=mask)
