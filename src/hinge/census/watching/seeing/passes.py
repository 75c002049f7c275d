"""The forward passes of a model while it trains: surveyed, sampled or lightly watched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from hinge.census.watching.counting.clock import Clock
from hinge.census.watching.counting.post import Post
from hinge.census.watching.seeing.eyes import Eyes
from hinge.census.watching.seeing.guard import Guard
from hinge.census.watching.seeing.hooks import Passive
from hinge.census.watching.seeing.traced import TracedEyes, in_backward
from hinge.errors import ModelError
from hinge.tracing.arrangement import Arrangement
from hinge.tracing.batches import Batch
from hinge.tracing.running import unwrapped
from hinge.tracing.survey import Survey, wire
from hinge.tracing.trace import Call
from hinge.tracing.wiring import Wiring

_CALL = nn.Module._call_impl.__code__  # noqa: SLF001 - where torch calls hooks
_SURE = 8  # passes after which a site that was not seen will not be


class Passes:
    """Sees the passes of a model that gradients will flow back through, and only these.

    The first one is surveyed: there the sites are found. The next are seen by light hooks; when
    ``sample`` is set, by the survey again, which also takes the moments. ``posts`` are the
    sites; ``examples`` and ``count`` tell what ran since the step began, and ``hooked`` how many
    passes the light hooks were there for.
    """

    def __init__(
        self,
        model: nn.Module,
        posts: dict[str, Post],
        clock: Clock,
        axis: int,
        guard: Guard,
    ) -> None:
        self.model = unwrapped(model)
        self.posts = posts
        self.begun: Callable[[], None] = lambda: None
        self.sample = True
        self.examples = 0
        self.count = 0
        self.hooked = 0
        self.traced: TracedEyes | None = None
        self._clock, self._axis, self._guard = clock, axis, guard
        self._n = 0
        self._given: tuple[Any, Any] | None = None
        self._calls: dict[str, int] = {}
        self._before_start = frozenset(posts)  # a watch that goes on knows its sites
        self._late: dict[str, None] = {}
        self._was_lazy = False
        self._modules: dict[int, nn.Module] = {}  # those that were there when sites were found
        self._depth = 0
        self._counted = False
        self._pass = ExitStack()
        self._survey: Survey | None = None
        self._eyes: Eyes | None = None
        self._hooks = ExitStack()
        while isinstance(model, nn.parallel.DistributedDataParallel):
            model = model.module
        self._outer = model  # what is compiled is not looked into
        before = Passive(self._before)
        after = Passive(self._after)
        for handle in (
            model.register_forward_pre_hook(before, prepend=True, with_kwargs=True),
            model.register_forward_hook(after, with_kwargs=True, always_call=True),
        ):
            self._hooks.callback(handle.remove)

    @property
    def surveyed(self) -> bool:
        """Whether the sites are known."""
        return self._eyes is not None or self.traced is not None

    @property
    def latest(self) -> Batch | None:
        """What the latest pass was called with, detached; None before the first."""
        if self._given is None:
            return None
        args, kwargs = self._given
        batch = Batch(list(args), dict(kwargs), self._n, self._axis)
        return batch.mapped(lambda x: x.detach() if isinstance(x, torch.Tensor) else x)

    def close(self) -> None:
        """Take all hooks away, also in the midst of a pass."""
        self._pass.close()
        self._hooks.close()
        self._given = None

    def survey(self, example: Any) -> None:
        """Find the sites in a pass of its own, as the model was written, without gradients."""
        args = example if isinstance(example, tuple) else (example,)
        n = _n_examples(args, {}, self._axis)
        self._survey_apart(Batch(list(args), {}, n, self._axis))

    def missed(self, counted: set[str]) -> list[str]:
        """Sites that the light hooks should have seen and did not, in words.

        ``counted`` are those of which anything was counted.
        """
        notes = []
        if self._late:
            late = ", ".join(self._late)
            notes.append(f"not watched, for they did not run in the first pass: {late}")
        if self._was_lazy:
            notes.append("not counted: the first pass, in which lazy modules got their shapes")
        new = [name for name, one in self.model.named_modules() if id(one) not in self._modules]
        if new and self.surveyed:
            notes.append(
                f"the model was changed, what came is not watched: {', '.join(new)}; to see it, "
                "make a new watch"
            )
        return notes if self.hooked < _SURE else notes + self._missed_by_hooks(counted)

    def _missed_by_hooks(self, counted: set[str]) -> list[str]:
        if self.traced is not None:
            return self._missed_by_compiler(counted)
        unseen = [name for name, calls in self._calls.items() if not calls]
        gone = [name for name in self.posts if name not in self._calls]
        odd = [name for name, post in self.posts.items() if post.misfits]
        told = {
            "counted at sampled steps only": unseen,
            "not watched any more, for they did not run when the watch began again": gone,
            "not counted where their pre-activations have another layout or number of units": odd,
        }
        return [f"{what}: {', '.join(names)}" for what, names in told.items() if names]

    def _missed_by_compiler(self, counted: set[str]) -> list[str]:
        assert self.traced is not None  # noqa: S101 - asked for by the type checker
        dropped = [n for n in self.posts if n not in counted and n not in self.traced.unseen]
        notes = []
        if dropped:
            notes.append(
                f"torch.compile dropped the hooks of {', '.join(dropped)}: it had compiled the "
                "model before the watch began. Their gradients are seen, what fires is not; begin "
                "to watch before the first step, or call torch._dynamo.reset()"
            )
        if self.traced.unseen:
            unseen = ", ".join(self.traced.unseen)
            notes.append(f"in a compiled model only the gradients are seen of {unseen}")
        return notes

    def _survey_apart(self, batch: Batch) -> None:
        self._found(wire(self.model, batch))

    def _before(self, _: nn.Module, args: Any, kwargs: Any) -> None:
        if torch.compiler.is_compiling():
            return
        if self._depth and _calls_running(self._outer) == 1:  # Ctrl-C ended the one before
            self._depth = 1
            self._leave(None)
        self._depth += 1
        if self._depth > 1:
            return
        self._counted = torch.is_grad_enabled() and not in_backward()
        if self._counted and self._guard.error is None:
            with self._guard:
                self._begin(args, kwargs)

    def _after(self, _: nn.Module, __: Any, ___: Any, output: Any) -> None:
        if torch.compiler.is_compiling():
            return
        self._leave(output)

    def _leave(self, output: Any) -> None:
        """A call of the model is over; without an output it was broken off."""
        self._depth = max(0, self._depth - 1)
        if self._depth:
            return
        with self._guard:  # also after an error: what was begun is ended
            self._pass.close()
        if self._guard.error is not None:
            self.close()
        elif self._survey is not None and not self.surveyed:
            survey, self._survey = self._survey, None
            if output is not None:
                with self._guard:
                    self._found(survey.wired(output))
                    self._survey = survey

    def _is_running(self) -> bool:
        """Whether a pass is under way that is counted, as far as an eager part can know."""
        if self._depth:
            return self._counted
        return torch.is_grad_enabled() and not in_backward()

    def _begin(self, args: Any, kwargs: Any) -> None:
        self.begun()
        if not self.surveyed and any(map(is_lazy, self.model.parameters())):
            self._was_lazy = True
            return
        self._n = n = _n_examples(args, kwargs, self._axis)
        self._given = args, kwargs
        self.examples += n
        self.count += 1
        if not self.surveyed and is_compiled(self._outer):
            self._survey_apart(Batch(list(args), dict(kwargs), n, self._axis))
        if self.traced is not None:
            self.hooked += 1
        elif self._eyes is None or self.sample:
            if self._survey is None:
                self._survey = Survey(self.model, self._sampled, self._guard)
            tensors = Batch(list(args), dict(kwargs)).tensors
            self._pass.enter_context(self._survey.of(tensors, n, self._axis))
            if self._eyes is not None:  # for the gradients, which a survey cannot see
                self._pass.enter_context(self._eyes.open())
        else:
            self.hooked += 1
            self._pass.enter_context(self._eyes.open())

    def _found(self, wirings: dict[str, Wiring]) -> None:
        """The sites are known: set up what sees them from now on."""
        if not wirings:
            raise ModelError(
                "the model calls no activation that Hinge knows",
                where="the first pass",
                found=f"a {type(self.model).__name__} without one",
                do="check that the model has one: hinge.activations.all_activations() lists them",
            )
        self._modules = {id(module): module for module in self.model.modules()}
        if self._before_start:
            wirings = {n: wiring for n, wiring in wirings.items() if n in self.posts}
        for name, wiring in wirings.items():
            self._post(name, wiring).wiring = wiring
        if is_compiled(self._outer):
            self.traced = TracedEyes(self.model, self.posts, self._guard, self._is_running)
            self._hooks.callback(self.traced.close)
        else:
            self._eyes = Eyes(self.model, wirings, self._glanced)
            self._calls = dict.fromkeys(wirings, 0)
            self._hooks.callback(self._eyes.close)

    def _post(self, name: str, wiring: Wiring) -> Post:
        if name not in self.posts:
            self.posts[name] = Post(wiring, self._clock.another())
        before = self.posts[name].wiring.site
        if wiring.site != before:
            raise ModelError(
                "the model was changed since the watch began",
                where=name,
                found=f"{wiring.site.n_units} units of {wiring.site.activation}, once "
                f"{before.n_units} of {before.activation}",
                do="make a new watch with hinge.watch(model, optimizer)",
            )
        return self.posts[name]

    def _sampled(self, call: Call, wiring: Wiring) -> None:
        """A site was called in a pass that is surveyed."""
        if self._guard.error is not None:
            return
        if (self.surveyed or self._before_start) and call.site not in self.posts:
            self._late[call.site] = None
            return
        with self._guard, torch.no_grad():
            post = self._post(call.site, wiring)
            if call.arrangement.units.size == wiring.site.n_units and call.z.numel():
                told = call.h if wiring.traits.by_output else call.z
                post.see(told, call.arrangement)
                post.sample(call.z, call.h, call.arrangement)

    def _glanced(self, name: str, z: torch.Tensor) -> None:
        """A site is about to be called in a pass that is open."""
        if self._guard.error is not None or not z.is_floating_point():
            return
        with self._guard:
            post = self.posts[name]
            if self.sample:
                arrangement = post.arrangement(z.shape, self._n)
            else:
                arrangement = post.glance(z, self._n)
                self._calls[name] += 1
            if post.by_value and arrangement is not None and z.requires_grad:
                z.register_hook(  # type: ignore[no-untyped-call] # torch gives it no types
                    lambda gradient: self._arrived(post, gradient, arrangement)
                )

    def _arrived(self, post: Post, gradient: torch.Tensor, arrangement: Arrangement) -> None:
        if self._guard.error is not None:
            return
        with self._guard:
            post.receive_values(gradient, arrangement)


def _calls_running(model: nn.Module) -> int:
    """How many calls of a model are under way."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - nobody else knows
    n = 0
    while frame is not None:
        n += frame.f_code is _CALL and frame.f_locals.get("self") is model
        frame = frame.f_back
    return n


def is_compiled(model: nn.Module) -> bool:
    """Whether the model, or a part of it, was given to torch.compile."""
    if "torch._dynamo" not in sys.modules:
        return False
    return any(map(_is_compiled, model.modules()))


def _is_compiled(module: nn.Module) -> bool:
    if hasattr(module, "_orig_mod") or module._compiled_call_impl is not None:  # noqa: SLF001
        return True
    return hasattr(module.forward, "_torchdynamo_orig_callable")  # as Lightning leaves it


def _n_examples(args: Any, kwargs: Any, axis: int) -> int:
    """How many examples the arguments of a pass hold."""
    first = args[0] if args else None
    if isinstance(first, torch.Tensor) and first.ndim > axis:  # as nearly always
        return first.shape[axis]
    sizes = (x.shape[axis] for x in Batch(list(args), dict(kwargs)).tensors if x.ndim > axis)
    return next(sizes, 1)
