"""Watches a network from within a trainer: a callback for each, its framework imported late.

``hinge.callbacks.lightning``, ``hinge.callbacks.transformers`` and ``hinge.callbacks.keras``
each have a class ``HingeCallback``.
"""
