"""Figures as text: the table of `make bench`, and the shorter one in the README."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.workloads import Workload

START, END = "<!-- numbers: written by `make bench ARGS=--readme` -->", "<!-- end of numbers -->"


@dataclass(frozen=True)
class Row:
    """One workload's outcome: seconds of either side, one ratio a round, or why there is none."""

    name: str
    group: str
    target: float
    reference: float = 0.0
    candidate: float = 0.0
    ratios: tuple[float, ...] = ()
    note: str = ""

    @staticmethod
    def of(workload: Workload, **figures: Any) -> "Row":
        return Row(workload.name, workload.group, workload.target, **figures)

    @property
    def ratio(self) -> float:
        return median(self.ratios) if self.ratios else float("nan")

    @property
    def met(self) -> bool:
        return not self.note and self.ratio <= self.target


def duration(seconds: float) -> str:
    if not seconds:
        return "–"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


HEADER = (
    f"{'what':38}{'PyTorch':>10}{'kagari':>10}{'ratio':>8}  {'(least … most)':16}{'at most':>8}  "
)


def line(row: Row) -> str:
    if not row.ratios:
        return f"{row.name:38}{row.note}"
    spread = f"({min(row.ratios):.2f} … {max(row.ratios):.2f})"
    verdict = row.note or ("ok" if row.met else "MISSED")
    return (
        f"{row.name:38}{duration(row.reference):>10}{duration(row.candidate):>10}"
        f"{row.ratio:8.3f}  {spread:16}{row.target:8.2f}  {verdict}"
    )


def summary(rows: Sequence[Row]) -> str:
    met = sum(row.met for row in rows)
    return f"{met} of {len(rows)} within the target"


def slowest(rows: Sequence[Row], count: int) -> str:
    """The medians of the groups, and the rows with the highest ratios."""
    timed = [row for row in rows if row.ratios]
    groups = dict.fromkeys(row.group for row in timed)
    medians = [
        f"{group}: median ratio {median(r.ratio for r in timed if r.group == group):.2f}"
        for group in groups
    ]
    worst = sorted(timed, key=lambda row: -row.ratio)[:count]
    return "\n".join(["", *medians, "", f"the {len(worst)} slowest", HEADER, *map(line, worst)])


def to_json(rows: Sequence[Row], machine: dict[str, str]) -> dict[str, Any]:
    return {"machine": machine, "rows": [asdict(row) | {"ratio": row.ratio} for row in rows]}


def markdown(rows: Sequence[Row], machine: dict[str, str]) -> str:
    """One line per group of workloads, with the group's best and worst ratio."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.ratios:
            groups.setdefault(row.group, []).append(row)
    lines = ["| what | PyTorch | kagari | ratio |", "| --- | --- | --- | --- |"]
    for group, members in groups.items():
        columns = (
            " … ".join(dict.fromkeys(map(duration, sorted((min(values), max(values))))))
            for values in ([r.reference for r in members], [r.candidate for r in members])
        )
        ratios = sorted(row.ratio for row in members)
        spread = " … ".join(dict.fromkeys(f"{ratio:.2f}" for ratio in (ratios[0], ratios[-1])))
        lines.append(f"| {group} | {' | '.join(columns)} | {spread} |")
    where = ", ".join(machine.values())
    return "\n".join(
        [*lines, "", f"Ratio: kagari's time over PyTorch's, the lower the better. {where}."]
    )


def write_into(path: Path, rows: Sequence[Row], machine: dict[str, str]) -> None:
    """Replace the table between the two marks of a page."""
    before, rest = path.read_text().split(START)
    after = rest.split(END)[1]
    path.write_text(f"{before}{START}\n{markdown(rows, machine)}\n{END}{after}")
