"""Clipper: the LEAF as it was observed, who opens what, and faults planted on purpose, each of which is caught."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks import registry
from attacks.field_stripping import FieldStripping
from attacks.lab.access_structure import Seizure
from attacks.lab.analysis import Analysis
from attacks.lab.anatomy import anatomy
from attacks.lab.labels import MATHEMATICS
from attacks.lab.matrix import run_cell
from attacks.lab.play import play
from attacks.lab.scenario import default
from attacks.specimens import control_scenario
from escrow import codec, laws
from escrow.clipper import leaf
from escrow.clipper.chip import Chip, FamilyKey, Seed, Serial, UnitHalf, UnitKey, combine, program
from escrow.clipper.device import Device, of_pairwise
from escrow.clipper.field import ClipperField, Identity, UnitRequest, agreed_key, certify, make_field, unwrap_key
from escrow.clipper.leaf import Leaf, Make
from escrow.crypto import Run, running, sha256
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Forged, Malformed, Refused
from escrow.scheme import AccessField
from escrow.schemes import clipper
from escrow.schemes.clipper import SCHEME, Clipper, Programmer
from escrow.schemes.plain import SCHEME as PLAIN
from escrow.skipjack import decrypt, encrypt
from escrow.stage import Step, staged
from escrow.warrant import issue

KF, KU, KS = bytes(range(10)), bytes(range(10, 20)), bytes(range(20, 30))
TRANSCRIPT = b"a to b.."
MAKES = [
    Make(),
    Make(width=8),
    Make(width=32),
    Make(width=64),
    Make(width=32, partial=True),
    Make(binds=("iv", "ks", "uid", "wk", "peer")),
    Make(mode="cbc"),
    Make(mode="aead"),
]
by_make = pytest.mark.parametrize("make", MAKES, ids=lambda make: f"{make.mode}-{make.width}-{make.size}")


@pytest.fixture(autouse=True)
def seeded():
    """One bit flip in 65,536 passes a checksum by chance: here the same ones each time."""
    with running(Run(b"tests of clipper".ljust(32, b"\0"))):
        yield


def chip_of(make=Make(), **repairs):  # noqa: B008 (a constant)
    return Chip(FamilyKey(make, KF), UnitKey(b"unit", KU), **repairs)


def flipped(data, first=0):
    """The data with each single bit from byte `first` on inverted."""
    for bit in range(8 * first, 8 * len(data)):
        yield (int.from_bytes(data, "big") ^ 1 << 8 * len(data) - 1 - bit).to_bytes(len(data), "big")


def differing(a, b):
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


# --- the LEAF ---


def test_a_leaf_is_the_wide_block_of_the_model_step_by_step():
    """Computed here from Skipjack alone."""
    iv, uid = b"12345678", b"unit"
    y = encrypt(KU, KS[:8])
    wk = y[:2] + encrypt(KU, y[2:] + KS[8:])
    xor = lambda a, b: bytes(x ^ y for x, y in zip(a, b, strict=True))  # noqa: E731 (as the formula has it)
    s = encrypt(KS, xor(iv, uid + wk[:4]))
    ea = encrypt(KS, encrypt(KS, xor(s, wk[4:] + bytes(2))))[:2]
    b1, b2 = uid + wk[:4], wk[4:] + ea
    c1 = encrypt(KF, b1)
    c2 = encrypt(KF, xor(b2, c1))
    d2 = encrypt(KF, c2)
    d1 = encrypt(KF, xor(c1, d2))
    made = Leaf(uid, leaf.wrap(Make(), KU, KS), leaf.checksum(Make(), KS, iv, uid, wk))
    assert (made.wk, made.ea) == (wk, ea)
    assert leaf.seal_leaf(Make(), KF, iv, made) == d1 + d2
    assert leaf.open_leaf(Make(), KF, iv, d1 + d2) == made


@by_make
@given(ks=st.binary(min_size=10, max_size=10))
def test_what_a_chip_makes_it_accepts_and_the_unit_key_opens(make, ks):
    chip = chip_of(make)
    made = chip.generate_iv(ks, TRANSCRIPT)
    assert len(made) == 8 + make.size
    assert chip.load_iv(ks, made, TRANSCRIPT)
    opened = leaf.open_leaf(make, KF, made[:8], made[8:])
    assert opened.uid == b"unit"
    assert leaf.unwrap(make, KU, opened.wk) == ks[: make.key_size]


def test_the_standards_field_is_24_bytes():
    assert (Make().size, len(chip_of().generate_iv(KS))) == (16, 24)


@by_make
def test_every_single_bit_flip_of_a_leaf_fails(make):
    """Blaze's fourth observation. At 8 bits one flip in 256 passes by chance; in plain CBC, bound to all, none does."""
    made = chip_of(make).generate_iv(KS, TRANSCRIPT)
    passed = sum(chip_of(make).load_iv(KS, each, TRANSCRIPT) for each in flipped(made, 8))
    assert passed == 0 if make.width > 8 else passed < 6


