"""Partitions of segments."""
