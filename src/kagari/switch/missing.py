"""What is said of a name that kagari does not have: the row of docs/not_supported.md about it.

The table stands in that page alone; a wheel carries a copy of the page beside this file.
"""

import functools
import re
from fnmatch import fnmatchcase
from pathlib import Path

PAGE = "not_supported.md"


@functools.cache
def rows() -> list[tuple[str, str]]:
    """The page's rows: what is not there, what to use instead."""
    here = Path(__file__).resolve()
    places = (here.with_name(PAGE), here.parents[3] / "docs" / PAGE)
    text = next((place.read_text() for place in places if place.exists()), "")
    cells = [line.strip().strip("|").split("|") for line in text.splitlines() if line[:1] == "|"]
    return [(what.strip(), instead.strip()) for what, instead in cells[2:]]


@functools.cache
def patterns() -> list[tuple[str, int]]:
    """Names the rows speak of, `*` and `[1-7]` standing for more, with the number of the row."""
    found = []
    for number, (what, _) in enumerate(rows()):
        for code in re.findall(r"`([^`]+)`", what):
            name = re.match(r"[A-Za-z_][\w.\[\]*-]*", code)
            if name:
                found.append((name[0].removeprefix("torch."), number))
    return found


def row_of(name: str) -> tuple[str, str] | None:
    """The row for a missing name like "torch.nn.LSTM": about it, or else about its last part."""
    name = name.removeprefix("torch.")
    for asked in (name, name.rpartition(".")[2]):
        for pattern, number in patterns():
            if fnmatchcase(asked, pattern):
                return rows()[number]
    return None


def explain(name: str) -> str:
    """One line on a name that is not there.

    >>> explain("torch.Tag").startswith("kagari has no torch.Tag (docs/not_supported.md: ")
    True
    """
    row = row_of(name)
    if row is None:
        return f"kagari has no {name}, and docs/{PAGE} has no row about it"
    what, instead = row
    remedy = f"; instead: {instead}" if instead else ""
    return f"kagari has no {name} (docs/{PAGE}: {what}{remedy})"
