"""Dead latents of sparse autoencoders, by the number of tokens on which they were silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from hinge.errors import DataError, OptionError
from hinge.units import Counts, Observed, Reals

Mask = npt.NDArray[np.bool_]

AFTER = 10_000_000
"""Tokens of silence after which Gao et al. (2024, arXiv 2406.04093) call a latent dead."""

_DOUBT = 0.05


@dataclass(frozen=True, eq=False)
class Latents:
    """For how many tokens the units of one site were silent: an entry per unit.

    ``tokens``: those seen; ``silent``: those since it last fired, all of them if it never did.
    A token is one position of one example. ``after`` is the silence that makes one dead.
    """

    site: str
    tokens: Counts
    silent: Counts
    after: int = AFTER

    @property
    def dead(self) -> Mask:
        """Those silent for ``after`` tokens or more."""
        return np.asarray(self.silent >= self.after)

    @property
    def undecided(self) -> Mask:
        """Those that never fired, on too few tokens to call them dead."""
        return np.asarray((self.silent == self.tokens) & ~self.dead)

    @property
    def bound(self) -> Reals:
        """How often one may fire at most, per token, with 95 % confidence; NaN if it has fired.

        1 - 0.05^(1/n) after n silent tokens, about 3 / n (Clopper and Pearson, 1934), as if
        tokens were drawn independently; neighbours in a text are not, so take it for the least.
        """
        n = np.maximum(self.tokens, 1)
        never = self.silent == self.tokens
        bound = np.where(self.tokens > 0, -np.expm1(np.log(_DOUBT) / n), 1.0)
        return np.where(never, bound, np.nan)

    def __str__(self) -> str:
        of, dead, doubt = len(self.tokens), int(self.dead.sum()), int(self.undecided.sum())
        said = f"{self.site}: {dead:,} of {of:,} dead, silent for {self.after:,} tokens or more"
        if not doubt:
            return said + "."
        seen, bound = int(self.tokens[self.undecided].min()), self.bound[self.undecided].max()
        return (
            f"{said}; {doubt:,} undecided, silent on all {seen:,} tokens seen: each fires on "
            f"fewer than {bound:.2g} of them (95 % confidence)."
        )

    __repr__ = __str__


@overload
def dead_latents(
    observed: Observed, *, after: int = ..., silent: npt.ArrayLike | None = ...
) -> Latents: ...


@overload
def dead_latents(
    observed: Mapping[str, Observed],
    *,
    after: int = ...,
    silent: Mapping[str, npt.ArrayLike] | None = ...,
) -> dict[str, Latents]: ...


def dead_latents(
    observed: Observed | Mapping[str, Observed],
    *,
    after: int = AFTER,
    silent: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None,
) -> Latents | dict[str, Latents]:
    """Say which latents are dead by the field's rule: no firing in the last ``after`` tokens.

    A unit that fired somewhere in a census is not dead. One that never did is dead only if at
    least ``after`` tokens were seen; before, nobody can know, and it is undecided.

    Tokens are counted over all data: merge the censuses of several processes first, or
    `gather` what they counted. ``after`` is never multiplied by the number of processes.

    Parameters
    ----------
    observed
        What the units of one site did, or those of several by name, such as a `Census`; of
        these, the sites whose activation has a kink.
    after
        Tokens. Others count forward passes (1,000 of them in SAELens) or steps of the
        optimizer: multiply by the tokens in each.
    silent
        Examples since each unit last fired, as a watch counts them (`Glimpse.silent`), shape
        ``(n_units,)``; by site where ``observed`` is. Without it, the whole of the data counts
        as one window.

    Raises
    ------
    OptionError
        ``after`` is not a positive whole number, or the one site's activation has no kink.
    DataError
        ``silent`` does not fit the units, or exceeds the examples seen.
    """
    if isinstance(after, bool) or not isinstance(after, int | np.integer) or after < 1:
        raise OptionError(
            "a latent is dead after a positive whole number of silent tokens",
            where="dead_latents(after=...)",
            found=repr(after),
            do=f"pass a number of tokens, such as {AFTER}",
        )
    if isinstance(observed, Observed):
        name = observed.site.name
        one = silent.get(name) if isinstance(silent, Mapping) else silent
        return _latents(name, observed, int(after), one)
    if silent is not None and not isinstance(silent, Mapping):
        raise DataError(
            "which site the silence belongs to is not said",
            where="dead_latents(silent=...)",
            found=f"{type(silent).__name__}, for {len(observed)} sites",
            do="pass a mapping from the name of a site to its counts",
        )
    since = silent or {}
    return {
        name: _latents(name, site, int(after), since.get(name))
        for name, site in observed.items()
        if site.traits.has_kink
    }


def gather(silent: npt.ArrayLike, tokens: npt.ArrayLike) -> tuple[Counts, Counts]:
    """Silence and tokens over all processes, from what each counted on its own share.

    Both have shape ``(processes, n_units)``; `Latents` takes the results. A unit is silent
    since it last fired anywhere: what the process that saw it fire last has counted since, and
    all others in proportion. That is exact where the processes' shares of the tokens are the
    same at every step, equal as a rule. Raises `DataError` for arrays that do not fit.

    >>> gather([[50, 100], [20, 100]], [[100, 100], [100, 100]])
    (array([ 40, 200]), array([200, 200]))
    """
    own, seen = np.asarray(silent, np.int64), np.asarray(tokens, np.int64)
    fits = own.shape == seen.shape and own.ndim == 2 and len(own) > 0  # noqa: PLR2004
    if not fits or (own > seen).any() or (own < 0).any():
        raise DataError(
            "the counts of the processes do not fit together",
            where="gather(silent, tokens)",
            found=f"shapes {own.shape} and {seen.shape}",
            do="pass both with a row for each process, and no silence longer than its tokens",
        )
    total = seen.sum(0)
    share = np.where(seen > 0, own / np.maximum(seen, 1), np.inf)
    last = share.argmin(0)[None]
    least, of = (np.take_along_axis(x, last, 0)[0] for x in (own, seen))
    return np.where(of > 0, least * total // np.maximum(of, 1), 0), total


def _latents(name: str, observed: Observed, after: int, silent: npt.ArrayLike | None) -> Latents:
    if not observed.traits.has_kink:
        raise OptionError(
            "whether a unit fires is not defined without a kink",
            where=f"site {name}",
            found=observed.site.activation,
            do="name a site of ReLU, JumpReLU, TopK or another activation that has one",
        )
    if silent is None:
        since = np.where(observed.fired == 0, observed.values, 0)
        return Latents(name, observed.values, since, after)
    given = np.asarray(silent)
    fits = given.shape == observed.seen.shape and np.issubdtype(given.dtype, np.integer)
    if not fits or (given > observed.seen).any() or (given < 0).any():
        raise DataError(
            "the silence does not fit the units",
            where=f"silent, site {name}",
            found=f"shape {given.shape} of {given.dtype}, for {observed.seen.size} units",
            do="pass for each unit the whole number of examples since it fired, at most those seen",
        )
    positions = observed.values // np.maximum(observed.seen, 1)
    return Latents(name, observed.values, given.astype(np.int64) * positions, after)
