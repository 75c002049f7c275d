"""Reads torch modules and .pt2 files through `torch.export`."""
