"""Deterministic chance: the same seed, purpose and number always fall the same way.

Values come from hashing in DuckDB, so any number of people streams without state, and one purpose
tells nothing about another. DuckDB promises no stable hash between its versions: the same bytes are
promised for the pinned version only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256


def literal(text: str) -> str:
    """Returns `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def list_of(words: Sequence[str]) -> str:
    """Returns `words` as an SQL list of strings."""
    return "[" + ", ".join(map(literal, words)) + "]"


@dataclass(frozen=True)
class Dice:
    """SQL expressions of chance. `key` is an SQL expression of a whole number from 0: who is rolling."""

    seed: int

    def number(self, purpose: str, key: str = "n") -> str:
        """Returns SQL for a whole number of 64 bits."""
        word = int.from_bytes(sha256(f"{self.seed}:{purpose}".encode()).digest()[:8], "big")
        return f"hash(xor(({key})::UBIGINT, {word}::UBIGINT))"

    def share(self, purpose: str, key: str = "n") -> str:
        """Returns SQL for a number from 0 up to, not including, 1."""
        return f"(({self.number(purpose, key)} >> 11) / 9007199254740992.0)"

    def below(self, purpose: str, limit: int | str, key: str = "n") -> str:
        """Returns SQL for a whole number from 0 up to, not including, `limit`."""
        return f"({self.number(purpose, key)} % ({limit})::UBIGINT)::BIGINT"

    def one_of(self, purpose: str, words: Sequence[str], key: str = "n") -> str:
        """Returns SQL for one of `words`."""
        return f"{list_of(words)}[1 + {self.below(purpose, len(words), key)}]"
