"""Hinge shows what every rectified unit in a network does, proves it, and mends it."""

__version__ = "0.1.0"
