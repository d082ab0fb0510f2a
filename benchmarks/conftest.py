"""Large conversations run only where they are asked for: `python -m pytest benchmarks -m large`."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "large: takes a minute or more, and up to a gigabyte")
    if not config.option.markexpr:
        config.option.markexpr = "not large"
