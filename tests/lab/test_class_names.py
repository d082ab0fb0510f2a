"""Properties: what a class or a rule is called makes no difference to what is read, and nobody takes another's name."""

import sys
from pathlib import Path

import pytest

import attacks.registry
import escrow.schemes.envelope
from attacks import Attack
from attacks.lab.adversary.view import Reader
from attacks.lab.simulation.play import play
from attacks.lab.simulation.quantum import QUANTUM, QuantumComputer, with_keys
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.analysis import Analysis, rules_of
from escrow import codec, registry
from escrow.codec import Fact, Packet, walk
from escrow.crypto import Private
from escrow.derivation import RuleError, derivation
from escrow.principal import revive
from escrow.registry import PluginError, load_file
from escrow.schemes.clipper.chip import Seed
from escrow.testing import templates
from escrow.wire import Heard

CLASH = '''

class {0}(Fact, frozen=True):
    """Another thing of this name."""

    raw: bytes


SCHEME = '''


@pytest.fixture(autouse=True)
def forgotten():
    """Plug-ins of one test are unknown to the next."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]


def written(folder: Path, text: str, name: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["Seed", "Slot", "MessageKey2", "Order", "RogueLeaf"])
def test_a_fact_may_be_called_like_one_of_ours(tmp_path: Path, name: str) -> None:
    """The first play of a scheme with a `Seed` ended with an error, since another scheme has one."""
    text = templates.scheme("mine").replace("\nSCHEME = ", CLASH.format(name))
    scheme = load_file(
        written(tmp_path, text.replace("codec import Public", "codec import Fact, Public"), "mine")
    ).SCHEME
    every = list(attacks.registry.attacks().values())
    opened = [
        Analysis(each, play(each, small()), every).opened_by(()) for each in (scheme, escrow.schemes.envelope.SCHEME)
    ]
    assert opened == [frozenset(), frozenset()]


def test_bytes_are_read_as_every_type_of_their_name_that_they_fit() -> None:
    own = type("Seed", (Fact,), {"__annotations__": {"raw": bytes}, "__module__": "theirs"}, frozen=True)
    other = type("Seed", (Fact,), {"__annotations__": {"session": int, "agent": int, "raw": bytes}}, frozen=True)
    kinds = frozenset({own, other, Seed})
    assert codec.decode_each(codec.encode(own(b"1")), kinds) == (own(b"1"),)
    both = codec.decode_each(codec.encode(Seed(1, 2, b"3")), kinds)
    assert set(both) == {Seed(1, 2, b"3"), other(1, 2, b"3")}
    assert codec.decode_any(codec.encode(own(b"1")), kinds) == own(b"1")
    assert codec.decode_each(b"\x00", kinds) == ()


def test_a_packet_gives_the_facts_of_all_its_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corrupted party's packet may be called like one of the scheme, and even look like it."""
    kinds = [
        type("Deal", (Packet,), {"__annotations__": {"seed": fact}, "__module__": fact.__module__}, frozen=True)
        for fact in (Seed, type("Seed", (Fact,), {"__annotations__": Seed.__annotations__}, frozen=True))
    ]
    reader = Reader(escrow.schemes.envelope.SCHEME)
    reader._packets = frozenset(kinds)
    data = codec.encode(kinds[0](Seed(1, 2, b"3")))
    assert len({type(fact) for fact in reader.network((Heard(0, "a", "b", data),))}) == 2


def test_a_scheme_in_a_plug_in_sends_the_bytes_of_the_same_scheme_in_the_folder(tmp_path: Path) -> None:
    text = Path(escrow.schemes.envelope.__file__).read_text()
    mine = load_file(written(tmp_path, text, "envelope_again")).SCHEME
    ours = escrow.schemes.envelope.SCHEME
    assert type(mine) is not type(ours)
    assert play(mine, small()).heard == play(ours, small()).heard


# --- names of rules, and of what is the lab's ---

ATTACK = """
from attacks import Attack
from escrow import Source
from escrow.codec import Fact
from escrow.derivation import derivation
from escrow.schemes.envelope import AgentKey, Envelope
from escrow.errors import Forged
from escrow.e2ee.ratchet import MessageKey

@derivation("field.agent = key.public")
def open_field(field: Envelope, key: AgentKey) -> MessageKey:
    raise Forged("never")

{0}

class Blow(Attack):
    name = "blow"
    title = "A blow"
    source = Source("Nobody", "Nothing", 2026, "all")
    specimen = "key_in_clear"
    {1}

ATTACK = Blow()
"""
NAMED = 'open_field.__module__ = "escrow.schemes.envelope"'
OWN = "from attacks.lab.simulation.attack import Apparatus\nclass QuantumApparatus(Apparatus):\n    pass\n"
DERIVED = "derivations = (open_field,)"


@pytest.mark.parametrize(
    ("more", "attribute", "why"),
    [
        (NAMED, DERIVED, "takes the name escrow.schemes.envelope.open_field, which is another's"),
        (NAMED + '\nopen_field.__qualname__ = "unknown"', DERIVED, "takes the name escrow.schemes.envelope.unknown"),
        (
            f"{OWN}\nQuantumApparatus.__module__ = 'attacks.lab.simulation.quantum'",
            "apparatus = QuantumApparatus",
            "its apparatus is not the lab's",
        ),
    ],
)
def test_an_attack_that_takes_a_name_of_ours_does_not_load(tmp_path: Path, more: str, attribute: str, why: str) -> None:
    with pytest.raises(PluginError, match=why):
        attacks.registry.attacks([written(tmp_path, ATTACK.format(more, attribute), "blow")])


def test_an_attack_that_names_its_rule_like_ours_but_as_its_own_loads_and_replaces_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, ATTACK.format("", DERIVED), "blow")
    blow = attacks.registry.attacks([path])["blow"]
    rules = rules_of(escrow.schemes.envelope.SCHEME, [*attacks.registry.attacks().values(), blow])
    assert {"escrow.schemes.envelope.open_field", "plugin_blow.open_field"} <= {rule.name for rule in rules}


def test_rules_of_one_name_are_refused_even_if_an_attack_was_never_loaded() -> None:
    @derivation()
    def open_field(field: escrow.schemes.envelope.Envelope) -> escrow.schemes.envelope.Envelope:
        return field

    open_field.__module__, open_field.__qualname__ = "escrow.schemes.envelope", "open_field"
    rogue = type("Rogue", (Attack,), {"derivations": (open_field,)})()
    with pytest.raises(RuleError, match=r"takes the name escrow.schemes.envelope.open_field"):
        rules_of(escrow.schemes.envelope.SCHEME, [rogue])
    assert registry.schemes()


def test_what_a_quantum_computer_broke_may_have_one_name_twice() -> None:
    """A scheme's own key may be called like one of ours; the apparatus keeps both, and comes back from its state."""
    own = type("Private", (Private,), {"__annotations__": {}, "__module__": "theirs"}, frozen=True, dict=True)
    computer = with_keys(QuantumComputer, QUANTUM, [Private(b"a", b"1"), own(b"b", b"2"), Private(b"c", b"3")])
    back = revive(computer.state(), type(computer))
    assert {type(fact) for fact in walk(back, Fact)} == {Private, own} and len(list(walk(back, Fact))) == 3
