"""Run the benchmarks and print what they took as one table: python -m benchmarks.table"""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median, quantiles

HERE = Path(__file__).parent
IMPORTS = "import time; began = time.perf_counter(); import {}; print(time.perf_counter() - began)"
N_IMPORTS = 30

SMALL, LARGE = "64-128-64-10, batch 64, float32", "784-512-256-10, batch 128, float32"
PACKAGE, TAPE = "the package", "the tape"
RATIOS = [
    (SMALL, PACKAGE, "PyTorch eager", 0.30),
    (SMALL, PACKAGE, "JAX with jit", 1.00),
    (LARGE, PACKAGE, "PyTorch eager", 0.95),
    (LARGE, PACKAGE, "NumPy by hand", 1.05),
    (SMALL, TAPE, PACKAGE, 1.05),
    (SMALL, TAPE, "PyTorch eager", 0.35),
    (SMALL, TAPE, "JAX with jit", 1.00),
    (SMALL, TAPE, "HIPS autograd", 1 / 6),
    (LARGE, TAPE, PACKAGE, 1.05),
    (LARGE, TAPE, "PyTorch eager", 1.05),
    ("import", "backprop_book", "numpy", 1.20),
]
SECONDS = [("check_gradient", "every entry", 10.0), ("check_gradient", "one direction", 0.1)]

Times = dict[str, dict[str, list[float]]]


def measured() -> Times:
    """Return the seconds that pytest-benchmark measured, by case and contender."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        told = [f"--benchmark-json={report}", "--benchmark-quiet", "-q", "-W", "ignore"]
        tests = [*sorted(map(str, HERE.glob("test_*.py"))), "-p", "no:cacheprovider"]
        subprocess.run([sys.executable, "-m", "pytest", *tests, *told], cwd=HERE.parent, check=True)
        benchmarks = json.loads(report.read_text())["benchmarks"]
    times: Times = defaultdict(lambda: defaultdict(list))
    for benchmark in benchmarks:
        info = benchmark["extra_info"]
        times[info["case"]][info["contender"]] += benchmark["stats"]["data"]
    return times


def import_times() -> dict[str, list[float]]:
    """Return the seconds that an import takes in a process of its own, the two in turn.

    The first imports, which compile the modules and keep the result, do not count.
    """
    times: dict[str, list[float]] = {"numpy": [], "backprop_book": []}
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(N_IMPORTS + 1):
            for module, found in times.items():
                command = [sys.executable, "-c", IMPORTS.format(module)]
                told = subprocess.check_output(command, cwd=HERE.parent, env=environment)
                found.append(float(told))
    return {module: found[1:] for module, found in times.items()}


def rows(times: Times) -> list[str]:
    """Return the lines of the table: milliseconds, and the package's time as a part of it."""
    lines = [f"{'':20}{'median':>10}{'quartiles':>21}   package / this   (milliseconds)"]
    for case, found in times.items():
        lines += ["", case]
        for name, seconds in found.items():
            lower, middle, upper = quantiles(seconds, n=4) if seconds[1:] else seconds * 3
            line = f"  {name:18}{1e3 * middle:10.3f}{1e3 * lower:11.3f} to{1e3 * upper:7.3f}"
            ours = found.get(PACKAGE) or found.get("backprop_book")
            lines.append(line + (f"{median(ours) / middle:17.2f}" if ours else ""))
    return lines


def goals(times: Times) -> list[str]:
    """Return the lines that say which goals are met: ratios of medians, and seconds."""
    lines = ["", "Goals"]
    for case, name, other, most in RATIOS:
        ratio = median(times[case][name]) / median(times[case][other])
        lines.append(f"{_held(ratio, most)} of {other}: {name}, {case}")
    for case, name, most in SECONDS:
        lines.append(f"{_held(median(times[case][name]), most)} s: {case}, {name}")
    return lines


def _held(value: float, most: float) -> str:
    return f"  {'met    ' if value <= most else 'NOT MET'} {value:6.2f}, at most {most:5.2f}"


if __name__ == "__main__":
    all_times = measured() | {"import": import_times()}
    print("\n".join(rows(all_times) + goals(all_times)))
