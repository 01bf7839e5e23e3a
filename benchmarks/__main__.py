"""`python -m benchmarks [NAME...] [--quick]`: run, print, and write build/bench/NAME.json."""

import argparse
import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.table import show_figures

NAMES = ("latency", "matcher", "footprint", "ingest", "detection")
OUT = Path(__file__).resolve().parents[1] / "build" / "bench"


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, all by default. 1 if one of them could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(NAMES)}")
    parser.add_argument(
        "--quick", action="store_true", help="shorter and rougher: to try it, not to quote it"
    )
    parser.add_argument(
        "--data", type=Path, help="labelled texts for `detection` (default: our own, held out)"
    )
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.names) - set(NAMES)):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    failed = []
    for name in chosen.names or NAMES:
        print(f"== {name} ==", flush=True)
        try:
            result = run(name, quick=chosen.quick, data=chosen.data)
        except Exception as error:  # noqa: BLE001  # one that cannot run must not hide the others
            print(f"{name} could not be measured: {type(error).__name__}: {error}", file=sys.stderr)
            failed.append(name)
            continue
        show_figures(name, result["figures"])
        write(name, result)
    if failed:
        print(f"Not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(name: str, *, quick: bool, data: Path | None = None) -> dict[str, Any]:
    """One benchmark's result; it is told what was asked for, if it knows how."""
    module = importlib.import_module(f"benchmarks.{name}")
    asked = {"quick": quick, "data": data}
    known = inspect.signature(module.run).parameters
    options = {key: value for key, value in asked.items() if value and key in known}
    return dict(module.run(**options))


def write(name: str, result: dict[str, Any]) -> Path:
    """Write the figures, and nothing else, with exactly their five keys."""
    keys = ("value", "unit", "floor", "peer", "ratio")
    figures = {
        figure: {key: values.get(key) for key in keys}
        for figure, values in result["figures"].items()
    }
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.json"
    path.write_text(json.dumps({"figures": figures}, indent=2) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main())