def test_in_the_naive_model_48_of_128_flips_pass():
    make = Make(mode="cbc", binds=("iv", "ks"))
    made = chip_of(make).generate_iv(KS)
    assert sum(chip_of(make).load_iv(KS, each) for each in flipped(made, 8)) == 48


def test_another_iv_or_an_old_session_key_is_refused():
    made, chip = chip_of().generate_iv(KS), chip_of()
    assert not any(chip.load_iv(KS, each[:8] + made[8:]) for each in flipped(made[:8]))
    assert not any(chip.load_iv(key, made) for key in flipped(KS))


def test_a_new_iv_changes_the_whole_leaf():
    """Blaze's fifth observation: bits all over, about half of each block's 64."""
    pairs = [(chip_of().generate_iv(KS), chip_of().generate_iv(KS)) for _ in range(200)]
    for block in (slice(8, 16), slice(16, 24)):
        mean = sum(differing(a[block], b[block]) for a, b in pairs) / len(pairs)
        assert abs(mean - 32) < 4 * 4 / len(pairs) ** 0.5  # 64 fair bits: a standard deviation of 4
    naive = Make(mode="cbc", binds=("iv", "ks"))
    assert len({chip_of(naive).generate_iv(KS)[8:16] for _ in range(10)}) == 1


@pytest.mark.parametrize("name", ["iv", "ks", "uid", "wk", "peer"])
def test_a_checksum_covers_what_it_binds_and_nothing_else(name):
    values = {"ks": KS, "iv": b"12345678", "uid": b"unit", "wk": b"wrapped-ks", "transcript": TRANSCRIPT}
    field = "transcript" if name == "peer" else name
    others = values | {field: bytes(len(values[field]))}
    every = ("iv", "ks", "uid", "wk", "peer")
    rest = Make(width=64, binds=tuple(each for each in every if each != name))
    assert leaf.checksum(Make(width=64, binds=every), **values) != leaf.checksum(Make(width=64, binds=every), **others)
    assert leaf.checksum(rest, **values) == leaf.checksum(rest, **others)


def test_where_64_bits_are_escrowed_the_rest_is_found_by_search():
    make = Make(width=32, partial=True)
    ks = KS[:8] + b"\x00\x30"
    made = chip_of(make).generate_iv(ks)
    opened = leaf.open_leaf(make, KF, made[:8], made[8:])
    labels = (b"chain", 0, ("a", "b"), 0, make, made[:8], b"", *msgspec.structs.astuple(opened))
    assert leaf.unwrap(make, KU, opened.wk) == ks[:8]
    assert unwrap_key(Identity(*labels), UnitKey(b"unit", KU)).raw == ks


@pytest.mark.parametrize(
    ("width", "binds"), [(3, "iv ks uid wk"), (9, "iv ks uid wk peer"), (4, "ks"), (16, "iv ks"), (64, "ks wk peer")]
)
def test_the_search_finds_the_very_keys_that_the_checksum_fits(width, binds):
    """All at once, and one by one over the first 500."""
    make = Make(width=width, binds=tuple(binds.split()), partial=True)
    ks = KS[:8] + b"\x01\x02"
    made = chip_of(make).generate_iv(ks, TRANSCRIPT)
    opened = leaf.open_leaf(make, KF, made[:8], made[8:])
    found = list(leaf.completions(make, KS[:8], made[:8], opened, TRANSCRIPT))
    tails = [KS[:8] + tail.to_bytes(2, "big") for tail in range(500)]
    assert ks in found and ks in tails
    assert [key for key in found if key <= tails[-1]] == [
        key for key in tails if leaf.holds(make, key, made[:8], opened, TRANSCRIPT)
    ]
    expected = 65536 / 2**width
    assert abs(len(found) - 1 - expected) < 5 * expected**0.5 + 1


