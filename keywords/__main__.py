"""`redshank-keywords`: check packs, tell what a text raises and why, measure it on many."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from keywords.check import check_files
from keywords.convert import to_csv, to_packs
from keywords.decide import Detector
from keywords.evaluate import Judged, LabelError, Labelled, changes, labelled, report
from keywords.explain import explain, told
from keywords.grade import Place
from keywords.matcher import Matcher
from keywords.pack import PackError, load_packs, shipped_packs
from keywords.ranker import Ranker, WeightsError
from keywords.reasons import REASONS
from keywords.wordlist import Assumed, Listed, Refused, code, decode, read_list

OK, FOUND, WRONG_USE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 (problems found) or 2 (wrong use)."""
    options = _parser().parse_args(arguments)
    _take_any_text()
    try:
        return int(options.run(options))
    except (PackError, LabelError, WeightsError, OSError) as error:
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
    _detecting(tell)
    tell.set_defaults(run=_explain)

    decide = commands.add_parser(
        "grade", help="JSON lines of {id, text} in, what would be decided of each out"
    )
    _detecting(decide)
    decide.set_defaults(run=_grade)

    measure = commands.add_parser(
        "evaluate", help="precision, recall and false alarms on labelled JSON lines"
    )
    measure.add_argument("file", type=Path, help="lines of {id, text, label, category, source}")
    measure.add_argument(
        "--against",
        action="append",
        type=Path,
        metavar="PACK",
        help="compare with these packs instead: the alerts that they would lose or win",
    )
    _detecting(measure)
    measure.set_defaults(run=_evaluate)

    convert = commands.add_parser(
        "convert", help="word lists (CSV, or one phrase a line) to packs; packs to CSV"
    )
    convert.add_argument("files", nargs="+", type=Path, help="lists, or packs (.toml)")
    convert.add_argument(
        "--to",
        type=Path,
        help="for lists the folder of packs, for packs the CSV file (default: standard output)",
    )
    convert.add_argument(
        "--language", type=_language, default="en", help="of the lists (default: %(default)s)"
    )
    convert.add_argument(
        "--category",
        type=_category,
        default="imported",
        help="where a list names none (default: %(default)s)",
    )
    convert.add_argument(
        "--severity",
        type=int,
        choices=range(1, 6),
        default=3,
        help="1 to 5, where a list names none (default: %(default)s)",
    )
    convert.set_defaults(run=_convert)

    attempt = commands.add_parser("try", help="type lines and see what each raises")
    _detecting(attempt)
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


def _detecting(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument(
        "--patterns",
        choices=("on", "off"),
        default="off",
        help="whether a sentence may alert in which no listed word stands (default: %(default)s)",
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
    for line in explain(_detector(options, options.pack), text, place=options.place):
        print(line)
    return OK


def _try(options: argparse.Namespace) -> int:
    detector = _detector(options, options.pack)
    print("Type a line and press Enter; an empty line ends.")
    while text := input("> "):
        for line in explain(detector, text, place=options.place):
            print(f"  {line}")
    return OK


def _grade(options: argparse.Namespace) -> int:
    detector = _detector(options, options.pack)
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        row = _json(line, number)
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise LabelError(
                f'line {number}: needs an object with a text: {{"id": 1, "text": "…"}}'
            )
        decision = detector.decide(row["text"], place=options.place)
        print(json.dumps({"id": row.get("id"), **told(decision, row["text"])}))
    return OK


def _evaluate(options: argparse.Namespace) -> int:
    lines = options.file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    rows = [labelled(_json(line, at), at) for at, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise LabelError(f"{options.file}: has no line; give one JSON object a line")
    judged = _judge(_detector(options, options.pack), rows, options.place)
    for line in report(judged):
        print(line)
    if options.against:
        print()
        other = _judge(_detector(options, options.against), rows, options.place)
        for line in changes(judged, other):
            print(line)
    return OK


def _judge(detector: Detector, rows: Sequence[Labelled], place: Place) -> list[Judged]:
    return [Judged(row, detector.decide(row.text, place=place)) for row in rows]


def _json(line: str, number: int) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"line {number}: is no JSON ({error}); one object a line") from error


def _language(text: str) -> str:
    if not re.fullmatch("[a-z0-9]+(?:-[a-z0-9]+)*", text):
        raise argparse.ArgumentTypeError('must be small letters, as "en" or "pt-br"')
    return text


def _category(text: str) -> str:
    if code(text, "_") != text or not text:
        raise argparse.ArgumentTypeError('must be small letters with "_", as "self_harm"')
    return text


def _convert(options: argparse.Namespace) -> int:
    packs = [path for path in options.files if path.suffix == ".toml"]
    if len(packs) == len(options.files):
        return _convert_packs(options)
    if packs or options.to is None:
        wrong = "give lists alone, and the folder for their packs: --to FOLDER"
        print(wrong, file=sys.stderr)
        return WRONG_USE
    assumed = Assumed(options.category, options.severity)
    lists = [_read_list(path, assumed) for path in options.files]
    rows = [row for listed in lists for row in listed.rows]
    named = {code(row.category, "_") for row in rows}
    shipped = [
        path
        for path in shipped_packs()
        if path.parent.name == options.language and path.stem in named
    ]
    packed = to_packs(rows, language=options.language, heads=load_packs(shipped))
    targets = {name: options.to / f"{name}.toml" for name in packed.packs}
    for path in targets.values():
        if path.exists():
            raise FileExistsError(f"{path}: is there already; give another folder with --to")
    for name, path in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(packed.packs[name], encoding="utf-8", newline="\n")
        print(f"{path}: {packed.packs[name].count('[[term]]')} terms")
        if path.stem in {one.stem for one in shipped}:
            print(f"{path}: has the name of a shipped pack, whose place it would take")
    return _tell_refused([*(one for each in lists for one in each.refused), *packed.refused])


def _read_list(path: Path, assumed: Assumed) -> Listed:
    text, encoding = decode(path.read_bytes())
    listed = read_list(text, assumed, file=str(path))
    for note in (f"read as {encoding}", *listed.notes):
        print(f"{path}: {note}")
    return listed


def _convert_packs(options: argparse.Namespace) -> int:
    text, refused = to_csv(load_packs(options.files))
    if options.to is None:
        print(text, end="")
    elif options.to.exists():
        raise FileExistsError(f"{options.to}: is there already; give another file with --to")
    else:
        # With its mark, without which spreadsheets do not read it as UTF-8.
        options.to.write_text(text, encoding="utf-8-sig", newline="\n")
    return _tell_refused(refused)


def _tell_refused(refused: Sequence[Refused]) -> int:
    for one in sorted(refused, key=lambda one: (one.file, one.line)):
        print(one, file=sys.stderr)
    if refused:
        print(f"{len(refused)} were not taken", file=sys.stderr)
    return FOUND if refused else OK


def _detector(options: argparse.Namespace, packs: Sequence[Path] | None) -> Detector:
    matcher = Matcher(load_packs(packs or shipped_packs()))
    return Detector(matcher, Ranker(), patterns=getattr(options, "patterns", "off") == "on")


if __name__ == "__main__":
    raise SystemExit(main())
