"""Counts what the units do at every step, and puts the counts of several processes together."""
