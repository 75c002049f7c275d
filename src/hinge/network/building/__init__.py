"""Collects steps while a model is read, whatever the format it is read from."""
