"""Property: what computes a secret without a mark does not load, wherever it stands; what only passes it on does."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import attacks.registry
from escrow import registry
from escrow.marking.unmarked import Marking
from escrow.registry import PluginError, load_file
from escrow.testing import templates
from escrow.vocabulary import _reachable, vocabulary

OPEN = "MessageKey(field.chain, field.n, hpke.open_(key, field.sealed, field.labels()))"
HEAD = """
from functools import cached_property, lru_cache, partial
import msgspec
from escrow.codec import Fact
from escrow.crypto import derived_private, random_bytes, sha256
from escrow.derivation import honest_only


class Numbered(Fact, frozen=True):
    day: int
    raw: bytes


class DayKey(Fact, frozen=True, dict=True):
    raw: bytes
    day: int = 0

"""
TEMPLATE = templates.scheme("marked")
AT = "# The parties."  # where the additions stand
METHOD = "\n    def held(self, subject: MarkedField) -> MarkedKey:"

TOP = {  # functions and classes at the top of the module
    "an underscore function": "def _of(key: MarkedKey, day: int) -> DayKey:\n    return DayKey(sha256(key.raw))\n\n"
    "def use(key: MarkedKey) -> int:\n    return len(_of(key, 1).raw)\n",
    "an underscore function, bare": "def _of(key):\n    raw = sha256(key.raw)\n    return DayKey(raw)\n",
    "a public function, bare": "def day_key(key, day):\n    return DayKey(raw=sha256(key.raw, bytes(day)))\n",
    "a secret from a name": "def day_key(user: str) -> DayKey:\n    return DayKey(sha256(user.encode()))\n",
    "a secret from a number": "def _pin(pin: int) -> DayKey:\n    return DayKey(sha256(b'%04d' % pin), pin)\n",
    "a key pair from a name": "def made(user: str) -> Private:\n    return derived_private(user.encode(), b'made')\n",
    "a key pair from names": "def _made(users):\n    for user in users:\n        yield derived_private(user, b'')\n",
    "a nested function": "def outer(key: MarkedKey):\n    def inner(day):\n        return DayKey(sha256(key.raw))\n"
    "    return inner(3).day\n",
    "a nested function returned": "def outer(day):\n    def inner(key):\n        return DayKey(key.raw[:16], day)\n"
    "    return inner\n",
    "a lambda at the top": "day_key = lambda key: DayKey(sha256(key.raw))\n",
    "a lambda in a table": "KEYS = {'day': lambda key: DayKey(bytes(a ^ 1 for a in key.raw))}\n",
    "a partial function": "def _of(key, a):\n    return DayKey(sha256(key.raw, a))\n\nday_key = partial(_of, a=b'x')\n",
    "a partial function of a partial one": "def _of(salt, key):\n    return DayKey(sha256(key.raw, salt))\n\n"
    "one = partial(_of)\ntwo = partial(one, b'x')\n",
    "a generator": "def _days(key):\n    for day in range(9):\n        yield DayKey(sha256(key.raw), day)\n",
    "a generator expression": "def _days(key):\n    return (DayKey(sha256(key.raw), day) for day in range(9))\n",
    "a cached function": "@lru_cache\ndef _of(key):\n    return DayKey(sha256(key.raw))\n",
    "through a local variable": "def _of(key):\n    raw = sha256(key.raw)\n    made = raw\n    return DayKey(made)\n",
    "through a list": "def _of(key):\n    parts = []\n    parts.append(sha256(key.raw))\n    return DayKey(parts[0])\n",
    "through a dictionary": "def _of(key):\n    of = {}\n    of['x'] = sha256(key.raw)\n    return DayKey(of['x'])\n",
    "through another function": "def _raw(k):\n    return sha256(k.raw)\n\ndef _of(k):\n    return DayKey(_raw(k))\n",
    "a copy with other bytes": "def _of(key: DayKey):\n    return msgspec.structs.replace(key, raw=sha256(key.raw))\n",
    "an inner import": "def _of(key):\n    from escrow.crypto import hkdf as h\n    return DayKey(h(key.raw))\n",
    "a walrus": "def _of(key):\n    return DayKey(raw) if (raw := sha256(key.raw)) else None\n",
    "a class by another name": "Made = DayKey\n\ndef _of(key):\n    local = Made\n    return local(sha256(key.raw))\n",
    "a class that is mapped": "def _of(keys):\n    return list(map(DayKey, [sha256(key.raw) for key in keys]))\n",
    "a partial class": "made = partial(DayKey, day=3)\n\ndef _of(key):\n    return made(sha256(key.raw))\n",
    "a function by name": "def _of(key):\n    return DayKey(getattr(crypto, 'sha256')(key.raw))\n",
    "a lambda as a default": "def _of(key, by=lambda k: DayKey(sha256(k.raw))):\n    return by(key)\n",
    "a fact in a fact": "class Deal(Fact, frozen=True):\n    key: DayKey\n\ndef _of(key):\n"
    "    return Deal(DayKey(sha256(key.raw)))\n",
    "a partial class with its first field": "made = partial(Numbered, 3)\n\ndef _of(key):\n"
    "    return made(sha256(key.raw))\n",
    "a partial class in a function": "def _of(key):\n    made = partial(Numbered, 3)\n"
    "    return made(sha256(key.raw))\n",
    "the class of a fact": "def _of(key: DayKey):\n    return type(key)(sha256(key.raw))\n",
    "the class of a fact, by its attribute": "def _of(key: DayKey | None):\n    now = key\n"
    "    return now.__class__(sha256(now.raw))\n",
    "the class of a fact in a list": "def _of(keys: list[DayKey]):\n    for key in keys:\n"
    "        yield type(key)(sha256(key.raw))\n",
    "a class out of a table": "KINDS = {'day': DayKey}\n\ndef _of(key):\n    return KINDS['day'](sha256(key.raw))\n",
    "a class as a parameter": "def _of(key, kind: type[DayKey]):\n    return kind(sha256(key.raw))\n",
    "a class and a hash as defaults": "def _of(key, kind=DayKey, by=sha256):\n    return kind(by(key.raw))\n",
    "a function as a parameter": "def _of(key, by):\n    return DayKey(by(key.raw))\n",
    "a named lambda": "def _of(key):\n    by = lambda raw: raw[::-1]\n    return DayKey(by(key.raw))\n",
    "a fact that is changed": "def _of(key: DayKey):\n    object.__setattr__(key, 'raw', sha256(key.raw))\n",
    "a share with a secret in it": "from escrow import group\nfrom escrow.sharing.elgamal import KeyShare\n\n\n"
    "class Dealing(Principal):\n    n: int\n    kept: bytes\n\n    def deal(self):\n"
    "        for i, a in zip(range(self.n), [group.random_scalar() for _ in range(self.n)]):\n"
    "            yield KeyShare(b'', i, group.scalar_bytes(a + group.scalar(self.kept)))\n",
    "a sum": "def _of(key, other):\n    return DayKey(key.raw + other.raw)\n",
}
INSIDE = {  # methods of the custodian
    "a method": "def key_of(self, day: int) -> DayKey:\n    return DayKey(sha256(self.key.raw), day)",
    "a method without annotations": "def key_of(self, day):\n    return DayKey(sha256(self.key.raw), day)",
    "a static method": "@staticmethod\ndef key_of(key):\n    return DayKey(sha256(key.raw))",
    "a static method over a field": "@staticmethod\ndef opened(key, field):\n    return " + OPEN,
    "a class method": "@classmethod\ndef key_of(cls, key):\n    return DayKey(sha256(key.raw))",
    "a class method of plain values": "@classmethod\ndef key_of(cls, user):\n    return DayKey(sha256(user.encode()))",
    "a property": "@property\ndef today(self) -> DayKey:\n    return DayKey(sha256(self.key.raw))",
    "a property of another secret": "@property\ndef again(self):\n    return Private(b'', sha256(self.key.raw))",
    "a cached property": "@cached_property\ndef today(self) -> DayKey:\n    return DayKey(sha256(self.key.raw))",
    "a cached property used by a method": "@cached_property\ndef raw_today(self):\n    return sha256(self.key.raw)\n\n"
    "def key_of(self):\n    return DayKey(self.raw_today)",
    "a handler": "def on_open(self, sender: str, packet: Request, wire: Wire) -> Answer:\n"
    "    self.kept = DayKey(sha256(self.key.raw))\n    return None",
    "an underscore method": "def _key_of(self, day):\n    return DayKey(sha256(self.key.raw), day)",
    "a method that opens a field": "def opened(self, field):\n    key = self.key\n    return " + OPEN,
    "a generator method": "def keys(self):\n    for day in range(3):\n        yield DayKey(sha256(self.key.raw), day)",
}
OF_A_FACT = {  # methods of a fact
    "a fact's method": "def next(self) -> 'DayKey':\n    return DayKey(sha256(self.raw))",
    "a fact's method by its type": "def next(self):\n    return type(self)(sha256(self.raw))",
    "a fact's class method": "@classmethod\ndef of(cls, user: str):\n    return cls(sha256(user.encode()))",
    "a fact's property": "@property\ndef next(self):\n    return DayKey(sha256(self.raw))",
    "a fact's cached property": "@cached_property\ndef next(self):\n    return DayKey(sha256(self.raw))",
}
SOUND = {  # what computes no secret, or computes it in a marked function
    "fresh": "def fresh() -> DayKey:\n    return DayKey(random_bytes(32))\n",
    "fresh, through a variable and a hash": "def fresh(day: int) -> DayKey:\n    raw = random_bytes(32)\n"
    "    return DayKey(sha256(raw, bytes(day)), day)\n",
    "fresh, by the class of another": "def _fresh(key: DayKey) -> DayKey:\n    return type(key)(random_bytes(32))\n",
    "a list of another's type": "def _kept(raws: list[bytes], key: DayKey):\n"
    "    return DayKey(next(iter(type(raws)(each for each in raws))))\n",
    "a copy by its class": "def _kept(key: DayKey):\n    return key.__class__(key.raw, key.day + 1)\n",
    "a class that is no fact": "class Tag:\n    def __init__(self, raw):\n        self.tag = raw\n\n"
    "def _tag(key: DayKey, kind: type[Tag] = Tag):\n    return kind(sha256(key.raw))\n",
    "a partial class of a copy": "made = partial(Numbered, 3)\n\ndef _kept(key):\n    return made(key.raw)\n",
    "a named lambda that copies": "def _kept(key):\n    of = lambda each: each.raw\n    return DayKey(of(key))\n",
    "fresh shares": "def dealt(n: int) -> tuple[DayKey, ...]:\n    a, b = random_bytes(32), random_bytes(32)\n"
    "    return DayKey(a), DayKey(bytes(x ^ y for x, y in zip(a, b)))\n",
    "dealt shares": "from escrow.sharing import elgamal\n\ndef dealt(t: int, n: int) -> list[DayKey]:\n"
    "    return [DayKey(each.raw) for each in elgamal.deal(t, n)[1]]\n",
    "shares of a polynomial of one's own": "from collections.abc import Sequence\nfrom escrow import group\n"
    "from escrow.schemes.split_key import SplitAgent\nfrom escrow.sharing.elgamal import KeyShare\n\n\n"
    "class Dealing(Principal):\n    t: int\n    n: int\n\n    def deal(self, agents: Sequence[SplitAgent]):\n"
    "        line = [group.random_scalar() for _ in range(self.t)]\n"
    "        values = [sum(c * i**k for k, c in enumerate(line)) % group.Q for i in range(1, self.n + 1)]\n"
    "        for agent, value in zip(agents, values, strict=True):\n"
    "            yield KeyShare(b'', agent.index, group.scalar_bytes(value))\n",
    "keys for users": "def _keys(users):\n    made = {}\n    for user in users:\n"
    "        made[user] = DayKey(random_bytes(32))\n    return made\n",
    "a copy": "def _kept(key):\n    return DayKey(key.raw, 3)\n",
    "a copy out of a list": "def _kept(keys):\n    return next(DayKey(key.raw) for key in keys if key.day)\n",
    "a copy on another day": "def _kept(key: DayKey):\n    return msgspec.structs.replace(key, day=key.day + 1)\n",
    "read from bytes": "def _read(data):\n    return DayKey(codec.decode(data, DayKey).raw)\n",
    "blank": "BLANK = DayKey(b'')\n\ndef blank():\n    return DayKey(b'')\n",
    "a helper of a rule": "def _of(key):\n    return DayKey(sha256(key.raw))\n\n@derivation()\n"
    "def day_key(key: MarkedKey) -> DayKey:\n    return _of(key)\n",
    "a nested helper of a rule": "@derivation()\ndef day_key(key: MarkedKey) -> DayKey:\n    def of():\n"
    "        return DayKey(sha256(key.raw))\n    return of()\n",
    "a helper of helpers of a rule": "def _raw(key):\n    return DayKey(sha256(key.raw))\n\ndef _of(key):\n"
    "    return _raw(key)\n\n@derivation()\ndef day_key(key: MarkedKey) -> DayKey:\n    return _of(key)\n",
    "a rule, called elsewhere": "@derivation()\ndef day_key(key: MarkedKey) -> DayKey:\n"
    "    return DayKey(sha256(key.raw))\n\n"
    "def _kept(key):\n    made = day_key(key)\n    return DayKey(made.raw, 2)\n",
    "honest only": "@honest_only('a test')\ndef day_key(key: MarkedKey) -> DayKey:\n"
    "    return DayKey(sha256(key.raw))\n",
    "public bytes": "class Name(Fact, frozen=True):\n    name: Public\n\ndef named(user: str) -> Name:\n"
    "    return Name(sha256(user.encode()))\n",
    "a field of bytes that are sealed": "class Sealed(Fact, frozen=True):\n    sealed: bytes\n\n"
    "def _sealed(to, key):\n    return Sealed(hpke.seal(to, key.raw, b''))\n",
    "bytes beside no fact": "def _tag(key):\n    return sha256(key.raw)\n",
    "a fact's method of a rule": "class Root(Fact, frozen=True):\n    raw: bytes\n\n    def first(self):\n"
    "        return DayKey(sha256(self.raw))\n\n@derivation()\n"
    "def first(root: Root) -> DayKey:\n    return root.first()\n",
}


def indented(text: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in text.split("\n"))


def planted() -> Iterator[tuple[str, str]]:
    head, rest = TEMPLATE.split(AT)
    for name, text in TOP.items():
        yield name, f"{head}{HEAD}\n{text}\n\n{AT}{rest}"
    for name, text in INSIDE.items():
        body = f"{head}{HEAD}\n{AT}{rest}"
        assert METHOD in body
        yield name, body.replace(METHOD, f"\n{indented(text)}{METHOD}")
    for name, text in OF_A_FACT.items():
        yield name, f"{head}{HEAD}{indented(text)}\n\n{AT}{rest}"


PLANTED = dict(planted())


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Callable[[str], object]]:
    def load(text: str) -> object:
        path = tmp_path / "marked.py"
        path.write_text(text)
        return registry.schemes([path])["marked"]

    yield load
    sys.modules.pop("plugin_marked", None)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda name, text: (tmp_path / f"{name}.py").write_text(text)
    for name in set(sys.modules) - before:
        if not name.startswith(("escrow", "attacks")):
            del sys.modules[name]


@pytest.mark.parametrize("kind", PLANTED)
def test_a_secret_that_is_computed_without_a_mark_does_not_load(loaded, kind):
    text = PLANTED[kind]
    with pytest.raises(
        PluginError, match=r"marked\.py:\d+: .* makes a .* that it computes, and no rule says so"
    ) as raised:
        loaded(text)
    line = int(str(raised.value).split("marked.py:")[2].split(":")[0])
    first = text[: text.index(HEAD)].count("\n") + HEAD.count("\n")
    assert first < line <= len(text.splitlines())


@pytest.mark.parametrize("kind", SOUND)
def test_what_passes_secrets_on_draws_them_or_is_marked_loads(loaded, kind):
    head, rest = TEMPLATE.split(AT)
    assert loaded(f"{head}{HEAD}\n{SOUND[kind]}\n\n{AT}{rest}")


def test_the_error_names_place_check_and_remedy(loaded):
    with pytest.raises(PluginError) as raised:
        loaded(PLANTED["a method"])
    said = str(raised.value)
    assert "MarkedCustodian.key_of makes a DayKey of bytes that it computes" in said
    assert "public function at the top of the module marked @derivation" in said and "@honest_only" in said


def test_schemes_and_specimens_of_ours_compute_no_secret_without_a_mark():
    every = [*registry.schemes().values(), *attacks.registry.specimens().values()]
    modules = set().union(*(_reachable(sys.modules[type(each).__module__]) for each in every))
    ours = sorted((each for each in modules if "lab" not in each.__name__.split(".")), key=lambda each: each.__name__)
    assert len(ours) > 80
    assert [said for _, said in Marking(ours).unmarked()] == []


def test_the_page_for_authors_marks_what_it_says(tmp_path):
    """Every example of docs/marking.md stands in one module, which loads with the rules that the page describes."""
    page = (Path(__file__).parents[2] / "docs" / "marking.md").read_text(encoding="utf-8")
    path = tmp_path / "page.py"
    path.write_text("\n".join(re.findall(r"```python\n(.*?)```", page, re.S)) + "\nSCHEMES = ()\n")
    try:
        module = load_file(path)
        rules = {rule.name.rpartition(".")[2]: rule for rule in vocabulary(module).rules if "page" in rule.name}
        assert rules.keys() == {"opened", "day_key", "key_of_day", "built_in", "with_pin"}
        assert rules["with_pin"].guesses == {1: 13.3} and rules["built_in"].takes == ()
        assert rules["key_of_day"].places == {"root": (0, ""), "day": (1, "day")}
        assert module.key_of_day(module.Root(b"", b""), 3) == rules["day_key"].apply(
            module.Root(b"", b""), module.Sealed(b"", 3, b"")
        )
    finally:
        sys.modules.pop("plugin_page", None)


@pytest.mark.parametrize("kind", ["a static method", "a property"])
def test_neither_an_attack_beside_it_nor_one_that_it_imports_excuses_a_scheme(loaded, packages, kind):
    with_attack = PLANTED[kind].replace("\nSCHEME = ", "\nATTACK = None\nSCHEME = ")
    with pytest.raises(PluginError, match="and no rule says so"):
        loaded(with_attack)
    sys.modules.pop("plugin_marked", None)
    helper = "from escrow.crypto import Private, sha256\n\ndef again(key):\n    return Private(b'', sha256(key.raw))\n"
    packages("marking_attack", f"{helper}\nATTACK = None\n")
    sys.path_importer_cache.clear()
    with pytest.raises(PluginError, match=r"marking_attack\.py:4: again makes a Private"):
        loaded(
            TEMPLATE.replace("from escrow import codec", "from marking_attack import again\nfrom escrow import codec")
        )


# --- what a module draws on ---

RULE = """
from escrow.codec import Fact
from escrow.derivation import derivation


