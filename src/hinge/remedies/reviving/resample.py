"""Resample: point the dead features of a sparse autoencoder at inputs that it rebuilds badly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from hinge.errors import DataError, OptionError, UnsupportedError
from hinge.remedies.changing.draft import Draft
from hinge.remedies.reviving.case import Case, Plan
from hinge.remedies.reviving.numbers import check_seed, lies_within
from hinge.remedies.reviving.passes import Passes
from hinge.tracing.batches import Batch
from hinge.tracing.gradients import floating
from hinge.tracing.wiring import Maker, Reader

Loss = Callable[[Any, Batch], torch.Tensor]
"""``loss(output, batch)``: one number per input, shape ``(inputs,)``, none negative."""

_LEAVE = "use Redraw() or Lift() for these units"
_MATRIX = 2


@dataclass(frozen=True)
class Resample:
    """Begin dead features of a sparse autoencoder anew at inputs with a large loss.

    Bricken et al., "Towards Monosemanticity" (2023, appendix on neuron resampling):

    * inputs are drawn, each once while there are enough, with a probability proportional to
      the square of their loss;
    * the decoder's column becomes the input's direction, of norm 1;
    * the encoder's row becomes that direction times ``scale`` times the mean norm of the rows
      of living features; its bias 0.

    An input is a row of the model's first argument, along the last axis. Its loss is the
    squared error of the model's first output of the same shape, unless ``loss`` gives another:
    ``loss(output, batch)`` with one number per input. The function moves. ``seed`` is that of
    the draws; torch's own random state is left alone.
    Where encoder and decoder are tied, the row that is both gets the encoder's norm.
    Raises `OptionError` for a scale that is not positive, or a seed that is no whole number.
    """

    scale: float = 0.2
    loss: Loss | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed, "Resample(seed=)")
        if not lies_within(self.scale, 0, float("inf")):
            raise OptionError(
                "this is no scale",
                where="Resample(scale=)",
                found=repr(self.scale),
                do="pass a positive number, such as 0.2",
            )

    @property
    def for_firing(self) -> bool:
        """Features that fire are not overwritten."""
        return False

    def plan(self, cases: Sequence[Case], draft: Draft, passes: Passes) -> Plan:
        """See `hinge.remedies.reviving.remedy.Remedy`."""
        plan = Plan()
        plan.breaks("Resampled features give something at once: the outputs move.")
        layers = [_layers(case, draft) for case in cases]
        draws = _Draws(sum(len(case.units) for case in cases), self.seed)
        passes.over(done=lambda batch, output: draws.add(*self._losses(batch, output)))
        drawn = draws.inputs()
        for case, (maker, reader) in zip(cases, layers, strict=True):
            mine, drawn = drawn[: len(case.units)], drawn[len(case.units) :]
            self._point(case, maker, reader, mine, draft)
            plan.changes.append(
                f"Now {case.named(case.units)} point at inputs with a large loss: rows of "
                f"{maker.weight}, columns of {reader.weight}."
            )
        return plan

    def _losses(self, batch: Batch, output: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The inputs of one batch as rows, and the loss of each."""
        x = batch.tensors[0]
        rows = x.flatten(0, -2)
        if self.loss is not None:
            losses = self.loss(output, batch).detach().flatten()
        else:
            rebuilt = next((y for y in floating(output) if y.shape == x.shape), None)
            if rebuilt is None:
                raise _unfit("no output of the shape of the input", "pass loss= to Resample")
            losses = (rebuilt - x).double().square().sum(-1).flatten()
        if len(losses) != len(rows):
            found = f"{len(losses)} losses for {len(rows)} inputs"
            raise _unfit(found, "return one number per row of the model's first argument")
        return rows.detach().double().cpu(), losses.double().cpu()

    def _point(
        self, case: Case, maker: Maker, reader: Reader, inputs: torch.Tensor, draft: Draft
    ) -> None:
        """Write the rows and columns of a case's features."""
        everything = draft.entries(maker.weight, maker.unit_axis, range(case.wiring.site.n_units))
        rows = everything.movedim(maker.unit_axis, 0)
        if inputs.shape[1] != rows.shape[1]:
            raise _unfit(
                f"inputs of {inputs.shape[1]} numbers, where {maker.weight} reads {rows.shape[1]}",
                _LEAVE,
            )
        alive = case.seen.highest > case.seen.kink
        norm = rows[alive if alive.any() else ~alive].norm(dim=1).mean()
        direction = (inputs / inputs.norm(dim=1, keepdim=True)).to(rows)
        column = direction.movedim(0, reader.input_axis)
        if not case.tied:
            draft.write(reader.weight, reader.input_axis, case.columns(reader), column)
        row = (direction * (self.scale * norm)).movedim(0, maker.unit_axis)
        draft.write(maker.weight, maker.unit_axis, case.units, row)
        if maker.bias:
            draft.write(maker.bias, 0, case.units, 0.0)

    def __str__(self) -> str:
        own = ", loss=..." if self.loss is not None else ""
        return f"Resample(scale={self.scale:g}{own}, seed={self.seed})"