@pytest.mark.parametrize("make", [Make(partial=True, mode="aead"), Make(partial=True, width=8, binds=("iv",))], ids=str)
def test_the_search_goes_one_by_one_where_the_checksum_is_another(make):
    ks = KS[:8] + b"\0\7"
    made = chip_of(make).generate_iv(ks, TRANSCRIPT)
    opened = leaf.open_leaf(make, KF, made[:8], made[8:])
    first = next(leaf.completions(make, KS[:8], made[:8], opened, TRANSCRIPT))
    assert first == (ks if make.mode == "aead" else KS[:8] + b"\0\0")  # a checksum without the key fits any


@pytest.mark.parametrize("size", [0, 8, 15, 17, 24])
def test_a_leaf_of_another_length_is_refused_by_name(size):
    with pytest.raises(Forged, match=f"a LEAF is 16 bytes, not {size}"):
        leaf.open_leaf(Make(), KF, bytes(8), bytes(size))
    assert not chip_of().load_iv(KS, bytes(8 + size))


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"width": 0}, "1 to 64"),
        ({"width": 65}, "1 to 64"),
        ({"mode": "ofb"}, "wide, cbc, aead"),
        ({"binds": "iv moon"}, "'moon'"),
        ({"most_bad": -1}, "0 or more"),
    ],
)
def test_parameters_that_make_no_clipper_are_refused_by_name(parameters, why):
    with pytest.raises(ValueError, match=why):
        Clipper(**parameters)


# --- the chip and its keys ---


def test_a_chip_stops_after_so_many_bad_leafs():
    chip, good = chip_of(most_bad=2), chip_of().generate_iv(KS)
    assert [chip.load_iv(KS, each) for each in (good, bytes(24), good, bytes(24), good)] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_a_chip_that_refuses_its_own_leafs_takes_another_units():
    other = Chip(FamilyKey(Make(), KF), UnitKey(b"peer", KU))
    chip = chip_of(refuses_own=True)
    assert not chip.load_iv(KS, chip.generate_iv(KS))
    assert chip.load_iv(KS, other.generate_iv(KS))


def test_unit_keys_are_made_of_both_seeds_as_denning_describes():
    s1, s2 = KF, KU
    numbers = [b"unit" + i.to_bytes(4, "big") for i in (1, 2, 3)]
    r = b"".join(encrypt(s1, decrypt(s2, encrypt(s1, each))) for each in numbers)
    one, other = program(Seed(1, 1, s1), Seed(1, 2, s2), Serial(1, b"unit"))
    assert (one.raw, other.raw) == (r[:10], r[10:20])
    assert combine(one, other).raw == bytes(a ^ b for a, b in zip(r[:10], r[10:20], strict=True))


def test_halves_and_seeds_are_one_of_each_agent():
    half, seed = UnitHalf(b"unit", 1, KF), Seed(1, 1, KF)
    with pytest.raises(Forged, match="agent 1's and agent 2's"):
        combine(half, half)
    with pytest.raises(Forged, match="agent 1's and agent 2's"):
        program(Seed(1, 2, KU), seed, Serial(1, b"unit"))


# --- a text's field, and errors that name the culprit ---


