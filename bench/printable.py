"""Text of strangers made safe to show: names, reasons, paths and messages of plugins and files.

Whatever prints such text goes through here, so that no escape sequence reaches a terminal, no
letter turns a line round, and no message fills the screen.
"""

from __future__ import annotations

import html
import re

MOST = 900
"""Characters of a message or a reason."""

_UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of writing
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff\ufffe\uffff"  # no characters: neither UTF-8 nor XML has them
    "\ufeff\U000e0000-\U000e007f"  # byte order mark and tags: not seen at all
    "]"
)


def printable(text: str) -> str:
    """The text with escapes (``\\x1b``, ``\\u202e``) for what a terminal or a page would obey.

    Tabs, newlines and letters of all languages stay.
    """
    return _UNSAFE.sub(lambda found: _escape(found[0]), text)


def one_line(text: str, most: int = MOST) -> str:
    """The text on one line of at most ``most`` characters, safe to show.

    What is too long is cut in the middle: a message begins with its place and ends with its remedy.
    """
    line = printable(" ".join(text.split()))
    if len(line) <= most:
        return line
    mark = f" ... [{len(line)} characters] ... "
    head = (most - len(mark)) // 2
    return f"{line[:head]}{mark}{line[len(line) - (most - len(mark) - head) :]}"


def markdown(text: str) -> str:
    """The text so that Markdown, and the HTML in it, take it for nothing else; on one line."""
    safe = html.escape(printable(" ".join(text.split())), quote=False)
    for character in "\\|`*_[]#~!@":
        safe = safe.replace(character, f"\\{character}")
    return safe


def code(text: str) -> str:
    """The text for between the backticks of Markdown; on one line."""
    return printable(" ".join(text.split())).replace("`", "'").replace("|", "\\|")


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
