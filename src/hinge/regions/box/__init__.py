"""Cells in a box of any dimension, found one from another."""
