"""What the README promises: its code runs, its links lead somewhere, its commands exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


def make_targets(text: str) -> set[str]:
    """The commands in code: `make demo` in a line of its own or between backquotes."""
    return set(re.findall(r"(?:^    |`)make ([a-z][a-z-]*)", text, re.M))


@pytest.mark.parametrize("library", ["kagari", "torch"])
def test_training_loop_learns(tmp_path, library):
    (loop,) = code_blocks((ROOT / "README.md").read_text())
    assert len(loop.splitlines()) <= 24
    code = loop.replace("import kagari as", f"import {library} as").replace(
        "from kagari", f"from {library}"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    loss, accuracy = re.fullmatch(r"loss ([\d.]+), accuracy ([\d.]+)%\n", run.stdout).groups()
    assert float(loss) < 0.2 and float(accuracy) > 95
    assert (tmp_path / "quadrants.pt").stat().st_size > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", prose)
    missing = [k for k in links if "://" not in k and not (page.parent / k).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    makefile = (ROOT / "Makefile").read_text()
    known = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    assert make_targets(page.read_text()) <= known


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text()
    assert [p.name for p in PAGES[1:] if p.name != "index.md" and f"({p.name})" not in index] == []


def test_checks_bite():
    assert make_targets("Run `make nothing` or\n    make demo   # see\nbut make sure") == {
        "nothing",
        "demo",
    }
    assert code_blocks("a\n```python\nx = 1\n```\n") == ["x = 1\n"]
