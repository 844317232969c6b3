"""The ahead-of-time build: kernels_<level>.o and pointwise_table.cpp (cmake/build_kernels.py).

Every object exports a table sorted by name, `kagari_kernels_<level>`, of {name, function}. Kernels
with the same code are built once. It is incremental: an op is traced again only when its definition
or the compiler changed, and compiled again only when the IR changed. Runs without the extension.
"""

import argparse
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from .. import define
from ..targets import TARGETS, module_text, object_code
from . import units


def build(out: Path, levels: list[str], jobs: int, linker: str) -> None:
    """The whole build, through a cache in `out`/kernel_cache."""
    started = time.perf_counter()
    cache = out / "kernel_cache"
    cache.mkdir(parents=True, exist_ok=True)
    define.load()
    names = units.names()
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        made = list(pool.map(units.trace, names, [cache] * len(names), [levels] * len(names)))
        traced = time.perf_counter()
        tasks = [(level, unit) for level in levels for unit in _owned(made, level)]
        objects = list(pool.map(_compile, tasks, [cache] * len(tasks)))
    for level in levels:
        mine = [o for o, (at, _) in zip(objects, tasks, strict=True) if at == level]
        _link(linker, out / f"kernels_{level}.o", mine, _table(made, level, cache))
    _write(out / "pointwise_table.cpp", units.cpp(made))
    done = time.perf_counter()
    kernels = sum(len(u["kernels"][levels[0]]) for u in made)
    anew = sum(fresh for _, fresh in objects)
    print(
        f"{kernels} kernels for {', '.join(levels)}: traced in {traced - started:.1f} s, "
        f"compiled in {done - traced:.1f} s, {anew} of {len(tasks)} objects anew"
    )
    _sweep(cache, {u["file"] for u in made} | {str(path) for path, _ in objects})


def _owned(made: list[dict], level: str) -> list[dict]:
    """Per unit the functions that no earlier unit has."""
    seen: set[str] = set()
    found = []
    for unit in made:
        functions = {k: v for k, v in unit["functions"][level].items() if k not in seen}
        seen.update(functions)
        if functions:
            found.append({"functions": functions, "declarations": unit["declarations"][level]})
    return found


def _compile(task: tuple[str, dict], cache: Path) -> tuple[Path, bool]:
    """The object file of some functions, and whether it had to be made."""
    level, unit = task
    texts = [text.replace("@kernel(", f"@{s}(", 1) for s, text in sorted(unit["functions"].items())]
    ir = module_text(TARGETS[level], texts, set(unit["declarations"]))
    path = cache / f"{units.digest(units.toolchain(), level, ir)}.o"
    if path.exists():
        return path, False
    _write(path, object_code(ir, TARGETS[level]))
    return path, True


def _table(made: list[dict], level: str, cache: Path) -> Path:
    """The object file with the exported table."""
    kernels = {n: s for unit in made for n, s in unit["kernels"][level].items()}
    names = sorted(kernels, key=str.encode)
    lines = [f"declare hidden void @{s}(i64, ptr, ptr)" for s in sorted(set(kernels.values()))]
    for i, name in enumerate(names):
        lines.append(f'@n{i} = private constant [{len(name) + 1} x i8] c"{name}\\00"')
    rows = ", ".join(f"{{ptr, ptr}} {{ptr @n{i}, ptr @{kernels[n]}}}" for i, n in enumerate(names))
    table = f"@kagari_kernels_{level}"
    lines.append(f"{table} = constant [{len(names)} x {{ptr, ptr}}] [{rows}]")
    lines.append(f"{table}_count = constant i64 {len(names)}")
    path = cache / f"table_{level}.o"
    _write(path, object_code(module_text(TARGETS[level], lines, set()), TARGETS[level], False))
    return path


def _link(linker: str, target: Path, objects: list[tuple[Path, bool]], table: Path) -> None:
    """One relocatable object of many."""
    listing = target.with_suffix(".list")
    listing.write_text("\n".join(f'"{p}"' for p in [*(p for p, _ in objects), table]))
    partial = target.with_suffix(".partial")
    subprocess.run([linker, "-r", "-o", str(partial), f"@{listing}"], check=True)
    partial.replace(target)


def _write(path: Path, content: str | bytes) -> None:
    """Whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)


def _sweep(cache: Path, keep: set[str]) -> None:
    """Forget what this build did not use."""
    for path in cache.iterdir():
        if str(path) not in keep and not path.name.startswith("table_"):
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--levels", default="v2,v3,v4")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--linker", default="ld")
    args = parser.parse_args()
    build(args.out, args.levels.split(","), args.jobs, args.linker)
