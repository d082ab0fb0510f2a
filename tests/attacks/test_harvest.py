"""Harvest now, decrypt later: what falls once discrete logarithms can be computed, what stays closed, and why."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from msgspec.structs import replace

from attacks.harvest_now_decrypt_later import ATTACK
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.view import Reader
from attacks.lab.evidence import writing
from attacks.lab.simulation.attack import Attack, Seize, Turn
from attacks.lab.simulation.play import play
from attacks.lab.simulation.quantum import QUANTUM, QuantumApparatus, broken
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.controls import control_of
from attacks.lab.verdict.evaluation import Evaluation
from attacks.registry import attacks
from escrow import codec, crypto, registry
from escrow.codec import Fact, Public, walk
from escrow.crypto import Private, Run, SigningKey, new_private
from escrow.e2ee.device import Device as PlainDevice
from escrow.e2ee.pqxdh import PqBundle, SignedKem
from escrow.e2ee.provider import Fetch
from escrow.e2ee.ratchet import Answers
from escrow.e2ee.x3dh import Bundle, Initial, PqInitial
from escrow.errors import Malformed
from escrow.primitives import group
from escrow.primitives.hpke import PrivateP256, new_private_p256
from escrow.primitives.kem import KemPrivate, new_kem_private
from escrow.principal import corrupted
from escrow.schemes import envelope, plain, plain_pq
from escrow.schemes.envelope import AgentKey, EnvelopeScheme
from escrow.schemes.plain_pq import PlainPq
from escrow.sharing import elgamal
from escrow.sharing.elgamal import Capsule, EscrowGroup, EscrowKey
from escrow.wire import Heard

EVERY = tuple(attacks().values())
SCHEMES = registry.schemes()
LAST = 3
SMALL = default(users=3, groups=2, days=LAST + 1, messages=24)  # one group of each kind


@cache
def harvested(name: str) -> Record:
    return play(SCHEMES[name], SMALL, ATTACK)


@cache
def analysed(name: str) -> Analysis:
    return Analysis(SCHEMES[name], harvested(name), EVERY)


def texts(record: Record) -> set[int]:
    return {sent.id for sent in record.sent}


def computer(record: Record):
    return record.party(QUANTUM, LAST)


def cell(scheme, attack: Attack = ATTACK):
    return Evaluation(scheme, EVERY, SMALL).cell(attack)[0]


# --- which schemes fall, and which texts stay closed ---


@pytest.mark.parametrize("name", SCHEMES)
def test_every_text_falls_but_those_of_sessions_that_began_with_a_kem(name):
    opened = analysed(name).opened_by([Seizure(QUANTUM)])
    assert opened == (set() if isinstance(SCHEMES[name], PlainPq) else texts(harvested(name)))


@pytest.mark.parametrize("name", ["plain", "plain-pq"])
def test_group_texts_under_sender_keys_share_the_fate_of_the_sessions_that_carried_the_keys(name):
    record = harvested(name)
    styles = {group.name: group.sender_keys for group in SMALL.groups}
    grouped = {sent.id for sent in record.sent if styles.get(sent.conversation)}
    opened = analysed(name).opened_by([Seizure(QUANTUM)])
    assert grouped
    assert grouped & opened == (grouped if name == "plain" else set())


def test_the_computer_alone_is_a_minimal_coalition_of_every_text_of_plain():
    analysis = analysed("plain")
    structure = analysis.structure()
    for text in texts(harvested("plain")):
        coalitions = [structure.coalition(mask) for mask in analysis.masks(text)]
        assert any([str(each) for each in coalition.members] == [f"{QUANTUM}@{LAST}"] for coalition in coalitions)


def test_with_a_stolen_phone_the_computer_follows_a_session_of_plain_pq_for_good_and_not_into_the_past():
    """The ratchet that follows PQXDH is classical, so that against this pair it does not heal."""
    talk = default(users=2, groups=0, days=8, messages=80)
    record = play(plain_pq.SCHEME, talk, ATTACK)
    analysis = Analysis(plain_pq.SCHEME, record, EVERY)
    phone, evening = Seizure("alice-phone", (2,)), 2
    alone, both = analysis.opened_by([phone]), analysis.opened_by([phone, Seizure(QUANTUM)])
    own = {sent.id: sent.day for sent in record.sent if "alice-phone" in {sent.device, *sent.intended}}
    assert {text for text, day in own.items() if day > evening} <= both
    assert max(own[text] for text in alone) < max(own.values())
    assert {text for text in both if own[text] <= evening} == {text for text in alone if own[text] <= evening}


def test_verdicts():
    assert cell(plain.SCHEME).verdict == "OUTSIDE MODEL"  # its source speaks of no quantum computer
    assert cell(plain.SCHEME).exposed.total == SMALL.messages
    assert cell(plain.SCHEME).coalition == (f"{QUANTUM}@{LAST}",)
    held = cell(plain_pq.SCHEME)
    assert (held.verdict, held.excluded, held.coalition) == ("HELD", 0, ())


def test_an_adversary_in_a_process_of_its_own_finds_the_same():
    for scheme in (plain.SCHEME, envelope.SCHEME, plain_pq.SCHEME):
        apart = Evaluation(scheme, EVERY, SMALL, isolated=True).cell(ATTACK)[0]
        here = cell(scheme)
        assert (apart.verdict, apart.reason, apart.exposed) == (here.verdict, here.reason, here.exposed)


def test_the_control_differs_in_whether_the_secret_is_mixed_in():
    control = control_of(ATTACK)
    bodies = {
        (name, kind)
        for kind in (type(control.specimen).device, type(control.twin).device)
        for name, value in vars(kind).items()
        if callable(value) and kind.__module__.endswith("kem_unmixed")
    }
    assert bodies == {("mixed", type(control.specimen).device)}


def test_nobody_else_is_given_what_the_computer_breaks():
    """The play is the honest one, and the coalition of all other attacks opens what it opened before."""
    honest = play(plain.SCHEME, SMALL)
    assert harvested("plain").heard == honest.heard
    assert {name: states for name, states in harvested("plain").states.items() if name != QUANTUM} == honest.states
    assert QUANTUM not in {*honest.states, *harvested("plain").cast.devices, *harvested("plain").cast.officials}
    without = Analysis(plain.SCHEME, honest, EVERY)
    for name in honest.states:
        taken = [Seizure(name)]
        assert analysed("plain").opened_by(taken) == without.opened_by(taken)


def test_evidence_of_it_can_be_played_again(tmp_path):
    digest = writing.write(tmp_path, plain.SCHEME, ATTACK, SMALL, EVERY)
    said = writing.verify(tmp_path / digest, replay=True).summary
    assert said.startswith(f"{len(texts(harvested('plain')))} texts follow from")
    assert "every fact found where it was taken, and the sets and the cell are the same" in said
    digest = writing.write(tmp_path, plain_pq.SCHEME, ATTACK, SMALL, EVERY)
    assert "the sets and the cell are the same" in writing.verify(tmp_path / digest, replay=True).summary


# --- what the computer holds ---


def publics_in(record: Record) -> Iterator[bytes]:
    """Every X25519 public key that protocols put on the wire, out of the decoded packets."""
    for fact in Reader(SCHEMES[record.scheme]).network(record.heard):
        match fact:
            case Initial(ik_a, ek_a, ik_b, spk_b, opk_b):
                yield from filter(None, (ik_a, ek_a, ik_b, spk_b, opk_b))
            case Answers():
                yield fact.chain
    for packet in record.heard:
        try:
            yield from codec.decode(packet.data, Bundle).one_time and [codec.decode(packet.data, Bundle).prekey]
        except Malformed:
            continue


@pytest.mark.parametrize("name", ["plain", "plain-pq", "envelope"])
def test_every_classical_key_on_the_wire_is_broken_and_each_half_is_true(name):
    record = harvested(name)
    held = {key.public: key for key in walk(computer(record), Private)}
    wanted = set(publics_in(record))
    assert len(wanted) > 50
    assert wanted <= held.keys()
    assert all(key.whole for key in held.values())


@pytest.mark.parametrize("name", ["plain", "plain-pq", "split-key"])
def test_nothing_is_broken_that_was_not_heard_and_no_kem_key_nor_seed_ever(name):
    made = []
    record = play(SCHEMES[name], SMALL, ATTACK, observer=made.append)
    heard = b"".join(packet.data for packet in record.heard)
    signers = [SigningKey(*call.outputs, *call.inputs) for call in made if call.operation == "ed25519-key"]
    seeds = {signer.raw for signer in signers}
    signing = {signer.agreement.public: signer.public for signer in signers}
    for key in walk(computer(record), Fact):
        assert isinstance(key, Private | EscrowKey)
        assert not isinstance(key, KemPrivate | SigningKey)
        assert key.raw not in seeds
        if isinstance(key, Private):
            assert key.public in heard or signing[key.public] in heard
    secrets = {call.inputs[0] for call in made if call.operation == "x25519-key"}
    assert secrets - {key.raw for key in walk(computer(record), Fact)}  # a ratchet key that nothing was sent under


def test_the_computer_is_there_after_the_last_day_only():
    record = harvested("plain")
    assert [bool(state) for state in record.states[QUANTUM]] == [False] * LAST + [True]
    assert computer(record).state() == record.states[QUANTUM][LAST]


def test_keys_of_every_kind_are_heard_at_the_door():
    passed = []
    keys = QuantumApparatus(passed.append)
    with crypto.running(Run(bytes(32), keys)):
        pair, point, kem = new_private(), new_private_p256(), new_kem_private()
        signer = crypto.new_signing_key()
        k = group.random_scalar()
        multiple = group.base(k)
    told = [Heard(0, "a", "b", b"..." + each + b".") for each in (pair.public, point.public, kem.public, signer.public)]
    found = list(walk(broken(keys, told, ()), Fact))
    assert set(found) == {pair, point, signer.agreement}
    assert {type(each) for each in found} == {Private, PrivateP256}
    assert keys.scalars[multiple[1:]] == group.scalar_bytes(k)
    made = [call.operation for call in passed if call.operation.endswith("-key") or call.operation == "p256-base"]
    assert made == ["x25519-key", "p256-key", "ml-kem-key", "ed25519-key", "p256-base"]
    assert list(walk(broken(keys, told[2:3], ()), Fact)) == []
    halves = [replace(each, data=each.data[:-2]) for each in told]
    assert list(walk(broken(keys, halves, ()), Fact)) == [point]  # a point is told by its x-coordinate alone


def test_an_escrow_groups_key_follows_from_its_first_commitment():
    (key,) = walk(computer(harvested("split-key")), EscrowKey)
    authority = harvested("split-key").party("authority", LAST)
    of = next(walk(authority, EscrowGroup))
    capsule, _, shared = elgamal.encapsulate(of)
    assert elgamal.decapsulate(key, Capsule(key.group, capsule.point)).value == shared


def test_a_schemes_own_kind_of_key_is_broken_as_such_if_it_adds_nothing_secret():
    (key,) = walk(computer(harvested("envelope")), AgentKey)
    assert key == harvested("envelope").party("agent", 0).key


class PinnedKey(Private, frozen=True, dict=True):
    pin: bytes


class Safe(plain_pq.PqDevice):
    pinned: PinnedKey | None = None


def test_a_secret_that_a_key_carries_besides_is_not_broken_with_it():
    keys = QuantumApparatus()
    with crypto.running(Run(bytes(32), keys)):
        pair, signer = new_private(), crypto.new_signing_key()
    safe = Safe("s", "s", signer, [], pinned=PinnedKey(pair.public, pair.raw, b"1234"))
    assert list(walk(broken(keys, [Heard(0, "s", "t", pair.public)], [safe]), Fact)) == [pair]


# --- what is sealed to a classical key beside it undoes a KEM ---


class SealingDevice(plain_pq.PqDevice):
    agent: Public = b""
    access_field = envelope.EnvelopeDevice.access_field


class EnvelopeOverPq(EnvelopeScheme, frozen=True, kw_only=True):
    name = "envelope-over-pq"
    device = SealingDevice
    provider = plain_pq.PqProvider

    def cast(self, users, court):
        parties = list(super().cast(users, court))
        for party in parties:
            if isinstance(party, SealingDevice):
                party.agent = parties[0].key.public
        return iter(parties)


def test_an_access_field_under_an_elliptic_curve_reopens_every_text_of_pqxdh():
    record = play(EnvelopeOverPq(), SMALL, ATTACK)
    analysis = Analysis(EnvelopeOverPq(), record, EVERY)
    assert any(isinstance(fact, PqInitial) for fact in analysis.closure.facts)
    assert analysis.opened_by([Seizure(QUANTUM)]) == texts(record)
    assert cell(EnvelopeOverPq()).exposed.total == SMALL.messages


# --- a provider that keeps the KEM out today, for a computer later: what signatures and refusals are for ---


class Meddling(Attack):
    """A provider of today, which helps the computer of later."""

    title, source, specimen = ATTACK.title, ATTACK.source, ATTACK.specimen
    apparatus, stops_mail = QuantumApparatus, True

    def corruptions(self, cast, scenario):
        return [Turn("provider", 0), Seize(QUANTUM, scenario.days - 1)]


class OwnKem(Meddling):
    """It hands out a KEM prekey of its own beside the device's signature."""

    name = "own-kem"

    def corrupt(self, party, scheme, cast, scenario):
        honest = type(party)

        def on_fetch(self, sender, packet: Fetch, wire):
            bundle = honest.on_fetch(self, sender, packet, wire)
            return replace(bundle, kem=SignedKem(self.kems[0].public, bundle.kem.signature))

        provider = corrupted(party, {"kems": list[KemPrivate]}, on_fetch=on_fetch)
        provider.kems.append(new_kem_private())
        return provider