def test_a_field_gives_its_keys_to_either_end():
    key = MessageKey(b"chain", 3, bytes(32))
    field = make_field(key, AccessField(b"chain", 3, ("a", "b"), 1), TRANSCRIPT, KS, bytes(24))
    assert agreed_key(field, key) == KS
    with pytest.raises(Forged):
        agreed_key(field, MessageKey(b"chain", 3, bytes(31) + b"\1"))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda field: b"", "alice-phone sent no LEAF"),
        (
            lambda field: codec.encode(msgspec.structs.replace(field, leaf=field.leaf[:-1])),
            "the LEAF that alice-phone sent",
        ),
        (lambda field: codec.encode(msgspec.structs.replace(field, leaf=bytes(16))), "the LEAF that alice-phone sent"),
        (lambda field: codec.encode(msgspec.structs.replace(field, iv=bytes(8))), "the LEAF that alice-phone sent"),
        (lambda field: codec.encode(msgspec.structs.replace(field, agreed=bytes(26))), "alice-phone sent no LEAF"),
        (lambda field: codec.encode(msgspec.structs.replace(field, agreed=b"")), "the LEAF that alice-phone sent"),
        (lambda field: codec.encode(msgspec.structs.replace(field, day=7)), "what alice-phone sent beside the LEAF"),
        (lambda field: codec.encode(msgspec.structs.replace(field, wrapped=bytes(48))), "what alice-phone sent beside"),
    ],
)
@pytest.mark.parametrize("to", ["bob", "choir"])
def test_a_malformed_leaf_is_refused_and_its_sender_named(spoil, why, to):
    with staged(SCHEME) as stage:
        link = stage.wire.link

        def spoiled(packet):
            try:
                mail = codec.decode(packet.data, Mail)
                field = spoil(codec.decode(mail.field, ClipperField))
            except Malformed:
                return link(packet)
            return link(msgspec.structs.replace(packet, data=codec.encode(msgspec.structs.replace(mail, field=field))))

        stage.wire.link = spoiled
        stage.play([Step("say", "alice-phone", to)])
        assert stage.shown.total() == 0
        assert stage.wire.refusals
        assert all(reason.startswith(why) for _, _, reason in stage.wire.refusals)


@pytest.fixture(scope="module")
def overheard():
    """A text from alice to bob, caught before it arrives: bob's phone, the mail, how it is going to be opened."""
    with running(Run(b"a mail of clipper".ljust(32, b"\0"))), staged(SCHEME) as stage:
        caught = []
        stage.wire.link = lambda packet: caught.append(packet) or ()
        stage.device("alice-phone").send(stage.wire, "bob", b"text")
        mails = [codec.decode(packet.data, Mail) for packet in caught]
        (mail,) = [each for each in mails if "bob-phone" in each.recipients]
        bob = stage.device("bob-phone")
        return bob, mail, of_pairwise(bob, mail)


def admitted(overheard, **changes):
    """Whether bob's chip takes the mail with these parts of the field changed; its refusal must name the sender."""
    bob, mail, found = overheard
    changed = msgspec.structs.replace(codec.decode(mail.field, ClipperField), **changes)
    try:
        bob.admit(msgspec.structs.replace(mail, field=codec.encode(changed)), found)
    except Refused as error:
        assert error.party == "bob-phone" and "alice-phone" in error.reason, error
        return False
    return True


def test_every_leaf_that_is_cut_lengthened_or_has_a_bit_flipped_is_refused_and_its_sender_named(overheard):
    said = codec.decode(overheard[1].field, ClipperField)
    assert admitted(overheard)
    spoilt = [{"leaf": said.leaf[:size]} for size in range(16)] + [{"leaf": said.leaf + bytes(n)} for n in (1, 8, 16)]
    spoilt += [{"iv": said.iv[:size]} for size in range(8)] + [{"iv": said.iv + b"\0"}]
    spoilt += [{"leaf": each} for each in flipped(said.leaf)] + [{"iv": each} for each in flipped(said.iv)]
    spoilt += [{"agreed": each} for each in (b"", said.agreed[:-1], *flipped(said.agreed))]
    spoilt += [{"wrapped": each} for each in (b"", said.wrapped[:-1], *flipped(said.wrapped))]
    assert len(spoilt) > 128 + 64 + 8 * (26 + 48)
    assert not any(admitted(overheard, **each) for each in spoilt)


def test_every_cut_or_lengthened_field_is_refused_and_its_sender_named(overheard):
    bob, mail, found = overheard
    for field in (*(mail.field[:size] for size in range(len(mail.field))), mail.field + b"\0"):
        with pytest.raises(Refused, match="alice-phone sent no LEAF"):
            bob.admit(msgspec.structs.replace(mail, field=field), found)


