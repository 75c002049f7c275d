"""Partitions of polygons and planes."""
