"""`redshank-keywords`: check packs, explain what a text raises, try it while typing."""

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from keywords.check import check_files
from keywords.explain import explain
from keywords.grade import Place
from keywords.matcher import Matcher
from keywords.pack import PackError, load_packs, shipped_packs
from keywords.reasons import REASONS

OK, FOUND, WRONG_USE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 (problems found) or 2 (wrong use)."""
    options = _parser().parse_args(arguments)
    _take_any_text()
    try:
        return int(options.run(options))
    except PackError as error:
        print(error, file=sys.stderr)
        return FOUND
    except (KeyboardInterrupt, EOFError):
        print()
        return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="redshank-keywords", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser(
        "check", help="tell what is wrong in packs: file, line, field, mend"
    )
    check.add_argument("packs", nargs="*", type=Path, help="TOML files; default: those shipped")
    check.set_defaults(run=_check)

    tell = commands.add_parser("explain", help="show what a text raises, and why")
    tell.add_argument("text", nargs="?", help="the text; default: standard input")
    tell.add_argument("--reasons", action="store_true", help="list all reasons and their codes")
    _common(tell)
    tell.set_defaults(run=_explain)

    attempt = commands.add_parser("try", help="type lines and see what each raises")
    _common(attempt)
    attempt.set_defaults(run=_try)
    return parser


def _take_any_text() -> None:
    """No byte that comes in and no character that goes out may end the program."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pack",
        action="append",
        type=Path,
        help="a TOML file, instead of those shipped; may be repeated",
    )
    parser.add_argument(
        "--place",
        type=Place,
        choices=tuple(Place),
        default=Place.UNKNOWN,
        help="where the text is typed (default: %(default)s)",
    )


def _check(options: argparse.Namespace) -> int:
    paths = options.packs or shipped_packs()
    report = check_files(paths)
    for line in report.told:
        print(line)
    for problem in report.problems:
        print(problem, file=sys.stderr)
    return FOUND if report.problems else OK


def _explain(options: argparse.Namespace) -> int:
    if options.reasons:
        for code, words in REASONS.items():
            print(f"{code:20} {words}")
        return OK
    text = sys.stdin.read() if options.text is None else options.text
    for line in explain(_matcher(options), text, place=options.place):
        print(line)
    return OK


def _try(options: argparse.Namespace) -> int:
    matcher = _matcher(options)
    print("Type a line and press Enter; an empty line ends.")
    while text := input("> "):
        for line in explain(matcher, text, place=options.place):
            print(f"  {line}")
    return OK


def _matcher(options: argparse.Namespace) -> Matcher:
    return Matcher(load_packs(options.pack or shipped_packs()))


if __name__ == "__main__":
    raise SystemExit(main())
