"""Tells what happened to the units, and what probably made it happen."""
