"""Properties of the published transcripts: made anew they are the same bytes; every value in them comes out the same by
hand; every fault is refused, as named, by this library and by DoubleRatchet; and the session then goes on as before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import by_hand
import pytest
from by_hand import spoilt
from oracle import FORGED, LIMIT, MALFORMED, Agreed, Keys, Limits, Ours, Theirs

from escrow import codec, crypto, vectors
from escrow.crypto import Private
from escrow.e2ee import ratchet
from escrow.e2ee.device import Device, Prekey
from escrow.e2ee.provider import Listed, Mail
from escrow.e2ee.x3dh import Bundle, IdentityKey, Initial
from escrow.errors import EscrowError, Refused
from escrow.principal import Principal
from escrow.vectors.case import unhexed
from escrow.wire import Wire
from tools import own_vectors

Values = dict[str, Any]
SHIPPED = {"x3dh": 2, "ratchet": 5}
FAULTS = {"x3dh": 20, "ratchet": 31}
CATEGORIES = {"Forged": FORGED, "Malformed": MALFORMED, "Refused": LIMIT}


def cases(file: str) -> list[Values]:
    return [unhexed(case) for case in vectors.load(file)["cases"]]


def runs(file: str) -> dict[str, Values]:
    return {case["name"]: case for case in cases(file) if "error" not in case}


def faults(file: str) -> pytest.MarkDecorator:
    found = [case for case in cases(file) if "error" in case]
    return pytest.mark.parametrize("fault", found, ids=[f"{case['of']}: {case['name']}" for case in found])


@pytest.mark.parametrize("file", SHIPPED)
def test_made_anew_they_are_the_same_bytes(file: str) -> None:
    assert own_vectors.files()[file] == (own_vectors.FOLDER / f"{file}.json").read_text("utf-8")


@pytest.mark.parametrize("file", SHIPPED)
def test_none_is_missing_and_every_fault_has_its_name(file: str) -> None:
    names = Counter(case["name"] for case in cases(file))
    assert (len(runs(file)), names.total()) == (SHIPPED[file], SHIPPED[file] + FAULTS[file])
    assert set(names.values()) == {1}
    assert vectors.load(file)["source"].startswith("this project")


# --- by hand ---

WALKS: dict[str, Callable[[Values], None]] = {"x3dh": by_hand.walk_agreement, "ratchet": by_hand.walk_session}
EVERY_RUN = pytest.mark.parametrize(("file", "name"), [(file, name) for file in SHIPPED for name in runs(file)])


@EVERY_RUN
def test_by_hand_every_value_comes_out_the_same(file: str, name: str) -> None:
    WALKS[file](runs(file)[name])


@EVERY_RUN
def test_by_hand_a_value_with_one_bit_changed_is_noticed(file: str, name: str) -> None:
    """Bit 248 of a private key is one that X25519 reads."""
    for field, wrong in spoilt(runs(file)[name]):
        with pytest.raises((AssertionError, ValueError, KeyError)):
            WALKS[file](wrong)
            pytest.fail(field)


# --- the faults of the ratchet ---


def session(case: Values, kind: type[Ours | Theirs], keys: Keys, until: int | None = None) -> dict[str, Any]:
    """Both sides after so many steps, with the transcript's own keys; what is sent and opened is as it says."""
    private = Private(by_hand.public_of(case["prekey"]), case["prekey"])
    agreed = Agreed(case["sk"], case["ad"], private)
    keys.following = case["steps"][0]["own"]
    sides = {who: kind(agreed, who == "a", Limits()) for who in "ab"}
    go_on(case, sides, keys, case["steps"][1:until])
    return sides


def go_on(case: Values, sides: dict[str, Any], keys: Keys, steps: list[Values]) -> None:
    sent = {step["number"]: step for step in case["steps"] if step["step"] == "send"}
    for step in steps:
        side = sides[step["who"]]
        if step["step"] == "lose":
            for _ in range(step["count"]):
                side.encrypt(b"")
        elif step["step"] == "send":
            assert side.encrypt(step["text"]) == step["message"]
        else:
            if "turn" in step:
                keys.following = step["turn"]["sending"]["own"]
            assert side.answer(sent[step["number"]]["message"]) == sent[step["number"]]["text"]


def reason(error: EscrowError) -> str:
    return error.reason if isinstance(error, Refused) else str(error)


def attempt(side: Ours, fault: Values) -> None:
    if "text" in fault:
        side.encrypt(fault["text"])
    else:
        associated = fault.get("ad", side.session.associated)
        ratchet.decrypt(side.session, ratchet.unpack(fault["message"], associated))


@faults("ratchet")
def test_a_fault_is_refused_as_named_and_changes_nothing(fault: Values) -> None:
    case, keys = runs("ratchet")[fault["of"]], Keys()
    with crypto.running(keys):
        sides = session(case, Ours, keys, fault["after"])
        before = codec.encode(sides[fault["at"]].session)
        with pytest.raises(EscrowError) as caught:
            attempt(sides[fault["at"]], fault)
        assert (type(caught.value).__name__, reason(caught.value)) == (fault["error"], fault["reason"])
        assert codec.encode(sides[fault["at"]].session) == before
        go_on(case, sides, keys, case["steps"][fault["after"] :])


