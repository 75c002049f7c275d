"""What a terminal can show: its width, whether it knows more than ASCII, and its alphabet."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from hinge.page import Shade, Tone
from hinge.report.cells import variants
from hinge.report.text import THIN, one_line, printable

STYLES: dict[Tone, tuple[str, ...]] = {
    "bad": ("bold red", "red", "magenta"),
    "warning": ("yellow", "dark_orange", "bright_yellow"),
    "info": ("blue", "cyan", "bright_blue"),
    "good": ("green", "bright_green", "dim"),
}
"""The colours of each tone, for its first category, its second, and so on."""

_GLYPHS: dict[Tone, str] = {"bad": "█▓◆◼", "warning": "▒░▚▞", "info": "▪▫◦+", "good": "·∘∙˙"}
_ASCII_GLYPHS: dict[Tone, str] = {"bad": "#X@%", "warning": "=-~:", "info": "o+*?", "good": ".,'`"}
_SIGNS: dict[Tone, str] = {"bad": "✗", "warning": "!", "info": "•", "good": "✓"}
_ASCII_SIGNS: dict[Tone, str] = {"bad": "x", "warning": "!", "info": "*", "good": "+"}
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_ASCII_LEVELS = " .:#"
_TO_ASCII = str.maketrans(
    {
        "–": "-",
        "−": "-",
        "∞": "inf",
        "…": "...",
        "│": "|",
        "─": "-",
        "└": "+",
        "▲": "^",
        "→": ">",
        "≥": ">=",
        "≤": "<=",
        "×": "x",
        "·": "*",
        "′": "'",
        "√": "sqrt",
        "²": "^2",
        "³": "^3",
        "₁": "1",
        "ₙ": "n",
        "µ": "u",
        "∂": "d",
        "α": "alpha",
        "ε": "eps",
        "λ": "lambda",
        "π": "pi",
        "σ": "sigma",
        "φ": "phi",
        "Φ": "Phi",
    }
)
_MEASURE = 100
"""Lines of running text longer than this are hard to read."""


@dataclass(frozen=True)
class Screen:
    """The room to draw in. ``encoding`` is what the terminal understands."""

    width: int
    encoding: str = "utf-8"
    colour: bool = False

    @classmethod
    def of(cls, console: Console) -> Screen:
        """Ask a console."""
        colour = console.color_system is not None and not console.no_color
        return cls(console.width, console.encoding, colour)

    @property
    def ascii_only(self) -> bool:
        """Whether block characters must be avoided."""
        return not self.encoding.startswith("utf")

    @property
    def measure(self) -> int:
        """The width of running text."""
        return min(self.width, _MEASURE)

    def say(self, text: str, style: str = "") -> Text:
        """Style foreign text, never read as markup, with all its lines."""
        return Text(self.spelled(printable(text).expandtabs(4)), style)

    def line(self, text: str, style: str = "") -> Text:
        """Style foreign text on one line."""
        return Text(self.spelled(one_line(text)), style)

    def spelled(self, text: str) -> str:
        """Write text in characters that the terminal has."""
        text = text.replace(THIN, " ")
        if not self.ascii_only:
            return text
        spelled = text.translate(_TO_ASCII)
        try:
            return spelled.encode(self.encoding, "replace").decode(self.encoding)
        except LookupError:
            return spelled.encode("ascii", "replace").decode("ascii")

    def sign(self, tone: Tone) -> str:
        """A character that stands for a tone where there is no colour."""
        return (_ASCII_SIGNS if self.ascii_only else _SIGNS)[tone]

    def levels(self) -> str:
        """Characters from an empty cell to a full one."""
        return _ASCII_LEVELS if self.ascii_only else _EIGHTHS

    def glyphs(self, legend: Sequence[Shade]) -> list[tuple[str, str]]:
        """A character of its own for each category, with a style by tone.

        Beyond the characters of a tone letters follow, then a question mark.
        """
        alphabet = _ASCII_GLYPHS if self.ascii_only else _GLYPHS
        taken = "".join(alphabet.values())
        letters = (letter for letter in string.ascii_letters if letter not in taken)
        chosen = []
        for shade, variant in zip(legend, variants(legend), strict=True):
            own = alphabet[shade.tone]
            glyph = own[variant] if variant < len(own) else next(letters, "?")
            styles = STYLES[shade.tone]
            chosen.append((glyph, styles[min(variant, len(styles) - 1)]))
        return chosen


def width_of(text: str) -> int:
    """How many columns the longest line of a text takes."""
    return max((cell_len(line) for line in text.splitlines()), default=0)
