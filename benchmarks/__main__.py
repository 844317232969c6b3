"""Alternates a process of PyTorch and one of kagari over the workloads and prints their ratios.

While one process is timed the others are stopped, so no thread pool spins into another's time.
"""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.functions import FUNCTIONS
from benchmarks.report import Row
from benchmarks.workloads import IMPORT, WORKLOADS, Workload

ROOT = Path(__file__).resolve().parent.parent
# makes glibc keep what is freed, so that PyTorch's outputs lie in memory that was touched before
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
    "MALLOC_TOP_PAD_": "0",
}


class Side:
    """One worker process, stopped unless it is asked."""

    def __init__(self, library: str, threads: int, extra: dict[str, str]) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)} | extra
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", library, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            return {"error": f"the process ended with status {self.process.wait()}"}
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(answer)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def differ(ours: list[float] | None, theirs: list[float] | None) -> bool:
    if ours is None or theirs is None:
        return False
    scale = max((abs(value) for value in theirs), default=0.0) or 1.0
    return any(not abs(a - b) <= 2e-3 * scale for a, b in zip(ours, theirs, strict=True))


def measure(workload: Workload, reference: Side, candidate: Side, rounds: int) -> Row:
    sides = [reference, candidate]
    prepared = [side.ask(do="prepare", name=workload.name) for side in sides]
    for name, answer in zip(("PyTorch", "kagari"), prepared, strict=True):
        if "error" in answer:
            return Row.of(workload, note=f"{name}: {answer['error']}")
    times: list[list[float]] = [[], []]
    for turn in range(rounds):
        for i in (0, 1) if turn % 2 else (1, 0):
            times[i].append(sides[i].ask(do="run")["seconds"])
    return Row.of(
        workload,
        reference=min(times[0]),
        candidate=min(times[1]),
        ratios=tuple(ours / theirs for theirs, ours in zip(*times, strict=True)),
        note="VALUES DIFFER" if differ(prepared[1]["values"], prepared[0]["values"]) else "",
    )


def measure_import(libraries: tuple[str, str], rounds: int) -> Row:
    """The wall time of a whole process that imports the library."""

    def seconds(library: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {library}"], check=True, capture_output=True)
        return time.perf_counter() - start

    times: list[list[float]] = [[], []]
    for library in libraries:  # bring the files into memory first
        try:
            seconds(library)
        except subprocess.CalledProcessError as error:
            return Row.of(IMPORT, note=error.stderr.decode().splitlines()[-1])
    for _ in range(rounds):
        for i in (0, 1):
            times[i].append(seconds(libraries[i]))
    ratios = tuple(ours / theirs for theirs, ours in zip(*times, strict=True))
    return Row.of(IMPORT, reference=min(times[0]), candidate=min(times[1]), ratios=ratios)


def measure_all(options: argparse.Namespace) -> Iterator[Row]:
    every = FUNCTIONS if options.functions else WORKLOADS
    chosen = [w for w in every if re.search(options.only, f"{w.group}/{w.name}")]
    if not options.functions and re.search(options.only, f"{IMPORT.group}/{IMPORT.name}"):
        yield measure_import((options.reference, options.candidate), options.rounds)
    sides: dict[bool, tuple[Side, Side]] = {}
    try:
        for workload in chosen:
            if workload.fresh not in sides:
                extra = {} if workload.fresh else KEEP_MEMORY
                sides[workload.fresh] = (
                    Side(options.reference, options.threads, extra),
                    Side(options.candidate, options.threads, {}),
                )
            yield measure(workload, *sides[workload.fresh], options.rounds)
    finally:
        for pair in sides.values():
            for side in pair:
                side.close()


def machine(options: argparse.Namespace) -> dict[str, str]:
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": models[0] if models else platform.machine(),
        "threads": f"{options.threads} threads",
        "reference": f"PyTorch {__import__('importlib.metadata').metadata.version('torch')}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="of group/name")
    parser.add_argument("--functions", action="store_true", help="the functions used most, instead")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reference", default="torch")
    parser.add_argument("--candidate", default="kagari")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--readme", action="store_true", help="write the table of README.md anew")
    options = parser.parse_args()
    print(report.HEADER)
    rows = []
    for row in measure_all(options):
        rows.append(row)
        print(report.line(row), flush=True)
    print(report.summary(rows))
    if options.functions:
        print(report.slowest(rows, 20))
    if options.json:
        options.json.write_text(json.dumps(report.to_json(rows, machine(options)), indent=1))
    if options.readme:
        report.write_into(ROOT / "README.md", rows, machine(options))


if __name__ == "__main__":
    main()
