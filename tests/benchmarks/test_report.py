"""The verdicts of `make bench`: that a miss, a wrong value and a failure are called so."""

import importlib

import pytest

from benchmarks import report
from benchmarks.__main__ import Side, differ, measure
from benchmarks.functions import FUNCTIONS
from benchmarks.report import Row
from benchmarks.workloads import WORKLOADS, Workload

MACHINE = {"cpu": "a processor"}


def row(*ratios: float, name: str = "x", note: str = "") -> Row:
    return Row(name, "group", 0.5, reference=2e-3, candidate=1e-3, ratios=ratios, note=note)


def test_verdict():
    assert row(0.4, 0.5, 9.0).met
    assert not row(0.4, 0.6, 0.7).met
    assert not row(0.1, note="VALUES DIFFER").met
    assert not row(note="kagari: ImportError").met
    assert "MISSED" in report.line(row(0.6))
    assert "VALUES DIFFER" in report.line(row(0.1, note="VALUES DIFFER"))
    assert "ImportError" in report.line(row(note="kagari: ImportError"))


def test_values_are_compared():
    assert not differ([1.0, 2.0], [1.0, 2.0005])
    assert differ([1.0, 2.0], [1.0, 2.1])
    assert differ([1.0, float("nan")], [1.0, 2.0])
    assert not differ(None, None)


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.0, "2 s"), (1.5e-3, "1.5 ms"), (2e-6, "2 µs"), (1.65e-7, "165 ns")]
)
def test_durations(seconds, text):
    assert report.duration(seconds) == text


def test_table_in_a_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.START}\nold\n{report.END}\nafter\n")
    report.write_into(page, [row(0.25), row(0.75), row(note="missing")], MACHINE)
    text = page.read_text()
    assert "| group | 2 ms | 1 ms | 0.25 … 0.75 |" in text
    assert "old" not in text and text.startswith("before\n") and text.endswith("\nafter\n")
    report.write_into(page, [row(0.25)], MACHINE)
    assert page.read_text().count(report.START) == 1


def test_a_workload_that_fails_is_a_miss():
    side = Side("math", 1, {})
    try:
        missing = measure(WORKLOADS[0], side, side, 1)
    finally:
        side.close()
    assert "Error" in missing.note and not missing.met


def test_names_are_unique():
    names = [workload.name for workload in WORKLOADS]
    assert len(names) == len(set(names))
    assert all(isinstance(w, Workload) and 0 < w.target <= 1 for w in WORKLOADS)


def test_the_slowest_come_first():
    rows = [row(0.5, name="quick"), row(3.0, name="slow"), row(2.0, name="slowish"), row(note="x")]
    text = report.slowest(rows, 2)
    assert "group: median ratio 2.00" in text and "quick" not in text
    assert text.index("slow ") < text.index("slowish")


def test_the_functions_run_in_both_libraries():
    for name in ("torch", "kagari"):
        library = importlib.import_module(name)
        for part in ("nn.functional", "linalg", "fft"):
            importlib.import_module(f"{name}.{part}")
        for workload in FUNCTIONS:
            if workload.name.endswith("tiny") and "stft" not in workload.name:
                workload.build(library)()
