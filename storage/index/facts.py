"""What a document says in fields of the brand's own, as short texts to be looked up: one for each thing it says.

A fact begins with the field's number. `12` says that the field says anything; `12=34` and `12:abc` that it says this
word, which begins with its mark; `12~3:77` that it says a number whose first bits are these. Facts of `=` are counted.

Always true here:
- An interval is a bounded number of facts, however wide it is: at most 748.
- Numbers are whole and lie within ±LARGEST.
"""

from typing import Final

from storage.index.conditions import LARGEST, FieldBetween, FieldIs, OwnField

#: The mark of words that facets count.
COUNTED: Final = "="
#: Added to a number, so that it is none below zero.
_OFFSET: Final = 2**61
#: Bits that each level leaves out, and the level of which there are only four prefixes.
_STEP: Final = 5
_TOP: Final = 12


def of(field: int, word: str, number: int | None = None) -> tuple[str, ...]:
    """What a document says whose field says this word, and the number that it is worth."""
    said = (f"{field}", f"{field}{word}")
    if number is None:
        return said
    return said + tuple(_prefix(field, level, (number + _OFFSET) >> _STEP * level) for level in range(_TOP + 1))


def asked(condition: OwnField) -> tuple[str, ...]:
    """Facts of which a document that meets the condition says at least one, and no other says any."""
    match condition:
        case FieldIs(field, words):
            return tuple(f"{field}{word}" for word in words)
        case FieldBetween(field, low, high):
            return _covering(field, -LARGEST if low is None else low, LARGEST if high is None else high)
        case _:
            return (f"{condition.key}",)


def _covering(field: int, low: int, high: int) -> tuple[str, ...]:
    """The fewest prefixes that all numbers from `low` to `high` begin with, and no others."""
    found: list[str] = []
    first, last, level = low + _OFFSET, high + _OFFSET, 0
    whole = 1 << _STEP
    while first <= last and level < _TOP:
        while first <= last and first % whole:
            found.append(_prefix(field, level, first))
            first += 1
        while first <= last and (last + 1) % whole:
            found.append(_prefix(field, level, last))
            last -= 1
        first, last, level = first // whole, (last + 1) // whole - 1, level + 1
    return (*found, *(_prefix(field, level, each) for each in range(first, last + 1)))


def _prefix(field: int, level: int, bits: int) -> str:
    return f"{field}~{level}:{bits}"
