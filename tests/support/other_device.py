"""A pretended GPU: tensors that say they are on the device "meta" and are computed on the CPU.

As on a real one, an operation that mixes its tensors with the CPU's fails, and so does NumPy. So code that forgets to
move a tensor is found on machines without a GPU.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

NAME = "meta"
_FREE = ("_to_copy", "copy_", "_local_scalar_dense", "is_same_size", "lift_fresh", "_copy_from")


class There(Tensor):
    """A tensor on the pretended device; `here`: its values."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> There:
        return Tensor._make_wrapper_subclass(  # type: ignore[no-any-return, attr-defined]
            cls, here.shape, here.stride(), here.storage_offset(), dtype=here.dtype, device=torch.device(NAME)
        )

    def __init__(self, here: Tensor) -> None:
        self.here = here

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})

    def __repr__(self, **kwargs: Any) -> str:  # type: ignore[override]
        return f"There({self.here!r})"


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    wanted = kwargs.get("device")
    flat = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, Tensor)]
    there = [each for each in flat if isinstance(each, There)]
    left = [each for each in flat if not isinstance(each, There) and each.dim()]
    name = func.overloadpacket.__name__
    if there and left and name not in _FREE and not name.startswith("index"):
        raise RuntimeError(f"{func}: tensors of {NAME} and of the CPU are mixed")
    if wanted is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
    args, kwargs = tree_map(lambda each: each.here if isinstance(each, There) else each, (args, kwargs))
    out = func(*args, **kwargs)
    if wanted is None:
        goes = bool(there) and name != "_local_scalar_dense" and isinstance(flat[0], There)
    else:
        goes = torch.device(wanted).type == NAME
    return tree_map(lambda each: There(each) if isinstance(each, Tensor) else each, out) if goes else out


class _Dispatched(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class OtherDevice(TorchFunctionMode):
    """Inside it, torch.device(NAME) is the pretended device. Only in the thread that enters it."""

    def __init__(self) -> None:
        super().__init__()
        self._dispatched = _Dispatched()

    def __enter__(self) -> OtherDevice:
        # Tensors that wrap others cannot be made in inference mode.
        self._entering = torch.inference_mode.__enter__
        self._leaving = torch.inference_mode.__exit__
        torch.inference_mode.__enter__ = lambda self: None  # type: ignore[method-assign]
        torch.inference_mode.__exit__ = lambda self, *details: None  # type: ignore[method-assign]
        self._grad = torch.no_grad()
        self._grad.__enter__()
        super().__enter__()
        self._dispatched.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._dispatched.__exit__(*details)
        super().__exit__(*details)
        self._grad.__exit__(*details)
        torch.inference_mode.__enter__ = self._entering  # type: ignore[method-assign]
        torch.inference_mode.__exit__ = self._leaving  # type: ignore[method-assign]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.tolist:
            return func(*(each.here if isinstance(each, There) else each for each in args))
        if func is torch.tensor and kwargs and torch.device(kwargs.get("device") or "cpu").type == NAME:
            return There(func(*args, **kwargs | {"device": "cpu"}))
        return func(*args, **(kwargs or {}))
