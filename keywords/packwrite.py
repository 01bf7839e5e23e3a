"""Write a pack as TOML, as `keywords.pack` reads it: pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from keywords.pack import FORMAT, Pack, Severity, Term

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\"}


def empty_pack(name: str, title: str) -> Pack:
    """A pack without terms; `name` is language/category."""
    language, _, category = name.rpartition("/")
    return Pack(
        name=name,
        category=category,
        language=language,
        version=1,
        title=title[:80],
        four_c="conduct",
        illegal="no",
        see=("dsl", "deputy"),
        guidance=(
            "These words come from another system's list and were not written for Redshank. Read"
            " what stands around them before anything is done, speak with the pupil if there is"
            " a concern, and follow the school's safeguarding policy. In danger call 999."
        ),
        terms=(),
        fingerprint="",
    )


def plain_term(name: str, phrases: tuple[str, ...], severity: Severity = Severity.LOW) -> Term:
    """A term of plain phrases, without conditions."""
    return Term(id=name, phrases=phrases, severity=severity, match=phrases[0], innocent="")


def with_terms(head: Pack, terms: Iterable[Term]) -> Pack:
    """A pack's head with other terms; they use no sets."""
    return replace(head, terms=tuple(terms), sets=())


def head_text(head: Pack) -> str:
    """A pack's own fields."""
    return (
        f"format = {FORMAT}\ncategory = {_quoted(head.category)}\n"
        f"language = {_quoted(head.language)}\nversion = {head.version}\n"
        f"title = {_quoted(head.title)}\nfour_c = {_quoted(head.four_c)}\n"
        f"illegal = {_quoted(head.illegal)}\nsee = [{', '.join(map(_quoted, head.see))}]\n"
        f"guidance = {_quoted(head.guidance)}\n"
    )


def term_text(term: Term, severity: int) -> str:
    """A plain term; `severity` is 1 to 5."""
    phrases = ", ".join(map(_quoted, term.phrases))
    return (
        f"[[term]]\nid = {_quoted(term.id)}\nphrases = [{phrases}]\n"
        f"severity = {severity}\nmatch = {_quoted(term.match)}\n"
        f"innocent = {_quoted(term.innocent)}\n"
    )


def _quoted(text: str) -> str:
    """A TOML basic string; what cannot be seen is written as its number."""
    return f'"{"".join(map(_quoted_char, text))}"'


def _quoted_char(char: str) -> str:
    return _ESCAPES.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}")
