"""Cryptography that nobody records is found in the text of a scheme's modules, wherever it stands; nothing else is."""

import sys
from pathlib import Path

import pytest

from attacks.lab.crosscheck.round_the_door import round_the_door
from attacks.registry import specimens
from escrow import registry
from tests.support.planted import DEVICE, beside, planted

IMPORTED = "from escrow import codec, crypto, hpke\n"


def text(added):
    """Change the template by more text after its imports."""
    return ((IMPORTED, f"{IMPORTED}{added}\n"),)


HASHED = """def _hashed(key):
    from hashlib import sha256

    return sha256(key.value).digest()


class PlantedDevice"""
DRAWING = """
    def _drawn(self):
        import secrets as s

        return s.token_bytes(16)
"""
FOR_TYPES = """from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import Hash
"""
HELPER = """import numpy


def mix(data):
    import hashlib

    return hashlib.sha256(data).digest()
"""

ROUND = {
    "import": text("import hashlib"),
    "import under another name": text("import hmac as authenticated"),
    "from": text("from cryptography.hazmat.primitives.ciphers.aead import AESGCM"),
    "in a function": beside("_hashed(key)", ("class PlantedDevice", HASHED)),
    "in a method": ((DEVICE, f"{DEVICE}{DRAWING}"),),
    "by __import__": beside("__import__('ran' + 'dom').randbytes(16)"),
    "by importlib": beside(
        "load(NEEDED).SHA256.new(key.value).digest()",
        *text("from importlib import import_module as load\nNEEDED = 'Crypto.Hash.SHA256'"),
    ),
    "out of sys.modules": beside("sys.modules['hashlib'].md5(b'').digest()", *text("import sys")),
    "in executed text": text("exec('import hashlib')"),
    "what the library imported": beside("crypto.hashlib.sha256(key.value).digest()"),
    "from the library": text("from escrow.crypto import AESGCM"),
    "by getattr": beside("getattr(crypto, 'hash' + 'lib').sha256(key.value).digest()"),
    "a private name of the door": beside("crypto._private(key.value).public"),
    "a private method of a key": beside("new_private()._exchanged(self.custodian)"),
    "the library's own key": beside("new_private().live.exchange(key.value)"),
    "arithmetic": beside("group.arithmetic.base(7)", *text("from escrow import group")),
    "the system's randomness": beside("os.urandom(16)", *text("import os")),
}
SOUND = {
    "the template": (),
    "for annotations only": text(FOR_TYPES),
    "words in texts": text("'import hashlib'\nWORDS = ['random', 'hashlib']\nWORDS.index('random')"),
    "a comparison": text("from hmac import compare_digest"),
    "names that follow from themselves": text("COUNT = 1\nCOUNT = COUNT + 1\nprint(COUNT, getattr(COUNT, 'real'))"),
    "own private names": text(
        "class Live:\n    live = 0\n\n    def _private(self):\n        return self.live, codec.__name__"
    ),
    "functions of the same names": text("def import_module(name: str) -> str:\n    return name\n"),
    "the door": beside("crypto.sha256(key.chain) + crypto.digest(key.chain) + crypto.hmac256(b'', key.chain)"),
}


@pytest.mark.parametrize("kind", ROUND)
def test_what_goes_round_the_door_is_found_with_its_line(kind, tmp_path):
    scheme = planted(tmp_path, *ROUND[kind])
    found = list(round_the_door(scheme))
    lines = Path(sys.modules[type(scheme).__module__].__file__).read_text().splitlines()
    assert found
    for each in found:
        file, line = each.split(":")[0].split(", line ")
        assert file == f"{type(scheme).__module__.removeprefix('plugin_')}.py"
        assert any(word in lines[int(line) - 1] for word in ("import", "hashlib", "urandom", "load", "beside = "))


@pytest.mark.parametrize("kind", SOUND)
def test_what_is_sound_is_not_blamed(kind, tmp_path):
    assert list(round_the_door(planted(tmp_path, *SOUND[kind]))) == []


def test_a_helper_module_beside_the_scheme_counts_and_an_installed_package_does_not(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "helper_of_planted.py").write_text(HELPER)
    scheme = planted(tmp_path, *text("from helper_of_planted import mix"))
    assert [each.split(":")[0] for each in round_the_door(scheme)] == ["helper_of_planted.py, line 5"]


@pytest.mark.parametrize("name", [*registry.schemes(), *specimens()])
def test_ours_do_not(name):
    assert list(round_the_door((registry.schemes() | specimens())[name])) == []
