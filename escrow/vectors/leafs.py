"""Replays this project's own vectors of Clipper's modelled LEAF: from seeds to a message key, and every refusal."""

from __future__ import annotations

from escrow import codec, crypto
from escrow.crypto import sha256
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.e2ee.x3dh import IdentityKey
from escrow.errors import EscrowError
from escrow.scheme import AccessField
from escrow.schemes.clipper import field, leaf
from escrow.schemes.clipper.chip import Chip, FamilyKey, Seed, Serial, UnitKey, combine, program
from escrow.schemes.clipper.field import ClipperField
from escrow.schemes.clipper.leaf import Make
from escrow.schemes.clipper.phone import ClipperDevice, ComputedKey
from escrow.vectors.case import Case, Drawn, must, refusal


def make_of(case: Case) -> Make:
    """Return the parameters by which the case's family makes its LEAFs."""
    return Make(case["width"], case["mode"], tuple(case["binds"].split()), case["partial"])


def _family(case: Case) -> FamilyKey:
    return FamilyKey(make_of(case), case["kf"])


def _key(case: Case) -> MessageKey:
    return MessageKey(case["chain"], case["number"], case["message_key"])


def replay_clipper(case: Case) -> bool:
    """Compare programming, the LEAF and its field; then the way back, for a peer and for both agents."""
    make, transcript = make_of(case), sha256(case["header"])[:8]
    halves = program(Seed(1, 1, case["seed_1"]), Seed(1, 2, case["seed_2"]), Serial(1, case["uid"]))
    unit = combine(*halves)
    must(case, half_1=halves[0].raw, half_2=halves[1].raw, ku=unit.raw, transcript=transcript)
    with crypto.running(Drawn(case["iv"])):
        made = Chip(_family(case), unit).generate_iv(case["ks"], transcript)
    must(case, leaf=made[leaf.IV :], wk=leaf.wrap(make, unit.raw, case["ks"]))
    must(case, ea=leaf.checksum(make, case["ks"], case["iv"], case["uid"], case["wk"], transcript))
    key, labels = _key(case), AccessField(case["chain"], case["number"], tuple(case["people"].split()), case["day"])
    beside = field.make_field(key, labels, transcript, case["ks"], made)
    must(case, agreed=beside.agreed, wrapped=beside.wrapped, field=codec.encode(beside))
    identity = field.read_leaf(beside, _family(case))
    session = field.unwrap_key(identity, unit, beside)
    must(case, uid=identity.uid, ks=session.raw)
    _receive(case, case["field"])
    return field.open_field(beside, session) == key and field.agreed_key(beside, key) == case["ks"]


def _receive(case: Case, beside: bytes) -> None:
    """Let a peer's chip check the field beside the message."""
    identity = IdentityKey(bytes(32), bytes(32))
    chip = Chip(_family(case), UnitKey(bytes(leaf.UID), bytes(10)))
    device = ClipperDevice("receiver", "bob", identity, [identity.public], chip=chip)
    mail = Mail(case["sender"], ("receiver",), "", None, b"", beside)
    device.admit(mail, ComputedKey(_key(case), case["header"]))


def fault_of_clipper(of: Case, fault: Case) -> Case:
    """Return a receiver's verdict on a field, or that on two halves, or on the way back with another key."""
    try:
        match fault["at"]:
            case "receiver":
                _receive(of, fault["field"])
            case "agents":
                one, other = (Seed(1, agent, of[f"seed_{agent}"]) for agent in fault["agents"])
                program(one, other, Serial(1, of["uid"]))
            case _:
                met = of | fault
                beside = codec.decode(of["field"], ClipperField)
                identity = field.read_leaf(beside, _family(met))
                session = field.unwrap_key(identity, UnitKey(of["uid"], met["ku"]), beside)
                field.open_field(beside, session)
    except EscrowError as error:
        said = refusal(error)
        named = [of["sender"]] if of["sender"] in said["reason"] else []
        return said | {"culprits": named}
    return {}