class NoKem(Meddling):
    """It hands out X3DH's bundle."""

    name = "no-kem"

    def corrupt(self, party, scheme, cast, scenario):
        honest = type(party)

        def on_fetch(self, sender, packet: Fetch, wire):
            bundle = honest.on_fetch(self, sender, packet, wire)
            return Bundle(bundle.identity, bundle.prekey, bundle.signature, bundle.one_time)

        return corrupted(party, on_fetch=on_fetch)


class UncheckedDevice(plain_pq.PqDevice):
    def insist(self, condition, reason):
        super().insist(condition or reason == "signature of the KEM prekey", reason)


class Unchecked(PlainPq, frozen=True):
    device = UncheckedDevice


class FallingBackDevice(plain_pq.PqDevice):
    def bundle(self, wire, to):
        return wire.ask(self.name, self.provider, Fetch(to.device), PqBundle | Bundle)

    def begin(self, bundle):
        return (super() if isinstance(bundle, PqBundle) else PlainDevice).begin(*self._given(bundle))

    def accept(self, initial):
        return (super() if isinstance(initial, PqInitial) else PlainDevice).accept(*self._given(initial))

    def _given(self, value):
        """A class takes its instance by hand."""
        return (value,) if isinstance(value, PqBundle | PqInitial) else (self, value)


class FallingBack(PlainPq, frozen=True):
    device = FallingBackDevice


@pytest.mark.parametrize(
    ("attack", "fault"), [(OwnKem(), Unchecked()), (NoKem(), FallingBack())], ids=["unchecked", "falls back"]
)
def test_a_provider_that_swaps_or_withholds_the_kem_prekey_opens_texts_of_the_faulty_client_only(attack, fault):
    assert cell(fault, attack).verdict == "BREACH"
    assert cell(plain_pq.SCHEME, attack).verdict == "HELD"
    assert cell(fault).verdict == "HELD"  # without the provider's help the fault opens nothing
