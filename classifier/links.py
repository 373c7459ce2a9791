"""Links: where they stand in folded text, and the text with every link masked."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import numpy.typing as npt

from classifier.codepoints import LATIN, Block, Points

URL = (
    r"(?:https?://|www\.)[^\s\u3000-\u9fff,;!()【】“”]+"
    r"|(?<![a-z0-9@.])(?:[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?\.)+[a-z]{2,8}(?![a-z0-9])(?:/[^\s\u3000-\u9fff,;!()【】“”]*)?"
)
MASK = "\x1f"  # stands for every character of a link: what a host is called is not evidence the corpus can teach


@cache
def url() -> re.Pattern[str]:
    """`URL`, compiled when a text first calls for it."""
    return re.compile(URL)


def canonical(folded: str) -> str:
    """Return the folded text with every link masked, character for character."""
    if "." not in folded and "://" not in folded:
        return folded
    return url().sub(lambda m: MASK * len(m[0]), folded)


def may_have_link(block: Block) -> npt.NDArray[np.bool_]:
    """Which texts hold what every `URL` has: ``.`` and two letters, ``www.``, or ``://``."""
    points = block.points
    if len(points) < 3:
        return np.zeros(len(block), bool)
    one, two, three = points[:-2], points[1:-1], points[2:]
    latin = block.kinds & LATIN != 0
    places = (one == ord(".")) & latin[1:-1] & latin[2:]
    places |= (one == ord(":")) & (two == ord("/")) & (three == ord("/"))
    places[:-1] |= (one[:-1] == ord("w")) & (two[:-1] == ord("w")) & (three[:-1] == ord("w")) & (points[3:] == ord("."))
    return block.having(places)


def mask_links(block: Block) -> tuple[list[str], Points, list[int]]:
    """The texts of a block with their links masked, as texts and as code points, and the rows that had one."""
    texts, points = list(block.texts), block.points
    masked: list[int] = []
    for row in np.flatnonzero(may_have_link(block)).tolist():
        text = canonical(texts[row])
        if text != texts[row]:
            if not masked:
                points = points.copy()
            masked.append(row)
            first = int(block.first[row])
            points[first : first + len(text)] = np.fromiter(map(ord, text), np.uint32, len(text))
            texts[row] = text
    return texts, points, masked
