"""Whether there is a browser to test the report in: set ESCROW_LAB_BROWSER=required where there must be one."""

import os

import pytest
from chromium import NAMES, found


def test_there_is_a_browser() -> None:
    if found() is None and os.environ.get("ESCROW_LAB_BROWSER") != "required":
        pytest.skip(f"the HTML report is not tested: no {' or '.join(NAMES)} (apt-get install chromium)")
    assert found()