def test_a_leaf_of_another_family_iv_or_session_key_is_refused_and_its_sender_named(overheard):
    """Each but one thing is right: the wrong family key, an old LEAF under a new IV, old IV and LEAF for a new KS."""
    bob, mail, found = overheard
    chip, said = bob.unit, codec.decode(mail.field, ClipperField)
    ks, transcript = agreed_key(said, found.key), sha256(found.header)[:8]
    stranger = Chip(FamilyKey(Make(), KF), chip.unit)

    def taken(ks, iv_leaf):
        field = make_field(found.key, said, transcript, ks, iv_leaf)
        return admitted(overheard, **{name: getattr(field, name) for name in ("iv", "leaf", "agreed", "wrapped")})

    old = chip.generate_iv(ks, transcript)
    assert taken(ks, old)
    assert not taken(ks, stranger.generate_iv(ks, transcript))
    assert not taken(ks, chip.generate_iv(ks, transcript)[:8] + old[8:])
    assert not taken(KS, old)


def test_the_processor_names_the_sender_of_a_field_that_comes_to_nothing():
    with staged(SCHEME) as stage:
        warrant = issue(stage.court.key, stage.order("alice"))
        stage.play([Step("say", "alice-phone", "bob")])
        for changes, why in (
            ({"leaf": bytes(15)}, "a LEAF is 16 bytes, not 15"),
            ({"wrapped": bytes(48)}, "does not fit"),
        ):
            spoilt = []
            for each in stage.intercepted():
                field = msgspec.structs.replace(codec.decode(each.mail.field, ClipperField), **changes)
                mail = msgspec.structs.replace(each.mail, field=codec.encode(field))
                spoilt.append(msgspec.structs.replace(each, mail=mail))
            stage.wire.refusals.clear()
            assert spoilt and not stage.access(warrant, spoilt)
            assert stage.wire.refusals
            for _, party, reason in stage.wire.refusals:
                assert (
                    party == "authority" and reason.startswith("Forged: beside alice-phone's mail: ") and why in reason
                )


def test_a_unit_that_no_agent_knows_is_refused_by_its_number():
    with staged(SCHEME) as stage:
        warrant = issue(stage.court.key, stage.order("alice"))
        agent = stage.wire.parties["agent-1"]
        asked = stage.authority.request(warrant, codec.encode(UnitRequest(b"", 0, ("alice",), 0, b"\xff\0\0\1")))
        with pytest.raises(Refused, match="agent-1 refuses: no unit ff000001 is on file"):
            agent.answer("authority", codec.encode(asked), stage.wire)


# --- who opens what ---

EVERY = tuple(registry.attacks().values())
SCENARIO = default(users=4, groups=2, days=6, messages=60)


@pytest.fixture(scope="module")
def analysis():
    return Analysis(SCHEME, play(SCHEME, SCENARIO), EVERY)


def sent_by(analysis, user, days=range(SCENARIO.days)):
    return {text.id for text in analysis.record.sent if text.device.startswith(user) and text.day in days}


def test_both_agents_and_the_family_key_open_everything_and_neither_alone_anything(analysis):
    everything = {sent.id for sent in analysis.record.sent}
    agents = [Seizure("agent-1", (3,)), Seizure("agent-2", (3,))]
    assert analysis.opened_by([*agents, Seizure("authority", (0,))]) == everything
    assert analysis.opened_by([*agents, Seizure("carol-phone", (0,))]) >= everything - {
        sent.id for sent in analysis.record.sent if sent.device == "carol-phone"
    }
    for one in agents:
        others = [Seizure(name, (3,)) for name in ("court", "provider", "programmer")]
        assert analysis.opened_by([one, *others]) == frozenset()
    assert analysis.opened_by(agents) == frozenset()  # they have unit keys, and cannot tell whose LEAF is whose


def test_one_unit_key_opens_that_units_traffic_past_and_future_and_no_other(analysis):
    """A chip's own key, with the family key that is in every chip: all that its device ever sends."""
    opened = analysis.opened_by([Seizure("alice-phone", (3,))])
    own = {text.id for text in analysis.record.sent if text.device == "alice-phone"}
    before, after = (
        {text for text in own if analysis.record.sent[text].day in days} for days in (range(3), range(4, 6))
    )
    assert before and after
    assert own <= opened
    plain = Analysis(PLAIN, play(PLAIN, SCENARIO), ())
    assert not before & plain.opened_by([Seizure("alice-phone", (3,))])
    assert not opened & sent_by(analysis, "dave", range(2))


