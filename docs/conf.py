"""How Sphinx builds these pages: `python -m sphinx -W -b html docs docs/_build`, with the extra `docs` installed."""

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from escrow import __version__

DOCS = Path(__file__).parent

project = "escrow-lab"
author = "The escrow-lab maintainers"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "escrow-lab"
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
LINK = re.compile(r"\[(?P<text>[^\[\]]+)\]\((?P<target>[^)#:]+)(?:#[^)]*)?\)")
NAMES = re.compile(r"<!-- names of ([\w.]+) -->\n")


def setup(app: Any) -> None:
    """Connect what this file changes of each page."""
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _as_written)


def _read(app: Any, page: str, source: list[str]) -> None:
    """Name files outside docs/ instead of linking to them, and put the public names of packages in their place."""
    here = (DOCS / page).parent

    def named(link: re.Match[str]) -> str:
        target = (here / link["target"]).resolve()
        if target.is_relative_to(DOCS) and target.suffix == ".md":
            return link[0]
        return f"`{link['text']}`" if "/" in link["text"] else link["text"]

    source[0] = NAMES.sub(lambda found: _directives(found[1]), LINK.sub(named, source[0]))


def _directives(package: str) -> str:
    """Return the autodoc directives of what a package exports."""
    found = importlib.import_module(package)
    lines = []
    for name in found.__all__:
        thing = getattr(found, name)
        if isinstance(thing, ModuleType):
            continue
        kind = "class" if inspect.isclass(thing) else "function" if callable(thing) else "data"
        options = ["   :members:"] if kind == "class" and not issubclass(thing, BaseException) else []
        lines += [f".. auto{kind}:: {package}.{name}", *options, ""]
    return "\n".join(["```{eval-rst}", *lines, "```", ""])


def _as_written(app: Any, kind: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Show a docstring as it is written: a sentence, and below it the aligned lines of a protocol or of arguments."""
    first, _, rest = "\n".join(lines).strip().partition("\n\n")
    shown = [re.sub(r"([*`_|\\])", r"\\\1", " ".join(first.split())), ""]
    if rest.strip():
        shown += [".. code-block:: text", "", *(f"   {line}" for line in rest.strip("\n").split("\n")), ""]
    lines[:] = shown