class {0}(Fact, frozen=True):
    n: int


@derivation()
def next_{0}(one: {0}) -> {0}:
    return {0}(one.n + 1)
"""


@pytest.mark.parametrize(
    "line",
    [
        "def later():\n    from marking_helper import Inner\n    return Inner",
        "def later():\n    import marking_helper\n",
    ],
)
def test_an_import_within_a_function_brings_rules(loaded, packages, line):
    packages("marking_helper", RULE.format("Inner"))
    sys.path_importer_cache.clear()
    scheme = loaded(f"{TEMPLATE}\n\n{line}\n")
    names = {rule.name for rule in vocabulary(sys.modules[type(scheme).__module__]).rules}
    assert "marking_helper.next_Inner" in names


def test_rules_are_found_behind_modules_that_draw_on_nothing_of_ours_themselves(loaded, packages):
    packages("marking_deepest", RULE.format("Deepest"))
    packages("marking_middle", "import marking_deepest\n")
    packages("marking_outer", "import marking_middle\n")
    sys.path_importer_cache.clear()
    scheme = loaded(TEMPLATE.replace("from escrow import codec", "import marking_outer\nfrom escrow import codec"))
    names = {rule.name for rule in vocabulary(sys.modules[type(scheme).__module__]).rules}
    assert "marking_deepest.next_Deepest" in names
