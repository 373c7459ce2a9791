"""Tokenisers of the peers: named module-level functions, since bound methods and lambdas do not pickle."""

from __future__ import annotations


def jieba_words(text: str) -> list[str]:
    import jieba

    return list(jieba.lcut(text))


def rjieba_words(text: str) -> list[str]:
    import rjieba

    return list(rjieba.cut(text, False))
