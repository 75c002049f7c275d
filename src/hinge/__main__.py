"""Lets ``python -m hinge`` do what ``hinge`` does."""

from hinge.cli import main

if __name__ == "__main__":
    main()
