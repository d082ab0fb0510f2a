"""JSON Schemas of the result files, generated from their types: `python -m attacks.report.schemas docs/schemas`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from attacks.lab.comparison.files import Comparison
from attacks.lab.costs.measure import Overhead
from attacks.lab.results.bounds import Result
from attacks.lab.results.silences import Silences
from attacks.lab.results.types import Anatomy, Matrix
from attacks.lab.runs.seeds import Sensitivity

PUBLISHED: tuple[type[Result], ...] = (Matrix, Anatomy, Overhead, Comparison, Sensitivity, Silences)
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Iterator[tuple[str, str]]:
    """Yield (file name, text) of every schema; the name is the format and its version: matrix-1.json."""
    for kind in PUBLISHED:
        name = next(field.default for field in msgspec.structs.fields(kind) if field.name == "schema")
        schema: dict[str, Any] = {"$schema": DIALECT, "title": name, **msgspec.json.schema(kind)}
        yield f"{name.split('/', 1)[1].replace('/', '-')}.json", json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Write all schemas; existing files are overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
