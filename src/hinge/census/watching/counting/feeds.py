"""The layers behind watched sites, as a diagnosis reads them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from hinge.census.watching.counting.post import Post
from hinge.tracing.running import unwrapped
from hinge.units import Counts, Feed


def feed_of_post(model: nn.Module, post: Post, posts: Mapping[str, Post]) -> Feed:
    """Describe the layer behind a site, with the model's weights as they are now.

    Weights are left out where a batch norm, or a sharded parameter, keeps them from telling
    what reaches the activation.
    """
    maker = post.wiring.maker
    if maker is None:
        return Feed("", inputs=post.wiring.inputs)
    parameters = dict(unwrapped(model).named_parameters())
    name = maker.weight.rpartition(".")[0] or maker.weight
    weight = parameters.get(maker.weight)
    if weight is None or maker.norm is not None or hasattr(weight, "placements"):
        return Feed(name, inputs=post.wiring.inputs)
    rows = weight.detach().movedim(maker.unit_axis, 0).flatten(1).float()
    bias = parameters.get(maker.bias)
    constant = torch.zeros(len(rows)) if bias is None else bias.detach()
    return Feed(
        layer=name,
        weight=rows.cpu().numpy(),
        bias=constant.double().flatten().cpu().numpy(),
        inputs=post.wiring.inputs,
        input_of=_input_of(post, posts, rows.shape[1]),
    )


def _input_of(post: Post, posts: Mapping[str, Post], columns: int) -> Counts | None:
    """The unit of the one input site that feeds each column."""
    if len(post.wiring.inputs) != 1 or post.wiring.maker is None:
        return None
    source = posts.get(post.wiring.inputs[0])
    for reader in source.wiring.readers if source is not None else ():
        if reader.weight == post.wiring.maker.weight and columns % len(reader.unit_of) == 0:
            found: Counts = np.repeat(reader.unit_of, columns // len(reader.unit_of))
            return found
    return None
