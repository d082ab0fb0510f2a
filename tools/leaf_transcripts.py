"""Transcripts of Clipper's LEAF as it is modelled here, from the agents' seeds on, and faults; see own_vectors.py.

A receiver names the sender of whatever is wrong with what came beside a message.
"""

from __future__ import annotations

from msgspec.structs import replace

from escrow import codec, crypto
from escrow.crypto import sha256
from escrow.e2ee.ratchet import MessageKey
from escrow.scheme import AccessField
from escrow.schemes.clipper import chip, field, leaf
from escrow.schemes.clipper.chip import Chip, FamilyKey, Seed, Serial
from escrow.schemes.clipper.leaf import Leaf, Make
from tools.ratchet_transcripts import Values, flipped

MAKES = {
    "as in the standard": Make(),
    "the checksum covers the transcript": Make(width=16, binds=("iv", "ks", "uid", "wk", "peer")),
    "32 bits of checksum, 64 of the key": Make(width=32, partial=True),
    "an AEAD": Make(mode="aead"),
}
PEOPLE, SENDER, HEADER = ("alice", "bob"), "alice-phone", b"the header of a message"


def programmed(name: str, make: Make) -> Values:
    """A chip from two seeds, and what it puts beside a message."""
    seeds = [Seed(1, agent, crypto.random_bytes(10)) for agent in (1, 2)]
    uid, kf, ks = crypto.random_bytes(4), crypto.random_bytes(10), crypto.random_bytes(10)
    if make.partial:
        ks = ks[:8] + b"\0\7"  # what is not escrowed is searched for from 0 on
    halves = chip.program(seeds[0], seeds[1], Serial(1, uid))
    unit, transcript = chip.combine(*halves), sha256(HEADER)[:8]
    made = Chip(FamilyKey(make, kf), unit).generate_iv(ks, transcript)
    iv, wk = made[: leaf.IV], leaf.wrap(make, unit.raw, ks)
    key = MessageKey(crypto.random_bytes(32), 7, crypto.random_bytes(32))
    beside = field.make_field(key, AccessField(key.chain, key.n, PEOPLE, 2), transcript, ks, made)
    return {
        "name": name,
        "width": make.width,
        "mode": make.mode,
        "binds": " ".join(make.binds),
        "partial": make.partial,
        "seed_1": seeds[0].raw,
        "seed_2": seeds[1].raw,
        "uid": uid,
        "half_1": halves[0].raw,
        "half_2": halves[1].raw,
        "ku": unit.raw,
        "kf": kf,
        "ks": ks,
        "iv": iv,
        "wk": wk,
        "ea": leaf.checksum(make, ks, iv, uid, wk, transcript),
        "leaf": made[leaf.IV :],
        "people": " ".join(PEOPLE),
        "sender": SENDER,
        "day": 2,
        "chain": key.chain,
        "number": key.n,
        "message_key": key.value,
        "header": HEADER,
        "transcript": transcript,
        "agreed": beside.agreed,
        "wrapped": beside.wrapped,
        "field": codec.encode(beside),
    }


def field_faults(case: Values) -> list[Values]:
    """What a receiver refuses, naming the sender, and what opens for the right unit, family and agents only."""
    right = codec.decode(case["field"], field.ClipperField)
    make = MAKES[case["name"]]
    stale = leaf.seal_leaf(make, case["kf"], case["iv"], Leaf(case["uid"], case["wk"], bytes(make.check_size)))
    invalid = f"the LEAF that {SENDER} sent is not valid for this session key and IV"
    absent = f"{SENDER} sent no LEAF for this message: an AES-GCM tag does not fit"
    not_of_it = f"what {SENDER} sent beside the LEAF is not this message's"
    changes: dict[str, tuple[Values, str]] = {
        "one bit of the LEAF": ({"leaf": flipped(right.leaf)}, invalid),
        "one bit of the IV": ({"iv": flipped(right.iv)}, invalid),
        "a LEAF without a checksum": ({"leaf": stale}, invalid),
        "a LEAF cut by a byte": ({"leaf": right.leaf[:-1]}, invalid),
        "no LEAF": ({"leaf": b""}, invalid),
        "one bit of the sealed session key": ({"agreed": flipped(right.agreed)}, absent),
        "one bit of the wrapped message key": ({"wrapped": flipped(right.wrapped)}, not_of_it),
        "another day": ({"day": 3}, not_of_it),
        "other people": ({"people": ("alice", "carol")}, not_of_it),
        "another number": ({"n": 8}, not_of_it),
        "the digest of another header": ({"transcript": bytes(8)}, not_of_it),
    }
    refused = [
        {"at": "receiver", "name": name, "field": codec.encode(replace(right, **changed)), "error": "Refused"}
        | {"reason": reason, "culprits": [SENDER]}
        for name, (changed, reason) in changes.items()
    ]
    seeds = "the seeds of a programming session are agent 1's and agent 2's"
    opens = {"at": "access", "error": "Forged", "reason": "an AES-GCM tag does not fit", "culprits": []}
    others = [
        {"at": "agents", "name": "one agent brings both seeds", "agents": [1, 1], "error": "Forged", "reason": seeds},
        {"at": "agents", "name": "the agents in another order", "agents": [2, 1], "error": "Forged", "reason": seeds},
        opens | {"name": "another unit's key", "ku": flipped(case["ku"])},
        opens | {"name": "another family's key", "kf": flipped(case["kf"])},
    ]
    return [{"of": case["name"]} | fault | {"culprits": fault.get("culprits", [])} for fault in (*refused, *others)]


def clipper_cases() -> list[Values]:
    runs = [programmed(name, make) for name, make in MAKES.items()]
    return [*runs, *field_faults(runs[0])]
