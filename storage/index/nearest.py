"""Which words are nearly the same: edit distances of one word to many at once.

Always true here:
- Insertions, deletions, replacements and swaps of neighbours cost one each (optimal string alignment: no
  letter is edited twice; Damerau 1964, bounded as in Boytsov 2011, section 2.1).
- Work is bounded: words whose length alone is too different are never compared.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: From which length on a word may be misspelt once, and twice.
ONE_ERROR_FROM: Final = 4
TWO_ERRORS_FROM: Final = 8


def errors_allowed(word: str) -> int:
    """How many typing errors a word of this length may be supposed to have: short words are too near to each
    other.
    """
    return (len(word) >= ONE_ERROR_FROM) + (len(word) >= TWO_ERRORS_FROM)


def within(words: Sequence[str], target: str, edits: int) -> list[tuple[int, int]]:
    """The places in `words` at most `edits` away from `target`, each with its distance, in order of place."""
    places = [i for i, word in enumerate(words) if abs(len(word) - len(target)) <= edits]
    if not places or not target:
        return []
    letters = _letters([words[i] for i in places])
    lengths = np.array([len(words[i]) for i in places])
    distances = _distances(letters, lengths, target)
    return [(places[i], int(distances[i])) for i in np.flatnonzero(distances <= edits)]


def _letters(words: list[str]) -> NDArray[np.uint32]:
    """One row of code points per word, padded with zeros."""
    width = max(len(word) for word in words)
    return np.array(words, dtype=f"U{width}").view(np.uint32).reshape(len(words), width)


def _distances(letters: NDArray[np.uint32], lengths: NDArray[np.int64], target: str) -> NDArray[np.int16]:
    count, width = letters.shape
    before_last = np.zeros((width + 1, count), np.int16)
    last = np.repeat(np.arange(width + 1, dtype=np.int16)[:, None], count, axis=1)
    for i, letter in enumerate(target):
        row = np.empty_like(last)
        row[0] = i + 1
        differs = (letters != ord(letter)).T
        for j in range(width):
            best = np.minimum(np.minimum(last[j + 1], row[j]) + 1, last[j] + differs[j])
            if i and j:
                swapped = ~differs[j - 1] & (letters[:, j] == ord(target[i - 1]))
                best = np.where(swapped, np.minimum(best, before_last[j - 1] + 1), best)
            row[j + 1] = best
        before_last, last = last, row
    distances: NDArray[np.int16] = last[lengths, np.arange(count)]
    return distances