@pytest.mark.parametrize("name", runs("ratchet"))
def test_doubleratchet_says_every_word_of_the_transcripts(name: str) -> None:
    keys = Keys()
    with crypto.running(keys):
        session(runs("ratchet")[name], Theirs, keys)


HERE_ONLY = {"both chains together skip more keys than may be", "an answer before anything came"}


@pytest.mark.filterwarnings("error::UserWarning")
@faults("ratchet")
def test_doubleratchet_refuses_the_faults_for_the_same_kind_of_reason(fault: Values) -> None:
    """But for the limit that both chains share here; and it has no session that has not heard from the other side."""
    case, keys = runs("ratchet")[fault["of"]], Keys()
    with crypto.running(keys):
        side = session(case, Theirs, keys, fault["after"])[fault["at"]]
        if fault["name"] in HERE_ONLY:
            assert "text" in fault or side.answer(fault["message"]) == FORGED
            return
        side.agreed = side.agreed._replace(associated=fault.get("ad", case["ad"]))
        assert side.answer(fault["message"]) == CATEGORIES[fault["error"]]


# --- the faults of the agreement: at devices, for those refuse ---


class Given(crypto.Run):
    """A run that draws these keys, one after the other."""

    def __init__(self, *keys: bytes) -> None:
        super().__init__(b"")
        self.keys = iter(keys)

    def draw(self, n: int) -> bytes:
        return next(self.keys)


class Initiator(Device):
    """A device to which the directory tells these things."""

    listed: Listed = Listed("", "", b"")
    handed_out: Bundle = Bundle(b"", b"", b"")

    def look_up(self, wire: Wire, user: str) -> list[Listed]:
        return [self.listed] if user == self.listed.user else []

    def bundle(self, wire: Wire, to: Listed) -> Bundle:
        return self.handed_out


class Relay(Principal):
    """It keeps the mail."""

    mails: list[Mail] = []

    def on_mail(self, sender: str, packet: Mail, wire: Wire) -> None:
        self.mails.append(packet)


def identity_of(case: Values, who: str) -> IdentityKey:
    return IdentityKey(case[f"identity_{who}"], case[f"seed_{who}"])


def initiator(case: Values, changed: Values) -> Initiator:
    met = {"listed_b": case["identity_b"], **case, **changed}
    identity = identity_of(case, "a")
    handed_out = Bundle(met["identity_b"], met["spk_b"], met["signature"], met["opk_b"])
    listed = Listed("bob", "b", met["listed_b"])
    linked = [identity.public]
    return Initiator("a", "alice", identity, linked, provider="relay", listed=listed, handed_out=handed_out)


def sends(device: Initiator, case: Values) -> Mail:
    """The first mail to b, with the transcript's keys."""
    relay = Relay("relay")
    with crypto.running(Given(case["ephemeral"], case["ratchet_key"])):
        device.send(Wire([device, relay]), "bob", case["text"])
    return relay.mails[0]


def responder(case: Values, changed: Values) -> Device:
    identity, one_time = identity_of(case, "b"), {**case, **changed}["one_time"]
    prekeys = [Prekey(Private(case["spk_b"], case["prekey"]), 0)]
    left = [Private(case["opk_b"], one_time)] if one_time else []
    return Device("b", "bob", identity, [identity.public], prekeys=prekeys, one_time=left)


def opens(device: Device, case: Values, changed: Values) -> bytes:
    met = {**case, **changed}
    initial = Initial(met["ik_a"], met["ek_a"], met["ik_b"], met["spk_b"], met["opk_b"])
    mail = Mail("a", ("b",), "", initial, met["message"], b"")
    return device.open_pairwise(mail, Listed("alice", "a", case["identity_a"])).body


@pytest.mark.parametrize("name", runs("x3dh"))
def test_without_a_fault_devices_agree_as_the_transcript_says(name: str) -> None:
    case = runs("x3dh")[name]
    mail = sends(initiator(case, {}), case)
    assert mail.initial == Initial(*(case[field] for field in ("ik_a", "ek_a", "ik_b", "spk_b", "opk_b")))
    assert mail.body[:34] == case["message"][:34]
    assert opens(responder(case, {}), case, {}) == case["text"]


@faults("x3dh")
def test_a_device_refuses_a_fault_as_named_and_keeps_its_state(fault: Values) -> None:
    case, changed = runs("x3dh")[fault["of"]], fault["changed"]
    device: Any = initiator(case, changed) if fault["at"] == "a" else responder(case, changed)
    before = device.state()
    with pytest.raises(EscrowError) as caught:
        sends(device, case) if fault["at"] == "a" else opens(device, case, changed)
    assert (type(caught.value).__name__, reason(caught.value)) == (fault["error"], fault["reason"])
    assert device.state() == before
