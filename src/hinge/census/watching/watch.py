"""The watch: counts every unit while its network trains, and says what happens to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from hinge.census.census import Census
from hinge.census.watching import show
from hinge.census.watching.counting.clock import Clock
from hinge.census.watching.counting.feeds import feed_of_post
from hinge.census.watching.counting.gathering import Group
from hinge.census.watching.counting.gradients import Gradients
from hinge.census.watching.counting.ledger import Ledger
from hinge.census.watching.counting.look import Beat, Look
from hinge.census.watching.counting.post import Post
from hinge.census.watching.counting.shot import on_its_way
from hinge.census.watching.glimpse import Glimpse
from hinge.census.watching.seeing.guard import Guard
from hinge.census.watching.seeing.hooks import Passive
from hinge.census.watching.seeing.passes import Passes
from hinge.census.watching.telling.silence import PATIENCE
from hinge.census.watching.telling.teller import Teller
from hinge.errors import OptionError
from hinge.events import Event
from hinge.page import Page
from hinge.sinks import Sink
from hinge.tracing.batches import Batch

_SAMPLES = 4  # sampled steps between two looks at all sites, which cost more
_PATIENT = 3  # steps without a pass before the watch says that it sees none


class Watch:
    """Counts what every unit does at every step; made by `hinge.watch`.

    A context manager; `start` and `stop` do the same without one. Steps are the optimizer's,
    counted from 0 (without an optimizer: passes). Only passes are counted through which
    gradients will flow, so that evaluation under ``torch.no_grad()`` is left out.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer | None,
        *,
        every: int,
        sinks: Sequence[Sink],
        scaler: Any,
        batch_axis: int,
        patience: int | None,
        example: Any,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.every = every
        self.step = 0
        self._notes: dict[str, None] = {}
        self._teller = Teller(sinks, self._note)
        self._scaler, self._axis = scaler, batch_axis
        self._patience, self._example = patience, example
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        self._clock = Clock(device)
        self._posts: dict[str, Post] = {}
        self._ledger = Ledger()
        self._examples_before = 0
        self._gradients: Gradients | None = None
        self._passes: Passes | None = None
        self._hooks = ExitStack()
        self._guard = Guard(self._fail)
        self._group = Group.of(model)
        self._beats: list[Beat] = []
        self._taken = False
        self._blind = 0

    def start(self) -> Self:
        """Begin to watch. Raises `OptionError` if it is watching already."""
        if self._passes is not None:
            raise OptionError(
                "the watch is running already",
                where="Watch.start()",
                found=f"a watch that is at step {self.step}",
                do="call stop() first, or make another watch with hinge.watch()",
            )
        self._guard = Guard(self._fail)
        self._group = Group.of(self.model)
        self._passes = Passes(self.model, self._posts, self._clock, self._axis, self._guard)
        self._passes.begun = self._pass_begins
        if self._example is not None:
            self._passes.survey(self._example)
        if self.optimizer is not None:
            for handle in (
                self.optimizer.register_step_pre_hook(Passive(self._before_step)),
                self.optimizer.register_step_post_hook(Passive(self._after_step)),
            ):
                self._hooks.callback(handle.remove)
        return self

    def stop(self) -> None:
        """Take all hooks away; what was counted stays."""
        if self._passes is None:
            return
        if self._guard.error is None:
            with self._guard:
                self._finish()
        self._detach()
        self._teller.close()

    def _finish(self) -> None:
        """Look once more, at the step that was the last, and read all that was looked at."""
        passes = self._passes
        if passes is not None and passes.examples:
            if self.optimizer is None:
                self._step_over()
            else:  # a step without an end; what it saw is there
                self._ledger.add(self.step, passes.examples)
        if not self._group.together:  # another process may have stopped at another step
            self._look()
        self._read(Group(), everything=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def census(self) -> Census:
        """What every unit did in this process since the start, or since the last `restart`.

        Counts and extremes are exact over all steps; zeros, means, variances and strengths rest
        on the sampled steps. A unit is blocked where no step brought it a gradient.
        """
        tallies = {name: post.tally() for name, post in self._posts.items()}
        pending = 0 if self._passes is None else self._passes.examples
        seen = self._ledger.examples + pending - self._examples_before
        return self._with_feeds(Census(tallies, seen, notes=self.notes))

    def gathered(self) -> Census:
        """The census of all processes together: call it in all of them, at the same step.

        The integers are those that one process would have counted on all the data.
        """
        return self._with_feeds(self._group.merged(self.census))

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened so far, by step: deaths, returns, collapses, each with its cause."""
        return self._teller.events

    @property
    def notes(self) -> tuple[str, ...]:
        """What the watch could not see, and why."""
        return tuple(self._notes)

    @property
    def inputs(self) -> Batch | None:
        """What the latest counted pass was called with, detached; None while nothing is seen."""
        return None if self._passes is None else self._passes.latest

    @property
    def latest(self) -> Mapping[str, Glimpse]:
        """What the latest look saw of each site: counts, steps, gradients, moments."""
        return self._teller.latest

    def dead(self) -> dict[str, tuple[int, ...]]:
        """The units of each site that are dead now: silent for longer than chance explains."""
        return self._teller.dead()

    def restart(self) -> None:
        """Begin the counts of the census anew; steps and events go on."""
        self._examples_before = self._ledger.examples
        for post in self._posts.values():
            post.restart()

    def page(self) -> Page:
        """The events and the census as a page."""
        return show.page(self.census, self.events, self.notes, self.step)

    def _repr_html_(self) -> str:
        from hinge.report import to_html  # noqa: PLC0415 - only a notebook asks for it

        return to_html(self.page())

    def __str__(self) -> str:
        return show.text(self.census, self.events, self.notes, self.step)

    def _with_feeds(self, census: Census) -> Census:
        """The census, which knows the layers behind its sites."""
        for name, tally in census.tallies.items():
            post = self._posts[name]
            tally.feed = lambda post=post: feed_of_post(self.model, post, self._posts)
        return census

    def _pass_begins(self) -> None:
        """A pass is about to begin; without an optimizer the step before is over by that."""
        passes = self._passes
        if self.optimizer is None and passes is not None and passes.count:
            self._step_over()

    def _before_step(self, *_: object) -> None:
        """The gradients are whole, unless the optimizer calls a closure that makes them."""
        if self._guard.error is None and self._passes is not None and self._passes.count:
            with self._guard:
                self._take_gradients()

    def _after_step(self, *_: object) -> None:
        step, asked, looks = self.step, self._group.asked, self._looks
        if self._guard.error is None:
            with self._guard:
                if not self._taken:
                    self._take_gradients()
                self._step_over()
        if self._guard.error is not None and self._group.together:
            self.step = step + 1
            if looks and self._group.asked == asked and self._group.well:
                # The others ask now: tell them, once.
                self._group.all_well(self._clock.device, failed=True)

    def _take_gradients(self) -> None:
        """Read the gradients of this step."""
        self._learn()
        scale = getattr(self.optimizer, "grad_scale", None)  # fused ones divide on their own
        self._taken = True
        if self._gradients is None:  # a step before the first pass
            return
        self._beats.append(self._beat(self._gradients.read(scale)))
        if self._looks:
            self._gradients.take_signs(scale)

    @property
    def _looks(self) -> bool:
        """Whether this is a step to look at all sites."""
        return self.step % (self.every * _SAMPLES) == 0

    def _step_over(self) -> None:
        """A step is over: write it down, and look at the sites if it is time to."""
        passes = self._passes
        if passes is None:
            return
        self._learn()
        self._blind = 0 if passes.count else self._blind + 1
        if passes.count:
            self._notes.pop(show.BLIND, None)
        if self._blind == _PATIENT:
            self._note(show.BLIND)
        self._ledger.add(self.step, passes.examples)
        passes.count = passes.examples = 0
        if self.optimizer is None and self._gradients is not None:
            self._beats.append(self._beat(self._gradients.heard()))
        if self._looks:
            self._look()
            self._read(self._group, everything=self._clock.device.type == "cpu")
        self.step += 1
        self._taken = False
        self._clock.set(self.step)
        passes.sample = self.step % self.every == 0

    def _learn(self) -> None:
        """Once the sites are known, know their parameters too."""
        passes = self._passes
        if self._gradients is not None or passes is None or not passes.surveyed:
            return
        self._gradients = Gradients(passes.model, self._posts)
        if self.optimizer is None:
            for handle in self._gradients.listen(self._guard):
                self._hooks.callback(handle.remove)
        sites = {name: post.wiring.site for name, post in self._posts.items()}
        patience = PATIENCE if self._patience is None else self._patience
        self._teller.begin(sites, patience=patience, apart=_SAMPLES * self.every)

    def _beat(self, squares: list[float | torch.Tensor]) -> Beat:
        rate = max((_number(g["lr"]) for g in self._groups), default=float("nan"))
        found = getattr(self.optimizer, "found_inf", None)  # fused ones find out on their own
        infinite = None if found is None else on_its_way(found)
        return Beat(self.step, rate, squares, self._loss_scale(), infinite)

    def _loss_scale(self) -> torch.Tensor | None:
        """The loss scale, unless there is none, or none yet."""
        scale = getattr(self._scaler, "_scale", None)  # its public face waits for the device
        return on_its_way(scale) if isinstance(scale, torch.Tensor) else None

    @property
    def _groups(self) -> list[dict[str, Any]]:
        return [] if self.optimizer is None else self.optimizer.param_groups

    def _look(self) -> None:
        """Copy what is known of the sites now; it is read once it has arrived."""
        if self._gradients is None or self._passes is None:
            return
        beats, self._beats = self._beats, []
        examples = self._ledger.examples
        look = Look.at(self.step, examples, self._posts, self._gradients, beats, group=self._group)
        self._teller.add(look)

    def _read(self, group: Group, *, everything: bool) -> None:
        """Read the looks that have arrived, and say which sites were not seen by their hooks."""
        read = self._teller.read(self._ledger, group, everything=everything)
        if read and self._passes is not None:
            counted = {name for name, glimpse in self.latest.items() if glimpse.seen.any()}
            self._note(*self._passes.missed(counted))

    def _note(self, *notes: str) -> None:
        self._notes.update(dict.fromkeys(notes))

    def _fail(self, told: str) -> None:
        """Note it: hooks do nothing from now on and go at `stop`, as one of them may be running."""
        self._note(told)

    def _detach(self) -> None:
        self._hooks.close()
        self._gradients = None
        if self._passes is not None:
            self._passes.close()
            self._passes = None


def _number(rate: Any) -> float:
    """A learning rate, unless it lies on an accelerator, which nobody waits for."""
    if isinstance(rate, torch.Tensor):
        return float(rate) if rate.device.type == "cpu" else float(np.nan)
    return float(rate)
