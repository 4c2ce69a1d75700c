"""Reads a name such as ``fx<8,4,1,RND,SAT>`` from left to right, and points at the character that is wrong.

Called by `format_grammar.py` and `accumulator_grammar.py`.
"""

import difflib
import re
from collections.abc import Iterable

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FLAG = re.compile(r"(?:0|1|false|true|unsigned|signed)(?![A-Za-z0-9_])", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]+")
_BLANKS = re.compile(r"\s*([<>(),=])\s*")
_LONGEST_SHOWN = 80


class NameScanner:
    """A text, the blanks around its brackets and commas left out, and how far it has been read.

    Parameters
    ----------
    text
        The name as it was written.
    noun
        What it should be, for messages: ``a number format``.
    """

    __slots__ = ("_at", "_noun", "_text", "_written")

    def __init__(self, text: str, noun: str) -> None:
        self._written = text
        self._text = _BLANKS.sub(r"\1", text).strip()
        self._noun = noun
        self._at = 0

    def fault(self, expected: str, at: int | None = None) -> ValueError:
        """Return the error: the text, a caret under character ``at`` (None = the next one), what was expected."""
        shown = "".join(char if char.isprintable() else "?" for char in self._text[:_LONGEST_SHOWN])
        caret = " " * min(self._at if at is None else at, len(shown)) + "^"
        return ValueError(f"{self._written[:_LONGEST_SHOWN]!r} is not {self._noun}:\n  {shown}\n  {caret} {expected}")

    @property
    def place(self) -> int:
        """Index of the next character."""
        return self._at

    def word(self, expected: str) -> str:
        """Read a word of letters, digits and underscores, in lower case."""
        return self._match(_WORD, expected).lower()

    def next_word(self) -> str:
        """Return the word that begins here, in lower case, without reading it; an empty string where none does."""
        match = _WORD.match(self._text, self._at)
        return match.group().lower() if match else ""

    def choice(self, words: Iterable[str], prefix: str = "") -> str:
        """Read one of some words, in any case, with or without a prefix."""
        known = {word.lower(): str(word) for word in words}
        start = self._at
        expected = f"expected {one_of(known.values())}"
        found = self.word(expected).removeprefix(prefix)
        if found not in known:
            raise self.fault(expected + nearest(found, known.values()), start)
        return known[found]

    def integer(self, meaning: str, lowest: int, highest: int) -> int:
        """Read a decimal integer within a range."""
        start = self._at
        span = str(lowest) if lowest == highest else f"{lowest} to {highest}"
        expected = f"expected {meaning}, {span}"
        digits = self._match(_NUMBER, expected)
        value = int(digits) if len(digits) < _LONGEST_SHOWN else highest + 1
        if not lowest <= value <= highest:
            raise self.fault(expected, start)
        return value

    def flag(self) -> bool | None:
        """Read 0, 1, false, true, unsigned or signed; None, and nothing read, where there is none of them."""
        match = _FLAG.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match.group().lower() in {"1", "true", "signed"}

    def is_at(self, pattern: str) -> bool:
        """Whether the next character is one of these."""
        return self._text[self._at : self._at + 1] in set(pattern)

    def expect(self, char: str) -> None:
        """Read this character."""
        if not self.is_at(char):
            raise self.fault(f"expected {char!r}")
        self._at += 1

    def more(self, close: str) -> bool:
        """Read a comma (True) or the closing bracket (False)."""
        if not self.is_at("," + close):
            raise self.fault(f"expected ',' or {close!r}")
        is_comma = self.is_at(",")
        self._at += 1
        return is_comma

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._at < len(self._text):
            raise self.fault("expected the end of the name")

    def _match(self, pattern: re.Pattern[str], expected: str) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise self.fault(expected)
        self._at = match.end()
        return match.group()


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``", did you mean 'x'?"`` for the nearest known word, in any case, or an empty string."""
    shown = {each.lower(): each for each in known}
    near = difflib.get_close_matches(word.lower(), list(shown), n=1, cutoff=0.6)
    return f", did you mean {shown[near[0]]!r}?" if near else ""


def one_of(words: Iterable[str]) -> str:
    """Return the words as ``A, B or C``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
