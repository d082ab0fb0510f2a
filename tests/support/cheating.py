"""Attacks that are written for a test, in files of their own as a third party's are: each with one rule of its own."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attacks.lab.simulation.attack import Attack
from escrow.registry import load_file

FILE = '''
import gc
import os
import signal
import sys
import time

from attacks.lab.simulation.attack import Attack
from escrow.crypto import Run
from escrow.derivation import derivation
from escrow.e2ee.content import Text
from escrow.e2ee.ratchet import Slot
from escrow.scheme import Source


def look():
    """What the rule reads beside its argument, as bytes of texts."""
{look}


@derivation()
def peek(slot: Slot) -> tuple[Text, ...]:
    return tuple(Text("stolen", body) for body in look())


class Cheat(Attack):
    """It corrupts nobody, so whatever it opens it read elsewhere than in what the network hears."""

    name = "cheat"
    title = "A rule that looks around"
    source = Source("nobody", "nothing", 2000, "0")
    specimen = "key_in_clear"
    derivations = (peek,)


ATTACK = Cheat()
'''


@contextmanager
def attack_whose_rule(folder: Path, look: str) -> Iterator[Attack]:
    """An attack from a plug-in file; the body of `look` gives the texts that its rule claims to have derived."""
    path = folder / "cheat.py"
    path.write_text(FILE.replace("{look}", textwrap.indent(textwrap.dedent(look).strip(), "    ")))
    module = load_file(path)
    try:
        yield module.ATTACK
    finally:
        del sys.modules[module.__name__]