class _Draws:
    """Draws inputs from a stream, each at most once, with probability ~ loss².

    Those with the largest log(u) / loss², u uniform, are a sample without replacement with
    these weights (Efraimidis and Spirakis, 2006).
    """

    def __init__(self, n: int, seed: int) -> None:
        self._n = n
        self._generator = torch.Generator().manual_seed(seed)
        self._keys, self._rows = torch.empty(0, dtype=torch.float64), torch.empty(0)

    def add(self, rows: torch.Tensor, losses: torch.Tensor) -> None:
        """Take in the inputs of one batch; those without a finite loss above 0 are left out."""
        uniform = torch.rand(len(rows), generator=self._generator, dtype=torch.float64)
        fit = losses.isfinite() & (losses > 0) & rows.isfinite().all(1) & rows.any(1)
        keys = (uniform.log() / losses.square())[fit]
        keys = torch.cat([self._keys, keys])
        rows = torch.cat([self._rows, rows[fit]]) if len(self._rows) else rows[fit]
        self._keys, best = keys.topk(min(self._n, len(keys)))
        self._rows = rows[best]

    def inputs(self) -> torch.Tensor:
        """As many inputs as were asked for, ``(n, numbers)``, the same again if there are few."""
        if not len(self._rows):
            raise DataError(
                "there is no input to resample from",
                where="data",
                found="no input with a loss above 0",
                do="check the model's output, or pass loss= to Resample",
            )
        return self._rows[torch.arange(self._n) % len(self._rows)]


def _layers(case: Case, draft: Draft) -> tuple[Maker, Reader]:
    """The encoder and the decoder. Raises `UnsupportedError` if it is no autoencoder."""
    maker = case.row_maker(draft, _LEAVE)
    readers = case.readers(_LEAVE, outputs=True)
    whole = len(readers) == 1 and draft[maker.weight].ndim == _MATRIX
    if not whole or maker.norm is not None or draft[readers[0].weight].ndim != _MATRIX:
        raise UnsupportedError(
            "the site is not the hidden layer of a sparse autoencoder",
            where=case.name,
            found=f"{len(readers)} layers that read it, weights of shape "
            f"{tuple(draft[maker.weight].shape)}",
            do=_LEAVE,
        )
    reader = readers[0]
    if (
        draft[reader.weight].shape[1 - reader.input_axis]
        != (draft[maker.weight].shape[1 - maker.unit_axis])
    ):
        raise _unfit(f"{maker.weight} and {reader.weight} do not mirror each other", _LEAVE)
    return maker, reader


def _unfit(found: str, do: str) -> OptionError:
    return OptionError("the model does not rebuild its input", where="model", found=found, do=do)