def test_the_seeds_of_the_session_open_every_unit_made_in_it_while_they_last(analysis):
    everything = {sent.id for sent in analysis.record.sent}
    assert analysis.opened_by([Seizure("programmer", (0,))]) == everything
    assert analysis.opened_by([Seizure("programmer", tuple(range(1, 6)))]) == frozenset()
    first, last = analysis.record.party("programmer", 0), analysis.record.party("programmer", 1)
    assert isinstance(first, Programmer) and isinstance(last, Programmer)
    assert len(first.seeds) == 2 and not last.seeds and not last.bench.loaded
    halves = [program(*first.seeds, serial) for serial in first.serials]
    chips = [analysis.record.party(name, 0).chip for name in analysis.record.cast.devices]
    assert {combine(*pair) for pair in halves} == {chip.unit for chip in chips}


@pytest.fixture(scope="module")
def measured():
    return anatomy(SCHEME, (), SCENARIO)


def test_anatomy_shows_unit_keys_seeds_and_agents(measured):
    passive = {row.members: row for row in measured.minimal_coalitions if row.label_pass == MATHEMATICS}
    assert passive["programmer@0",].opens == 60
    assert passive["agent-1@0-5", "agent-2@0-5", "programmer@0-5"].officials_only
    chip = passive["alice-phone@0-5",].by_day["3"]
    assert chip.earlier and chip.later
    assert not any(set(row) <= {"agent-1@0-5", "agent-2@0-5"} for row in passive)


def test_anatomy_tells_identities_from_content(measured, analysis):
    """Each chip, the processor and the programmer name every field's sender; who has only the family key reads none."""
    found = measured.identities
    sent = {(fact.chain, fact.n) for fact in analysis.closure.facts if isinstance(fact, ClipperField)}
    assert found.fields == len(sent) > 60 and not found.unmeasured
    named = [row for row in found.coalitions if row.label_pass == MATHEMATICS]
    devices = analysis.record.cast.devices
    assert {row.members for row in named} == {(f"{name}@0-5",) for name in (*devices, "authority", "programmer")}
    assert {row.names for row in named} == {found.fields}
    assert {row.members: row.opens_nothing for row in named if row.opens_nothing} == {
        ("programmer@0-5",): (1, 2, 3, 4, 5)  # the unit keys on its bench are gone, the family key is not
    }


def test_anatomy_shows_what_a_unit_key_the_seeds_and_the_family_key_give_by_themselves(measured, analysis):
    rows = {row.kinds: row for row in measured.identities.secrets}
    assert set(rows) == {
        ("FamilyKey",),
        ("FamilyKey", "UnitKey"),
        ("FamilyKey", "FiledHalf", "FiledHalf"),
        ("FamilyKey", "Seed", "Seed"),
    }
    family, unit, seeds = rows["FamilyKey",], rows["FamilyKey", "UnitKey"], rows["FamilyKey", "Seed", "Seed"]
    assert (family.sets, family.opens, family.names) == (1, 0, measured.identities.fields)
    said = [sum(text.device == name for text in analysis.record.sent) for name in analysis.record.cast.devices]
    assert (unit.sets, unit.least, unit.most, unit.opens) == (len(said), min(said), max(said), 60)
    assert unit.first_day < unit.last_day  # whenever it is taken
    assert (seeds.sets, seeds.least, seeds.opens) == (1, 60, 60)


def test_a_scheme_without_identities_has_none_in_its_anatomy():
    assert anatomy(PLAIN, (), control_scenario()).identities is None


def test_where_the_adversary_is_isolated_identities_are_said_not_to_be_measured():
    found = anatomy(SCHEME, (), control_scenario(), isolated=True).identities
    assert found.unmeasured and not found.coalitions


