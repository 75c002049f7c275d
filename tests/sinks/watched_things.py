"""What the tests of the sinks write: numbers of three steps, and one event."""

import math

from hinge.events import Cause, Event, Kind

DEAD = "hinge/block.relu#2/dead"
MEAN = "hinge/relu/mean"
STEPS = (16, 32, 48)
EVENT = Event(Kind.DIED, 40, "block.relu#2", (3, 5), Cause.BIAS, 'bias "-0.1" to -7.2 – so', 48)


def feed(sink):
    """Write numbers that are finite, NaN and infinite, then the event, then close."""
    for step in STEPS:
        sink.numbers(step, {DEAD: step / 16, MEAN: math.nan, "hinge/relu/top": math.inf})
    sink.event(EVENT)
    sink.close()
