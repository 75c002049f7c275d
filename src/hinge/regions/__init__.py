"""The cells of a piecewise-linear network, exactly: on a segment, on a plane, in a box."""