def test_the_family_key_alone_gives_identities_and_no_content(analysis):
    """Whoever holds a chip, or the processor, reads who made each LEAF; to read a text takes something more."""
    labels, closure = analysis.labels, analysis.closure
    structure = analysis.structure()
    numbers = [number for number, fact in enumerate(closure.facts) if isinstance(fact, Identity)]
    holders = {name for name in analysis.record.states if name not in {"agent-1", "agent-2", "court", "provider"}}
    assert len(numbers) > 60
    for number in numbers:
        coalitions = [structure.coalition(mask) for mask in labels.masks(number, MATHEMATICS)]
        assert {tuple(each.principal for each in coalition.members) for coalition in coalitions} == {
            (name,) for name in holders
        }
    without = [Seizure("programmer", (5,)), Seizure("provider", (5,)), Seizure("court", (5,))]
    assert analysis.opened_by(without) == frozenset()


def test_agents_take_the_requesters_word_for_who_was_on_the_line(analysis):
    """With one warrant in force an authority certifies any unit into it: its checks open what it was not given."""
    assert analysis.closure.fired["escrow.clipper.field.certify"]
    served = analysis.opened_by([Seizure("authority", (5,))], "served")
    assert served == {sent.id for sent in analysis.record.sent}
    order = analysis.record.warrants[0].order
    asked = certify(UnitRequest(b"", 0, ("carol", "dave"), 0, b"unit"), order)
    assert order.covers(asked.people, asked.day) and asked.people[0] == "carol"


# --- parameters ---


@pytest.mark.parametrize(
    "parameters",
    [
        {"mode": "aead"},
        {"mode": "cbc", "binds": "iv ks"},
        {"width": 32},
        {"width": 32, "partial": True},
        {"width": 8, "binds": "ks"},
        {"binds": "iv ks uid wk peer"},
        {"derives": True},
        {"most_bad": 3},
        {"refuses_own": True},
    ],
    ids=str,
)
def test_mail_and_access_come_through_under_every_repair(parameters):
    with staged(Clipper(**parameters)) as stage:
        warrant = issue(stage.court.key, stage.order("alice"))
        stage.play(
            [Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "choir"), Step("say", "bob-phone", "alice")]
        )
        assert stage.shown == stage.meant
        assert stage.access(warrant, stage.intercepted()) == {said.body for said in stage.said}


def test_where_keys_are_derived_no_sender_chooses_one():
    with staged(Clipper(derives=True)) as stage:
        device = stage.device("alice-phone")
        device.derives = False
        stage.play([Step("say", "alice-phone", "bob")])
        assert stage.shown.total() == 0
        assert all(reason == "alice-phone chose the session key" for _, _, reason in stage.wire.refusals)


# --- faults, each in one line, and what catches it ---


class Credulous(Device):
    def admit(self, mail, found):
        """Whatever travels beside a text is well."""


class Unescorted(Clipper, frozen=True, kw_only=True):
    device = Credulous


def test_fault_a_receiver_that_checks_nothing_is_caught_by_field_stripping():
    scenario = control_scenario()
    assert run_cell(Unescorted(), FieldStripping(), scenario).verdict == "BREACH"
    assert run_cell(SCHEME, FieldStripping(), scenario).verdict == "HELD"


def test_fault_a_wrapped_key_bound_to_nothing_is_caught_by_a_law(monkeypatch):
    law = next(law for law in laws.LAWS if law.name == "a field is bound")
    assert law.broken(SCHEME) == ""
    monkeypatch.setattr(ClipperField, "context", lambda self: b"")
    assert "a text is yielded with" in law.broken(SCHEME)


@pytest.mark.parametrize(("check", "under"), [("window", "a warrant for other days"), ("target", "somebody else")])
def test_fault_an_agent_that_leaves_out_a_check_is_caught_by_a_law(monkeypatch, check, under):
    law = next(law for law in laws.LAWS if law.name == "no valid warrant no text")
    assert law.broken(SCHEME) == ""
    honest = clipper.agent_checks
    left_out = lambda *asked: ((name, holds or name == check) for name, holds in honest(*asked))  # noqa: E731 (one line)
    monkeypatch.setattr(clipper, "agent_checks", left_out)
    assert under in law.broken(SCHEME)


def test_fault_a_promise_written_as_mathematics_is_caught_by_a_law(monkeypatch):
    law = next(law for law in laws.LAWS if law.name == "promises are no mathematics")

    def release(half, request):
        if request.people[0] != half.owner:
            raise Forged("not this owner's")
        raise Forged("never")

    monkeypatch.setattr(clipper, "release", release)
    assert "agent" in law.broken(SCHEME)
