"""Replays this project's own vectors of X3DH, PQXDH and the Double Ratchet: every byte, and every reason."""

from __future__ import annotations

from typing import Any

from escrow import codec, crypto
from escrow.crypto import Private
from escrow.e2ee import pqxdh, ratchet, x3dh
from escrow.e2ee.device import Device, Prekey
from escrow.e2ee.pqxdh import KemShared, PqBundle, SignedKem
from escrow.e2ee.provider import Fetch, Listed, Mail
from escrow.e2ee.ratchet import Pair, Root, Session, exchange_as_a
from escrow.e2ee.x3dh import Bundle, IdentityKey, Initial, PqInitial
from escrow.errors import EscrowError, Malformed
from escrow.primitives.kem import KemPrivate
from escrow.principal import Principal
from escrow.schemes import plain_pq
from escrow.schemes.plain_pq import KemPrekey
from escrow.vectors.case import Case, Drawn, must, refusal
from escrow.wire import Wire

# --- the Double Ratchet ---


def replay_ratchet(case: Case) -> bool:
    """Compare every value of a session with its script. Raise ValueError where one differs."""
    sessions(case, len(case["steps"]))
    return True


def sessions(case: Case, until: int) -> dict[str, Session]:
    """Return both sides after `until` steps, every value on the way compared."""
    prekey = whole(case["prekey"])
    agreed = Root(bytes(32), prekey.public, case["sk"])
    begins, *steps = case["steps"][:until]
    with crypto.running(Drawn(begins["own"])):
        sides = {"a": ratchet.begin(agreed, case["ad"]), "b": ratchet.respond(agreed, case["ad"], prekey)}
    _root_step(agreed, sides["a"].own, begins)
    sent = {step["number"]: step for step in steps if step["step"] == "send"}
    for step in steps:
        side = sides[step["who"]]
        match step["step"]:
            case "lose":
                for _ in range(step["count"]):
                    ratchet.encrypt(side, b"")
            case "send":
                _send(side, step)
            case _:
                _receive(side, step, sent[step["number"]])
    return sides


def _root_step(before: Root, own: Private, said: Case) -> Root:
    shared = exchange_as_a(own, Pair(own.public, said["peer"]))
    after, chain = ratchet.turn(before, shared)
    must(said, own=own.raw, dh=own.public, shared=shared.value, root=after.value, chain=chain.value)
    return after


def _send(side: Session, step: Case) -> None:
    must(step, chain=side.sending.value if side.sending else b"")
    message, key = ratchet.encrypt(side, step["text"])
    must(step, key=key.value, dh=message.chain, pn=message.pn, n=message.n, message=ratchet.pack(message))


def _receive(side: Session, step: Case, sent: Case) -> None:
    root, own = side.root, side.own
    with crypto.running(Drawn(*([step["turn"]["sending"]["own"]] if "turn" in step else []))):
        opened = ratchet.decrypt(side, ratchet.unpack(sent["message"], side.associated))
    must(sent, text=opened.body)
    must(step, kept=len(side.skipped))
    if "turn" in step:
        between = _root_step(root, own, step["turn"]["receiving"])
        after = _root_step(Root(root.session, side.peer, between.value), side.own, step["turn"]["sending"])
        if after.value != side.root.value:
            raise ValueError("the root is not what the case says")


def fault_of_ratchet(of: Case, fault: Case) -> Case:
    """Return the verdict on a wrong message or text at one side."""
    side = sessions(of, fault["after"])[fault["at"]]
    before = codec.encode(side)
    try:
        if "text" in fault:
            ratchet.encrypt(side, fault["text"])
        else:
            ratchet.decrypt(side, ratchet.unpack(fault["message"], fault.get("ad", side.associated)))
    except EscrowError as error:
        if codec.encode(side) != before:
            raise ValueError("a fault changed the session") from None
        return refusal(error)
    return {}


# --- the agreements ---


class OneBundle(Principal):
    """A provider that hands out one bundle and keeps the mail."""

    bundle: PqBundle | Bundle
    mails: list[Mail] = []

    def on_fetch(self, sender: str, packet: Fetch, wire: Wire) -> Bundle:
        """Return the one bundle, whatever device is asked for."""
        return self.bundle

    def on_mail(self, sender: str, packet: Mail, wire: Wire) -> None:
        """Keep the mail for the test to read."""
        self.mails.append(packet)


def whole(raw: bytes) -> Private:
    """Return the key pair of a private key of 32 bytes."""
    return Private(Private(b"", raw).live.public_key().public_bytes_raw(), raw)


def _identity(case: Case, who: str) -> IdentityKey:
    return IdentityKey(case[f"identity_{who}"], case[f"seed_{who}"])


def _initiator(case: Case) -> Device:
    kind = plain_pq.PqDevice if "kem_seed" in case else Device
    identity = _identity(case, "a")
    return kind("a", "alice", identity, [identity.public], provider="provider")


