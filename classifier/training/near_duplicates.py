"""Near-duplicate groups: MinHash over character 3-grams, verified by the exact Jaccard similarity."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

THRESHOLD = 0.6
PERMUTATIONS = 64


def shingles(text: str) -> frozenset[str]:
    """Character 3-grams without spaces, digits made alike (another amount is not another message)."""
    text = re.sub(r"\d", "0", re.sub(r"\s+", "", text))
    return frozenset(text[i : i + 3] for i in range(max(1, len(text) - 2)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Exact Jaccard similarity of two shingle sets."""
    return len(a & b) / len(a | b)


def near_duplicate_pairs(texts: Sequence[str], threshold: float = THRESHOLD) -> list[tuple[int, int, float]]:
    """Return (i, j, similarity) for the pairs i < j that MinHash proposes and the exact similarity confirms."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=threshold - 0.1, num_perm=PERMUTATIONS)
    sets = [shingles(text) for text in texts]
    found: list[tuple[int, int, float]] = []
    blank = MinHash(num_perm=PERMUTATIONS, seed=1)
    for at, grams in enumerate(sets):
        sketch = blank.copy()
        sketch.update_batch([g.encode("utf-8") for g in grams])
        for other in sorted(index.query(sketch)):
            similarity = jaccard(grams, sets[other])
            if similarity >= threshold:
                found.append((other, at, similarity))
        index.insert(at, sketch)
    return found


def groups(count: int, pairs: Sequence[tuple[int, int, float]]) -> np.ndarray:
    """Union the pairs; return the group number of each of `count` texts, shape (count,)."""
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b, _ in pairs:
        parent[root(b)] = root(a)
    return np.unique([root(i) for i in range(count)], return_inverse=True)[1]
