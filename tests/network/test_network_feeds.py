"""The layer behind each site: weights, bias, sources, on models whose truth is known."""

from __future__ import annotations

import numpy as np
import torch
from network_zoo import ZOO
from torch import nn

from hinge.network import read


def test_dense_layers_and_the_sites_they_read():
    model, x = ZOO["mlp"].make()
    feeds = read(model, x).feeds()
    first, second = feeds["1"], feeds["4"]
    np.testing.assert_array_equal(first.weight, model[0].weight.detach().double())
    np.testing.assert_array_equal(first.bias, model[0].bias.detach().double())
    assert (first.layer, first.inputs, first.nonnegative) == ("0", (), False)
    assert (second.layer, second.inputs, second.nonnegative) == ("3", ("1",), True)
    np.testing.assert_array_equal(second.input_of, np.arange(9))


def test_batch_norm_is_folded_into_the_layer():
    model, x = ZOO["cnn"].make()
    model = model.double().eval()
    network = read(model, x.double())
    feed = network.feeds()["2"]
    x = x.double()
    with torch.no_grad():
        patches = nn.functional.unfold(x, 3, padding=1, stride=2)
        wanted = model[1](model[0](x)).flatten(2)
    result = torch.einsum("uk,nkp->nup", torch.from_numpy(feed.weight), patches)
    torch.testing.assert_close(result + torch.from_numpy(feed.bias)[:, None], wanted)


def test_a_columns_unit_is_followed_through_pooling_and_flattening():
    model, x = ZOO["cnn"].make()
    feeds = read(model, x).feeds()
    # PReLU's 8 channels, each pooled to 2 x 1 numbers, make the 16 inputs of the dense layer.
    np.testing.assert_array_equal(feeds["9"].input_of, np.arange(8).repeat(2))
    assert not feeds["9"].nonnegative
    assert feeds["5"].inputs == ("2",)
    assert feeds["5"].input_of is None  # groups: one column stands for different channels


def test_a_residual_sum_has_no_single_layer():
    model, x = ZOO["residual"].make()
    feeds = read(model, x).feeds()
    assert feeds["relu"].layer == "first"
    assert feeds["relu#2"].layer == "add"
    assert feeds["relu#2"].weight is None
    assert feeds["relu#2"].inputs == ("relu",)


def test_concatenations_name_all_their_sites():
    model, x = ZOO["densely connected"].make()
    feeds = read(model, x).feeds()
    assert feeds["relu()#3"].inputs == ("relu()", "relu()#2")
    assert feeds["relu()#3"].input_of is None
    assert not feeds["relu()#3"].nonnegative  # the image itself is read too


def test_transposed_convolutions_have_a_row_per_output_channel():
    model, x = ZOO["decoder"].make()
    network = read(model, x)
    feeds = network.feeds()
    np.testing.assert_array_equal(
        feeds["4"].weight, model[3].weight.detach().double().transpose(0, 1).flatten(1)
    )
    last = feeds["8"].weight  # 4 channels in 2 groups: each output reads 2 channels of 2 x 2
    weight = model[7].weight.detach().double()
    np.testing.assert_array_equal(last[2], weight[2:, 0].flatten())
