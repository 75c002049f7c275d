"""One activation on torch tensors: each call takes the quickest way that is right for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from hinge.activations.on_torch.checks import check_overwritable, check_real
from hinge.activations.on_torch.differentiation import Call, Compiled, Transformable
from hinge.activations.on_torch.formulas import Formulas, Numbers
from hinge.activations.on_torch.plain import is_plain, is_traced, is_transformed
from hinge.activations.on_torch.registration import dense, register
from hinge.activations.on_torch.serving import handovers, serves
from hinge.kernels import elementwise
from hinge.kernels.elementwise import Kernel
from hinge.kernels.handover import ALWAYS, EVERYWHERE

Tensor = torch.Tensor

Choice = tuple[Numbers, Kernel | None, Callable[[Tensor], Tensor] | None]
"""Parameters as floats in their ranges, the kernel for them, and torch's own function."""


class Operator:
    """Calls torch's own function, a kernel, or the registered operator ``torch.ops.hinge``.

    An ordinary call goes to torch's function where that is as accurate and as quick, and
    else to a kernel. A call that torch compiles or transforms goes to the registered
    operator, which is one call to torch's tools; one that torch writes down for others is
    spelt in torch's own operators. ``choose`` checks parameters and finds what serves them.
    """

    def __init__(self, formulas: Formulas, choose: Callable[[Numbers], Choice]) -> None:
        self.formulas = formulas
        self.operators = register(formulas)
        self.choose = choose
        self.calls: dict[Numbers, Call] = {}
        self.compiled = SimpleNamespace()
        self._handovers = handovers(formulas.name)

    def __call__(self, x: Tensor, *numbers: float) -> Tensor:
        """f(x) with one number for each parameter, differentiable in ``x``."""
        call = self._call(numbers)
        try:
            small = x.numel() < call.torch_below[x.dtype]
        except (AttributeError, KeyError):
            check_real(x, self.formulas.name)
            raise
        if small and call.twin is not None:
            return call.twin(x)
        plain = is_plain(x)
        if call.twin is not None and self._goes_to_torch(x, call, plain=plain):
            return call.twin(x)
        if not plain:
            return self._seen_by_tools(x, call)
        ready = dense(x)
        if call.kernel is None or not elementwise.takes(ready):
            return _transformable(x, call)
        if x.requires_grad and torch.is_grad_enabled():
            return _compiled(ready, call, in_place=False)
        return call.values(ready)

    def in_place(self, x: Tensor, *numbers: float) -> Tensor:
        """f(x), written into ``x``."""
        check_real(x, self.formulas.name)
        check_overwritable(x, self.formulas.name)
        call = self._call(numbers)
        if call.kernel is None or not (is_plain(x) and elementwise.takes(x)):
            return x.copy_(self(x.clone(), *numbers))
        if x.requires_grad and torch.is_grad_enabled():
            return _compiled(x, call, in_place=True)
        call.values(x, out=x)
        torch.autograd.graph.increment_version(x)  # the kernel writes behind torch's back
        return x

    def derivative(self, x: Tensor, *numbers: float) -> Tensor:
        """f'(x) with one number for each parameter, differentiable in ``x``."""
        call = self._call(numbers)
        if call.kernel is not None and is_plain(x) and not x.requires_grad:
            ready = dense(x)
            if elementwise.takes(ready):
                return elementwise.derivative(self.formulas.name, ready, call.numbers)
        return self.formulas.derivative(x, call.numbers)

    def _call(self, numbers: Numbers) -> Call:
        if torch.compiler.is_compiling():
            compiled: Call = getattr(self.compiled, _compiled_call(self, numbers))
            return compiled
        try:
            found = self.calls.get(numbers)
        except TypeError:  # an array is no key
            found = None
        return self._unseen(numbers) if found is None else found

    def _unseen(self, numbers: Numbers) -> Call:
        found = _made(self, numbers)
        if all(isinstance(one, (int, float, np.generic)) for one in numbers):  # others may change
            if len(self.calls) >= _MOST_CALLS:
                self.calls.clear()
            self.calls[numbers] = found
        return found

    def _seen_by_tools(self, x: Tensor, call: Call) -> Tensor:
        compiling = torch.compiler.is_compiling()
        if is_traced() or (compiling and is_transformed()):  # whose rules torch does not compile
            return self.formulas.value(x, call.numbers)
        if compiling:
            values: Tensor = self.operators.value(x, *call.numbers)
            return values
        return _transformable(x, call)

    def _goes_to_torch(self, x: Tensor, call: Call, *, plain: bool) -> bool:
        """Whether torch's function is right for this call, and no kernel is quicker."""
        if not plain and is_traced():
            return True
        own = self._handovers[x.dtype]
        if own.right is EVERYWHERE:
            no_kernel = call.kernel is None or not x.is_cpu
            return call.right_at_infinity and no_kernel
        return plain and serves(own, x)


_MOST_CALLS = 256
"""Parameters that change with every call are not worth remembering."""


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _compiled_call(operator: Operator, numbers: Numbers) -> str:
    """The name under which ``operator.compiled`` holds the call; a compiler does not look inside.

    It does read attributes afresh, but remembers what a dictionary held when it first looked.
    """
    name = repr(numbers).replace(".", "_")
    if not hasattr(operator.compiled, name):
        call = _made(operator, numbers)
        # A program for tensors of every size cannot ask for the size. What torch's compiler makes
        # of its own clipped functions is, on a processor, far slower in training than a kernel.
        sizes = {dtype: size if size == ALWAYS else 0 for dtype, size in call.torch_below.items()}
        setattr(operator.compiled, name, replace(call, torch_below=sizes))
    return name


def _made(operator: Operator, numbers: Numbers) -> Call:
    """The call for some parameters."""
    checked, kernel, twin = operator.choose(numbers)
    right = all(checked)  # torch takes a slope of 0 times infinity for NaN
    below = {
        dtype: own.below if own.right is EVERYWHERE and right else 0
        for dtype, own in handovers(operator.formulas.name).items()
    }
    return Call(operator.formulas, operator.operators, checked, kernel, twin, right, below)


def _compiled(x: Tensor, call: Call, *, in_place: bool) -> Tensor:
    values: Tensor = Compiled.apply(x, call, in_place)
    return values


def _transformable(x: Tensor, call: Call) -> Tensor:
    values: Tensor = Transformable.apply(x, call)
    return values
