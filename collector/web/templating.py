"""The pages' templates: autoescaped, strict about what they are not given."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from collector.alerts import AlertRow, AlertState
from collector.web import words
from collector.web.inert import inert, marked, visible

FOLDER: Final = Path(__file__).parent / "templates"
_LATEST: Final = 2**53


class Templates:
    """Renders pages by name."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._environment = environment(titles)

    def render(self, name: str, **values: Any) -> str:
        """A page or a fragment."""
        return self._environment.get_template(name).render(**values)

    def row(self, alert: AlertRow, now: int) -> str:
        """An alert's row on the list, for everybody: without a name."""
        module: Any = self._environment.get_template("row.html").module
        return str(module.row(alert, now))


def environment(titles: Mapping[str, str]) -> Environment:
    """The templates' environment, for categories with these titles."""
    env = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "inert": inert,
        "visible": visible,
        "when": words.when,
        "stamp": words.stamp,
        "left": words.left,
        "span": words.span,
        "reason": words.reason,
        "blind": words.blind,
        "order": order,
        "category": partial(words.category, titles=titles),
        "priority": lambda number: words.PRIORITIES.get(number, ""),
        "source": lambda number: words.SOURCES.get(number, "found"),
        "severity": lambda number: words.SEVERITIES.get(number, "unknown"),
        "state": lambda state: words.STATES.get(state, state),
        "picture": lambda state: words.PICTURES.get(state, state),
    }
    env.globals |= {"marked": marked}
    return env


def order(alert: AlertRow) -> str:
    """Where the row stands: rows in the order of these texts are worst first.

    The same order as `collector.alerts.worst_first`.
    """
    return ".".join(
        (
            str(int(alert.drill)),
            str(int(alert.state is not AlertState.OPEN)),
            str(alert.priority),
            str(int(alert.late)),
            f"{_LATEST - alert.last_at:017d}",
            alert.alert.hex(),
        )
    )
