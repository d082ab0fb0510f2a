"""Property: a secret that a scheme keeps in its module, in defaults or in attributes of functions is named."""

import pytest

from escrow.e2ee.device import Device
from escrow.registry import PluginError
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


BOX = "class Box:\n    made = None\n\n\nBOX = Box()\n"
OBJECTS = {
    "an object's attribute": (BOX, "BOX.kept = key.value", "BOX"),
    "a closure": (BOX, "BOX.made = lambda raw=None, held=key.value: held", "PlantedDevice.access_field"),
    "a data class": (
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Box:\n    kept: bytes = b''\n\n\nBOX = Box()\n",
        "BOX.kept += key.value[:16]",
        "BOX",
    ),
    "a context variable": (
        "from contextvars import ContextVar\n\nBOX: ContextVar = ContextVar('box')\n",
        "BOX.set(key.value)",
        "BOX",
    ),
    "a thread's own": ("import threading\n\nBOX = threading.local()\n", "BOX.kept = key.value", "BOX"),
    "a queue": ("from collections import deque\n\nBOX: deque = deque()\n", "BOX.append(key.value)", "BOX"),
    "a generator": (
        "def kept():\n    held = []\n    while True:\n        held.append((yield))\n\n\nBOX = kept()\nnext(BOX)\n",
        "BOX.send(key.value)",
        "BOX",
    ),
    "a cache": (
        "from functools import lru_cache\n\n\n@lru_cache\ndef _same(value: bytes) -> bytes:\n    return value\n",
        "_same(key.value)",
        "_same",
    ),
}


@pytest.mark.parametrize("how", OBJECTS)
def test_a_key_that_an_object_keeps_is_named(tmp_path, how):
    code, line, where = OBJECTS[how]
    found = KEPT.broken(planted(tmp_path, (CLASS, f"{code}\n\n{CLASS}"), after(line)))
    assert f"`{where}" in found and found.endswith("bytes outside every party's state")


@pytest.mark.parametrize("value", ["key.chain", "self.custodian", "blank.labels()", "crypto.sha256(self.custodian)"])
def test_a_cache_of_what_is_no_secret_may_stay(tmp_path, value):
    code, _, _ = OBJECTS["a cache"]
    assert KEPT.broken(planted(tmp_path, (CLASS, f"{code}\n\n{CLASS}"), after(f"_same({value})"))) == ""


def test_who_replaces_a_part_of_the_library_is_not_loaded(tmp_path):
    code = "def _send(self, wire, peer, text):\n    return None\n\n\ndevice.Device.send = _send\n"
    honest = Device.send
    try:
        with pytest.raises(PluginError, match=r"replaces escrow\.e2ee\.device\.Device\.send for every scheme"):
            planted(tmp_path, (CLASS, f"{code}\n\n{CLASS}"))
    finally:
        Device.send = honest


def test_who_replaces_a_part_of_the_library_in_a_play_is_named(tmp_path):
    honest = Device.send
    line = (
        "device.Device.send = lambda self, wire, peer, text, honest=device.Device.send: honest(self, wire, peer, text)"
    )
    try:
        assert "Device.send for every scheme" in KEPT.broken(planted(tmp_path, after(line)))
    finally:
        Device.send = honest


@pytest.mark.parametrize("line", ["SEEN.append(sealed)", "SEEN.append(key.chain)", "len(SEEN)"])
def test_what_was_told_to_everybody_may_stay(tmp_path, line):
    assert KEPT.broken(planted(tmp_path, GLOBAL, after(line))) == ""
