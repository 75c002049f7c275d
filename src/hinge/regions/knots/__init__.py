"""The other direction: the network that is a given broken line."""
