"""Sees every activation of a running model, and the layers around it, whoever calls them."""
