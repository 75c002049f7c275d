"""A subdivision of the plain kind, every sign of which is exact: slow, and right."""

from __future__ import annotations

import numpy as np

from hinge.regions.exactly.oracle import Oracle


class Slowly:
    """Convex cells as cycles of vertices, cut by one form after the other.

    ``cells`` are lists of vertex ids, ``births`` the rows of all vertices.
    """

    def __init__(self, program, corners):
        self.oracle = Oracle(program, corners)
        self.births = [(i, i, 0, -1, -1) for i in range(len(corners))]
        self.cells = [list(range(len(corners)))]
        for fold, one in enumerate(program.folds):
            signs = self._signs(range(len(self.births)), fold, one.n_forms)
            for form in range(one.n_forms):
                self._cut(fold, form, one.n_forms, signs)

    def _signs(self, vertices, fold, n_forms):
        vertices = list(vertices)
        births = np.array(self.births, np.int64)
        wanted = np.array([(v, fold) for v in vertices], np.int64).reshape(-1, 2)
        found = self.oracle.signs(births, wanted).reshape(-1, n_forms)
        return dict(zip(vertices, found, strict=True))

    def _cut(self, fold, form, n_forms, signs):
        new, cells, start = {}, [], len(self.births)
        for cell in self.cells:
            positive, negative = [], []
            if {signs[v][form] for v in cell} >= {-1, 1}:
                for a, b in zip(cell, cell[1:] + cell[:1], strict=True):
                    if signs[a][form] >= 0:
                        positive.append(a)
                    if signs[a][form] <= 0:
                        negative.append(a)
                    if signs[a][form] * signs[b][form] < 0:
                        pair = (min(a, b), max(a, b))
                        if pair not in new:
                            new[pair] = len(self.births)
                            self.births.append((new[pair], *pair, fold, form))
                        positive.append(new[pair])
                        negative.append(new[pair])
                cells += [positive, negative]
            else:
                cells.append(cell)
        self.cells = cells
        signs.update(self._signs(range(start, len(self.births)), fold, n_forms))