def _bundle(case: Case) -> Bundle:
    classical = (case["identity_b"], case["spk_b"], case["signature"], case["opk_b"])
    if "kem_seed" not in case:
        return Bundle(*classical)
    return PqBundle(*classical, SignedKem(case["pqpk_b"], case["kem_signature"]))


def _responder(case: Case) -> Device:
    """Return the device of b, with the private halves that the case has."""
    identity = _identity(case, "b")
    keys: dict[str, Any] = {"prekeys": [Prekey(whole(case["prekey"]), 0)]}
    keys["one_time"] = [whole(case["one_time"])] if case["one_time"] else []
    if "kem_seed" not in case:
        return Device("b", "bob", identity, [identity.public], **keys)
    seed = KemPrivate(b"", case["kem_seed"])
    pair = KemPrivate(seed.live.public_key().public_bytes_raw(), seed.raw)
    keys |= {"one_time_kems": [pair]} if case["one_time"] else {"kem_prekeys": [KemPrekey(pair, 0)]}
    return plain_pq.PqDevice("b", "bob", identity, [identity.public], **keys)


def _initial(case: Case) -> Initial:
    classical = case["ik_a"], case["ek_a"], case["ik_b"], case["spk_b"], case["opk_b"]
    return PqInitial(*classical, case["pqpk_b"], case["ciphertext"]) if "kem_seed" in case else Initial(*classical)


def _first_mail(case: Case, changed: Case) -> Mail:
    """Return the first mail that a sends with the case's keys, if the directory's answer has these changes."""
    met = {"listed_b": case["identity_b"], **case, **changed}
    device, directory = _initiator(case), OneBundle("provider", _bundle(met))
    listed = Listed("bob", "b", met["listed_b"])
    coins = [case["coins"]] if "coins" in case else []
    with crypto.running(Drawn(case["ephemeral"], *coins, case["ratchet_key"])):
        device.mail_to(Wire([device, directory]), listed, case["text"], None)  # what `send` does for each device listed
    return directory.mails[0]


def _opens(device: Device, case: Case) -> bytes:
    mail = Mail("a", ("b",), "", _initial(case), case["message"], b"")
    return device.open_pairwise(mail, Listed("alice", "a", case["identity_a"])).body


def replay_agreement(case: Case) -> bool:
    """Compare both sides of X3DH or PQXDH, and the first message. Raise ValueError where a value differs."""
    initial, identity = _initial(case), _identity(case, "a")
    shared = x3dh.shared_by_initiator(initial, identity.agreement, Private(case["ek_a"], case["ephemeral"]))
    must(case, **{f"dh{number}": each.value for number, each in enumerate(shared, 1)})
    session = _responder(case).accept(initial)
    must(case, sk=session.root.value, ad=session.associated)
    for who in "ab":
        own = crypto.SigningKey(b"", case[f"seed_{who}"]).live.public_key().public_bytes_raw()
        must(case, **{f"identity_{who}": own, f"ik_{who}": crypto.montgomery(own)})
    mail = _first_mail(case, {})
    must(case, ek_a=mail.initial.ek_a if mail.initial else b"")
    if "kem_seed" in case:
        _replay_kem(case)
    else:
        must(case, info=x3dh._INFO, message=mail.body)
    must(case, text=_opens(_responder(case), case))
    return True


def _replay_kem(case: Case) -> None:
    initial, bundle = _initial(case), _bundle(case)
    if not isinstance(initial, PqInitial) or not isinstance(bundle, PqBundle):
        raise Malformed("a case with a KEM seed, of a key agreement without a KEM")
    identity = _identity(case, "a")
    shared = x3dh.shared_by_initiator(initial, identity.agreement, Private(case["ek_a"], case["ephemeral"]))
    key, ciphertext = KemPrivate(b"", case["kem_seed"]), case["ciphertext"]
    other = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    must(case, ss=key.decapsulate(ciphertext), rejected=key.decapsulate(other), info=pqxdh._INFO)
    root = pqxdh.mix(initial, initial.agreed(*shared), KemShared(case["pqpk_b"], ciphertext, case["ss"]))
    with crypto.running(Drawn(case["ratchet_key"])):
        begun = ratchet.begin(root, initial.associated)
    must(case, message=ratchet.pack(ratchet.encrypt(begun, case["text"])[0]), sk=root.value)
    if not pqxdh.kem_is_signed(bundle):
        raise ValueError("the KEM prekey is not signed")


def fault_of_agreement(of: Case, fault: Case) -> Case:
    """Return what a refuses in b's bundle, or b in a's first message. Raise ValueError if b's state changed."""
    met = of | fault["changed"]
    try:
        if fault["at"] == "a":
            _first_mail(of, fault["changed"])
            return {}
        responder = _responder(met)
        before = responder.state()
        try:
            _opens(responder, met)
        finally:
            if responder.state() != before:
                raise ValueError("a fault changed the device")
    except EscrowError as error:
        return refusal(error)
    return {}
