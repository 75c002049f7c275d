"""`observe`: run a model over data and count what each of its units does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from hinge.census.census import Census
from hinge.census.tally import Tally
from hinge.census.watchers import ModelWatcher, NetworkWatcher, Sighting, Watcher
from hinge.errors import DataError, HingeError, ModelError
from hinge.network import Network
from hinge.tracing.batches import Batch, Forward, Preparation
from hinge.tracing.guard import uninterrupted
from hinge.tracing.stream import n_examples, stream, watched

Progress = Callable[[int, int | None], None]
"""Called after each batch with the examples done and, if known, the examples in all."""

Look = Callable[[Batch], None]
"""Called with each batch that the model is given."""

_SKIPPED_NAMED = 10  # examples with NaN or infinity whose numbers are kept


def observe(
    model: Any,
    data: Any,
    *,
    batch_size: int = 256,
    batch_axis: int = 0,
    forward: Forward | None = None,
    gradients: int = 0,
    progress: Progress | None = None,
    look: Look | None = None,
) -> Census:
    """Count what every unit of a model does over the data.

    Parameters
    ----------
    model
        Any callable on torch tensors, a `torch.nn.Module` as a rule (compiled or not),
        or a `hinge.Network`. It is run in eval mode and left as it was.
    data
        A tensor or array of examples, a dict of them (one per argument), a torch
        ``Dataset``, or any iterable of batches, such as a ``DataLoader``. A batch is a
        tensor, a tuple of which the model takes as many as it needs (labels are left
        out), or a dict by the names of its arguments. Examples with NaN or infinity are
        left out, counted and named.
    batch_size
        Examples per batch where ``data`` is not already in batches.
    batch_axis
        The axis of the inputs that holds the examples.
    forward
        ``forward(model, batch)`` for models that are called in another way.
    gradients
        On how many examples, from the first on, to watch whether a gradient reaches
        each unit; this is what tells *blocked* from *alive*. 0: do not watch.
    progress
        Called after each batch with the examples done and the examples in all.
    look
        Called with each batch as the model is given it, before it runs: for who needs the
        data too, which may come only once.

    Returns
    -------
    Census
        Exact counts per unit. After Ctrl-C: those of the batches that were complete,
        with ``complete`` False.

    Raises
    ------
    DataError
        The data is empty, not numeric, or no batch fits the model; ``partial`` holds the
        census of the batches before.
    ModelError
        The model calls no activation that Hinge knows, or is not initialised.
    """
    network = isinstance(model, Network)
    watcher: Watcher = NetworkWatcher(model) if network else ModelWatcher(model, forward)
    count = _Count()
    total = n_examples(data, batch_axis)
    prepare = Preparation(watcher.target, batch_axis, forward)
    with watcher.ready():
        try:
            for raw in watched(stream(data, batch_size, batch_axis)):
                batch = prepare(raw)
                if look is not None:
                    look(batch)
                count.add(batch, watcher, gradients=count.seen < gradients)
                if progress is not None:
                    progress(count.seen + count.skipped, total)
        except KeyboardInterrupt:
            count.complete = False
        except HingeError as error:
            error.partial = count.census() if count.seen else None
            raise
    return _checked(count)


@dataclass
class _Count:
    """What has been counted so far, batch by whole batch."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    seen: int = 0
    skipped: int = 0
    skipped_at: list[int] = field(default_factory=list)
    complete: bool = True
    nonnegative: bool = True
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, batch: Batch, watcher: Watcher, *, gradients: bool) -> None:
        """Run the watcher on one batch, then add all that it saw, or nothing."""
        first = self.seen + self.skipped
        sightings = watcher.run(batch, first=first, gradients=gradients) if batch.n else []
        nonnegative = self.nonnegative and all(_nonnegative(x) for x in batch.tensors)
        with uninterrupted():
            self.nonnegative = nonnegative
            for sighting in sightings:
                self._add_sighting(sighting, batch.n)
            room = _SKIPPED_NAMED - len(self.skipped_at)
            self.skipped_at += [first + position for position in batch.skipped[:room]]
            self.skipped += len(batch.skipped)
            self.seen += batch.n

    def _add_sighting(self, sighting: Sighting, n: int) -> None:
        site = sighting.site
        tally = self.tallies.get(site.name)
        if tally is None:
            tally = self.tallies[site.name] = Tally.empty(site, sighting.traits)
            tally.feed = sighting.feed
        if tally.site != site:
            self.notes[
                f"{site.name} was left out of some batches: the number of its units changes "
                f"({tally.site.n_units}, then {site.n_units})"
            ] = None
            return
        if sighting.measured is None:
            return
        tally.add(sighting.measured)
        if sighting.reached is not None:
            tally.reached += sighting.reached
            tally.reachable += sighting.measured.by_name()["live"]
            tally.watched += n

    def census(self) -> Census:
        """What has been counted so far, as a result."""
        for tally in self.tallies.values():
            tally.settle()
        return Census(
            self.tallies,
            self.seen,
            self.skipped,
            tuple(self.skipped_at),
            self.complete,
            tuple(self.notes),
            self.nonnegative,
        )


def _nonnegative(x: torch.Tensor) -> bool:
    return x.numel() == 0 or bool(x.min() >= 0)  # several times as fast as a mask


def _checked(count: _Count) -> Census:
    """The census, unless there is nothing in it."""
    if not count.seen and count.complete:
        found = f"{count.skipped} examples, all with NaN or infinity" if count.skipped else "none"
        raise DataError(
            "the data holds no example to run the model on",
            where="data",
            found=found,
            do="pass at least one example of finite numbers",
        )
    if not count.tallies and count.complete:
        raise ModelError(
            "the model calls no activation that Hinge knows",
            where="the whole model",
            found=f"no known activation in {count.seen} examples",
            do="check that the model has one: hinge.activations.all_activations() lists them",
        )
    return count.census()
