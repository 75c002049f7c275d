"""The work of `hinge revive` and `hinge swap`: load, change, hand weights and receipt over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

import hinge
from hinge.cli.inputs import Cut, Takes, load_model, open_data
from hinge.cli.inputs.sources import Reference
from hinge.cli.inputs.weights import SAFE_FILES, words_of
from hinge.cli.outputs import Outputs
from hinge.cli.progress import progress_bar
from hinge.cli.revive import By
from hinge.cli.verbs import Code
from hinge.diagnosis import Limit
from hinge.errors import OptionError, UnsupportedError
from hinge.network import Network
from hinge.page import Page
from hinge.remedies import Lift, Receipt, Redraw, Resample, Split
from hinge.remedies.reviving.remedy import Remedy
from hinge.units import Verdict

_OWN_GRAPH = (".onnx", ".pt2")
_OTHERS: dict[By, type[Redraw | Split | Resample]] = {
    By.REDRAW: Redraw,
    By.SPLIT: Split,
    By.RESAMPLE: Resample,
}


@dataclass(frozen=True)
class Mended:
    """A receipt, the weights of the model that it is for, and the words of their file."""

    receipt: Receipt
    model: nn.Module
    words: Mapping[str, str]

    def page(self) -> Page:
        """Return the receipt as a page."""
        return self.receipt.page()

    def to_json(self) -> str:
        """Return the receipt as JSON text."""
        return self.receipt.to_json()

    def to_safetensors(self) -> bytes:
        """Return all weights under their names in the model; shared ones under each name."""
        weights = self.model.state_dict()
        alone = {name: value.detach().contiguous().clone() for name, value in weights.items()}
        return safetensors.torch.save(alone, {**self.words, "format": "pt"})


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A change to one model, as the command line asks for it."""

    model: str
    weights: Path | None
    data: str | None
    name: str | None
    outputs: Outputs

    def run(self) -> Code:
        """Change, print, write; return how the program ends."""
        self._check()
        model = load_model(self.model, self.weights)
        if isinstance(model, Network):
            raise _graph(self.model)
        mended = Mended(self._changed(model), model, words_of(self.weights))
        return self.outputs.deliver(mended, self._title)

    @property
    def _title(self) -> str:
        return self.model if self.data is None else f"{self.model} on {self.data}"

    def _check(self) -> None:
        """Refuse, before any work, models that cannot be changed and files of another kind."""
        if Reference.parse(self.model) is None and Path(self.model).suffix.lower() in _OWN_GRAPH:
            raise _graph(self.model)
        out = self.outputs.out
        if out is not None and out.suffix.lower() not in SAFE_FILES:
            raise OptionError(
                "weights are written as safetensors only",
                where=f"--out {out}",
                found=f"the ending {out.suffix!r}",
                do=f"name it {out.with_suffix('.safetensors')}",
            )

    def _batches(self, model: nn.Module, cut: Cut) -> tuple[list[Any], int | None]:
        """The data, which are run through more than once, and how many examples they have."""
        if self.data is None:
            return [], None
        data = open_data(self.data, Takes(model, self.model), cut, self.name)
        return list(data.batches), data.total

    def _changed(self, model: nn.Module) -> Receipt:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Revival(_Job):
    """One `hinge revive`."""

    by: By
    share: str | None
    sites: tuple[str, ...]
    units: tuple[int, ...]
    batch_size: int
    batch_axis: int

    def _check(self) -> None:
        super()._check()
        if self.units and len(self.sites) != 1:
            raise OptionError(
                "numbers of units are those of one site",
                where="--unit",
                found=f"{len(self.sites)} sites named" if self.sites else "no --site",
                do="name the site of these units with --site, once",
            )

    def _changed(self, model: nn.Module) -> Receipt:
        by = self._remedy()
        batches, total = self._batches(model, Cut(self.batch_size, self.batch_axis))
        label = f"Looking for dead units of {self._title}"
        with progress_bar(label, total, quiet=self.outputs.quiet) as progress:
            census = hinge.observe(model, batches, batch_axis=self.batch_axis, progress=progress)
        if not census.complete:
            raise KeyboardInterrupt  # what is dead is not known then
        unknown = [site for site in self.sites if site not in census]
        if unknown:
            raise OptionError(
                "the model has no such site",
                where="--site",
                found=repr(unknown[0]),
                do=f"use one of {', '.join(census)}",
            )
        dead = {
            site: (observed.verdicts() == str(Verdict.DEAD)).nonzero()[0].tolist()
            for site, observed in census.items()
            if not self.sites or site in self.sites
        }
        if self.units:
            dead = {self.sites[0]: list(self.units)}
        return hinge.revive(model, dead, batches, by=by, batch_axis=self.batch_axis)

    def _remedy(self) -> Remedy:
        if self.by is not By.LIFT and self.share is not None:
            raise OptionError(
                "only units that are lifted fire on a share that is asked for",
                where=f"--share {self.share}",
                found=f"--by {self.by}",
                do="leave out --share, or use --by lift",
            )
        if self.by is not By.LIFT:
            return _OTHERS[self.by]()
        if self.share is None:
            return Lift()
        try:
            return Lift(Limit.parse(f"rare={self.share}").share)
        except OptionError as error:
            raise OptionError(
                "the share cannot be read",
                where="--share",
                found=repr(self.share),
                do="write a share between 0 and 1, such as 20% or 0.2",
            ) from error


@dataclass(frozen=True, kw_only=True)
class Exchange(_Job):
    """One `hinge swap`."""

    old: str
    new: str
    options: Mapping[str, float]
    where: tuple[str, ...]
    preserve: bool

    def _changed(self, model: nn.Module) -> Receipt:
        batches, _ = self._batches(model, Cut())
        old = {path: type(one) for path, one in model.named_modules(remove_duplicate=False)}
        receipt = hinge.swap(
            model,
            self.old,
            self.new,
            data=batches or None,
            where=self.where or None,
            preserve=self.preserve,
            **self.options,
        )
        lines = [
            f"{path} = {made!r}"
            for path, made in model.named_modules(remove_duplicate=False)
            if old.get(path) is not type(made)
        ]
        advice = f"{self.model} must make this model before it takes the weights written: "
        return replace(receipt, notes=(*receipt.notes, advice + "; ".join(lines)))


def _graph(text: str) -> UnsupportedError:
    return UnsupportedError(
        "only a model that code makes can be changed",
        where=text,
        found="a file whose weights are part of a fixed graph",
        do="change the model that the file was exported from, file.py:factory with --weights, "
        "and export it again",
    )
