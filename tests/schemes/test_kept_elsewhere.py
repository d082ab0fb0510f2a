"""Property: a secret that a scheme keeps in its module, in defaults or in attributes of functions is named."""

import pytest

from escrow.testing import properties
from tests.support.planted import SEALED, planted

[KEPT] = (each for each in properties.PROPERTIES if each.name == "nothing is kept elsewhere")
CLASS = "class PlantedDevice(device.Device):\n"
GLOBAL = (CLASS, f"SEEN: list[bytes] = []\n\n\n{CLASS}")
AT = "context: FieldContext) -> PlantedField:"
DEFAULT = (AT, "context: FieldContext, seen: list = []) -> PlantedField:")


def after(line):
    return (SEALED, f"{SEALED}        {line}\n")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ([GLOBAL, after("SEEN.append(key.value)")], "`SEEN` keeps 32 bytes"),
        ([GLOBAL, after("SEEN.append(key)")], "`SEEN` keeps 32 bytes"),
        ([GLOBAL, after("SEEN.append(key.value.hex())")], "`SEEN` keeps 64 bytes"),
        ([DEFAULT, after("seen.append(key.value)")], "`PlantedDevice.access_field` keeps 32 bytes"),
        ([after("type(self).access_field.seen = key.value")], "`PlantedDevice.access_field` keeps 32 bytes"),
    ],
)
def test_a_key_that_is_kept_outside_every_state_is_named(tmp_path, changes, where):
    assert where in KEPT.broken(planted(tmp_path, *changes))


@pytest.mark.parametrize("line", ["SEEN.append(sealed)", "SEEN.append(key.chain)", "len(SEEN)"])
def test_what_was_told_to_everybody_may_stay(tmp_path, line):
    assert KEPT.broken(planted(tmp_path, GLOBAL, after(line))) == ""
