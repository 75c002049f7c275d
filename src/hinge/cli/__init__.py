"""The command line: one verb per file; results go to stdout, all else to stderr."""

from hinge.cli.app import app, main

__all__ = ["app", "main"]
