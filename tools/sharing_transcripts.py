"""Transcripts of TDH2, of GJKR's key generation and of a refresh; see own_vectors.py.

Two of three members are needed, and member 3 is the one that lies. What comes of a fault is written here by hand: the
error or, where the run goes on, "Blame" or "none"; the reason in the library's words; the culprits, by index.
"""

from __future__ import annotations

from typing import Any

from escrow import crypto
from escrow.crypto import Run, sha256
from escrow.primitives import group
from escrow.primitives.group import POINT, Q, scalar, scalar_bytes
from escrow.sharing import tdh2
from escrow.sharing.dkg import gjkr, in_process, result
from escrow.sharing.dkg.in_process import LocalMember
from escrow.sharing.epochs import EpochShare, Sharing, pool
from escrow.sharing.proactive import refresh
from tools.ratchet_transcripts import Values, flipped

T, N, LIAR = 2, 3, 3


class Noted(Run):
    """A run that notes what it draws."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(secret)
        self.drawn: list[bytes] = []

    def draw(self, n: int) -> bytes:
        self.drawn.append(super().draw(n))
        return self.drawn[-1]


# --- key generation and refresh ---


def shares_of(sharing: Sharing, shares: list[EpochShare]) -> Values:
    held = {"epoch": sharing.epoch, "n": sharing.n, "commitments": list(sharing.commitments)}
    return held | {"shares": [share.raw for share in shares]}


def ran(name: str, kind: str, setting: gjkr.Setting) -> tuple[Values, in_process.RunResult]:
    """An honest run, with all that each member draws, keeps and sends."""
    members, noted = [LocalMember(setting, index) for index in setting.members], Noted(crypto.random_bytes(32))
    with crypto.running(noted):
        made = in_process.run(members)
    pieces = noted.drawn
    told = []
    for at, member in enumerate(members):
        sent = [member.subshares[index] for index in sorted(member.subshares)]
        told.append(
            {
                "drawn": pieces[2 * at : 2 * at + 2],
                "values": list(member.polynomials.values),
                "blindings": list(member.polynomials.blindings),
                "commitments": list(member.commitments.points),
                "shares": [{"value": each.value, "blinding": each.blinding} for each in sent],
                "feldman": list(made.record.revealed[member.index].points),
                "sum": made.shares[member.index].raw,
            }
        )
    return {"name": name, "kind": kind, "session": setting.session, "t": T, "n": N, "members": told}, made


def ended(case: Values, sharing: Sharing, shares: list[EpochShare]) -> Values:
    secret = pool(sharing, tuple(shares)).raw
    return case | {"after": shares_of(sharing, shares), "key": sharing.key, "secret": secret}


def key_generation() -> tuple[Values, Sharing, list[EpochShare]]:
    case, made = ran("key generation", "key", gjkr.gjkr(b"transcript of a key generation", T, N))
    sharing = result.first_sharing(made.outcome)
    shares = [result.first_share(made.outcome, made.shares[index]) for index in (1, 2, 3)]
    return ended(case, sharing, shares), sharing, shares


def refreshed(before: Sharing, held: list[EpochShare]) -> Values:
    case, made = ran("refresh", "refresh", refresh.setting(before, b"transcript of a refresh"))
    sharing, renewal = refresh.renewed(before, made.outcome)
    shares = [refresh.renew(share, renewal, made.shares[share.index]) for share in held]
    return ended(case | {"before": shares_of(before, held)}, sharing, shares)


def off_by_one(pair: Values) -> Values:
    return pair | {"value": scalar_bytes(scalar(pair["value"]) + 1)}


def key_without_the_liar(case: Values) -> bytes:
    if case["kind"] == "refresh":
        return bytes(case["key"])  # a refresh leaves the key
    return group.add(*(member["feldman"][0] for member in case["members"][: LIAR - 1]))


def run_faults(case: Values) -> list[Values]:
    """What member 3 may do. Out of QUAL it goes until QUAL is fixed; afterwards it stays, and so does the key."""
    own = case["members"][LIAR - 1]
    first = own["commitments"][0]
    no_points = {"prefix": b"\x05" + first[1:], "off the curve": b"\x02" + b"\xff" * 32, "infinity": bytes(POINT)}
    wrong, points = off_by_one(own["shares"][0]), own["commitments"]
    malformed, unanswered = "its commitments are missing or malformed", "it left a complaint without an answer"
    unfit = "it answered a complaint with a share that does not fit"
    out: list[tuple[str, Values, str]] = [
        *(
            (f"its first commitment: {what}", {"commitments": [point, *points[1:]]}, malformed)
            for what, point in no_points.items()
        ),
        ("a commitment too few", {"commitments": points[:-1]}, malformed),
        ("a commitment too many", {"commitments": [*points, group.GENERATOR]}, malformed),
        ("no commitments", {"commitments": None}, malformed),
        ("a wrong share and no answer", {"share_to_1": wrong, "answer": None}, unanswered),
        ("no share and no answer", {"share_to_1": None, "answer": None}, unanswered),
        ("a wrong share and a wrong answer", {"share_to_1": wrong, "answer": wrong}, unfit),
    ]
    exposed: list[tuple[str, Values, str]] = [
        ("it reveals nothing", {"reveal": None}, "it revealed no Feldman commitments, or malformed ones"),
        (
            "it reveals another polynomial's commitments",
            {"reveal": case["members"][0]["feldman"]},
            "it revealed Feldman commitments of another polynomial",
        ),
        ("it objects to a true revelation", {"objects_to": [1]}, "its complaint of member 1 is void"),
    ]
    borne: list[tuple[str, Values]] = [
        ("a wrong share, answered rightly", {"share_to_1": wrong}),
        ("a false complaint", {"accuses": [1]}),
    ]
    stays: Values = {"qualified": [1, 2, 3], "key_after": case["key"]}
    gone: Values = {"qualified": [1, 2], "key_after": key_without_the_liar(case)}
    blame: Values = {"error": "Blame", "culprits": [LIAR], "assumption": "RECORD"}
    told = [(name, lies, blame | gone | {"reason": reason}) for name, lies, reason in out]
    told += [(name, lies, blame | stays | {"reason": reason}) for name, lies, reason in exposed]
    told += [(name, lies, {"error": "none", "culprits": []} | stays) for name, lies in borne]
    told.append(equivocation(case))
    return [
        {"name": f"{case['name']}: {name}", "of": case["name"], "at": "run", "liar": LIAR, "lies": lies} | verdict
        for name, lies, verdict in told
    ]


def equivocation(case: Values) -> tuple[str, Values, Values]:
    """Two versions: member 1 hears one, members 2 and 3 the other; and which echo is true, one cannot be sure."""
    verdict = {
        "error": "Blamed",
        "reason": "it broadcast 2 different commitments",
        "culprits": [LIAR],
        "assumption": "HONEST_ECHO",
    }
    return "it tells member 1 something else", {"commitments_to_1": case["members"][0]["commitments"]}, verdict


def pool_faults(case: Values, before: Values) -> list[Values]:
    """Two shares are pooled of which one is wrong: the gap between epochs, and lies of its holder."""

    def share(member: int, of: Values, **changed: Any) -> Values:
        return {"epoch": of["epoch"], "index": member, "raw": of["shares"][member - 1]} | changed

    after = case["after"]
    wrong = scalar_bytes(scalar(after["shares"][1]) + 1)
    tries: list[tuple[str, Values, int, str]] = [
        ("a share of the epoch before", share(2, before), 2, "it is of epoch 0, not of epoch 1"),
        ("an old share under the new epoch", share(2, before, epoch=1), 2, "its share does not fit"),
        ("a share that is one more", share(2, after, raw=wrong), 2, "its share does not fit"),
        ("a share under another's index", share(2, after, index=3), 3, "its share does not fit"),
        ("a share of nobody", share(2, after, index=4), 4, "there is no member 4 among 3"),
        ("a share that is no scalar", share(2, after, raw=b"\xff" * 32), 2, "its share does not fit"),
        ("a share cut by a byte", share(2, after, raw=after["shares"][1][:-1]), 2, "its share does not fit"),
    ]
    return [
        {
            "name": name,
            "of": case["name"],
            "at": "pool",
            "shares": [share(1, after), said],
            "error": "Blamed",
            "reason": reason,
            "culprits": [culprit],
            "assumption": "RECORD",
        }
        for name, said, culprit, reason in tries
    ]


def key_cases() -> tuple[list[Values], Sharing, list[EpochShare]]:
    generation, sharing, shares = key_generation()
    refresh_ = refreshed(sharing, shares)
    faults = run_faults(generation) + run_faults(refresh_) + pool_faults(refresh_, refresh_["before"])
    return [generation, refresh_, *faults], sharing, shares


# --- TDH2 ---


def decryption(sharing: Sharing, shares: list[EpochShare]) -> Values:
    """A message to the members, and every member's part."""
    message, label = crypto.random_bytes(32), sha256(b"the label")
    noted = Noted(crypto.random_bytes(32))
    with crypto.running(noted):
        made = tdh2.encrypt(sharing.key, message, label)
    (drawn,) = noted.drawn
    r, s = (int.from_bytes(drawn[at : at + 48], "big") % Q for at in (0, 48))
    parts = [tdh2.partial(share, made) for share in shares]
    return {
        "name": "two of three",
        "t": T,
        "n": N,
        "epoch": sharing.epoch,
        "commitments": list(sharing.commitments),
        "shares": [share.raw for share in shares],
        "secret": pool(sharing, tuple(shares)).raw,
        "key": sharing.key,
        "g_bar": tdh2.G_BAR,
        "message": message,
        "label": label,
        "drawn": drawn,
        "r": scalar_bytes(r),
        "s": scalar_bytes(s),
        "point": group.multiply(sharing.key, r),
        "w": group.base(s),
        "w_bar": group.multiply(tdh2.G_BAR, s),
        "masked": made.masked,
        "u": made.u,
        "u_bar": made.u_bar,
        "proof": made.proof,
        "ciphertext": made.wire,
        "context": made.context,
        "partials": [{"epoch": p.epoch, "index": p.index, "value": p.value, "proof": p.proof} for p in parts],
    }


def ciphertext_faults(case: Values) -> list[Values]:
    """Whatever is changed, the ciphertext does not check, so that no member turns it to another purpose."""
    names = ("masked", "label", "u", "u_bar", "proof")
    e, f = case["proof"][:32], case["proof"][32:]
    another = group.add(case["u"], group.GENERATOR)

    def more(raw: bytes) -> bytes:
        return scalar_bytes(scalar(raw) + 1)

    changes: dict[str, Values] = {
        "one bit of the masked message": {"masked": flipped(case["masked"])},
        "one bit of the label": {"label": flipped(case["label"])},
        "the label of another purpose": {"label": sha256(b"another label")},
        "u is another point": {"u": another},
        "u is the other root": {"u": flipped(case["u"])},
        "u is no point": {"u": b"\x02" + b"\xff" * 32},
        "u is infinity": {"u": bytes(POINT)},
        "ū is another point": {"u_bar": another},
        "ū is u": {"u_bar": case["u"]},
        "e is one more": {"proof": more(e) + f},
        "f is one more": {"proof": e + more(f)},
        "e is not reduced": {"proof": Q.to_bytes(32, "big") + f},
    }
    wires = {name: b"".join((case | changed)[part] for part in names) for name, changed in changes.items()}
    refused = {"error": "Forged", "reason": "the ciphertext does not check"}
    told = [(name, wire, refused) for name, wire in wires.items()]
    short = {"error": "Malformed", "reason": "a TDH2 ciphertext has 194 bytes"}
    told += [("a byte too few", case["ciphertext"][:-1], short), ("a byte too many", case["ciphertext"] + b"\0", short)]
    return [{"name": name, "of": case["name"], "at": "ciphertext", "wire": wire} | said for name, wire, said in told]


def partial_faults(case: Values) -> list[Values]:
    """Of member 1's part and another one, the other is wrong."""
    first, second = case["partials"][:2]
    proof, unproven, misplaced = second["proof"], "its proof does not hold", "it is of another ciphertext"
    no_scalar = Q.to_bytes(32, "big")
    tries: list[tuple[str, Values, int, str]] = [
        ("its value is another point", {"value": group.add(second["value"], group.GENERATOR)}, 2, unproven),
        ("its value is the other root", {"value": flipped(second["value"])}, 2, unproven),
        ("its value is no point", {"value": b"\x02" + b"\xff" * 32}, 2, unproven),
        ("its value is infinity", {"value": bytes(POINT)}, 2, unproven),
        ("one bit of its proof's challenge", {"proof": flipped(proof, 8)}, 2, unproven),
        ("one bit of its proof's response", {"proof": flipped(proof, 8 * 63)}, 2, unproven),
        ("its proof is not reduced", {"proof": no_scalar + proof[32:]}, 2, unproven),
        ("its proof is cut by a byte", {"proof": proof[:-1]}, 2, unproven),
        ("it is member 1's once more, under its own index", first | {"index": 2}, 2, unproven),
        ("it is for another ciphertext", {"context": sha256(b"another")}, 2, misplaced),
        ("it is of another point", {"u": group.GENERATOR}, 2, misplaced),
        ("it is of another epoch", {"epoch": 1}, 2, "it is of epoch 1, not of epoch 0"),
        ("it is of another key", {"key": group.GENERATOR}, 2, "it belongs to another key"),
        ("it is of nobody", {"index": 4}, 4, "there is no member 4 among 3"),
    ]
    return [
        {
            "name": name,
            "of": case["name"],
            "at": "requester",
            "partials": [first, second | changed],
            "error": "Blamed",
            "reason": reason,
            "culprits": [culprit],
            "assumption": "RECORD",
        }
        for name, changed, culprit, reason in tries
    ]


def tdh2_cases(sharing: Sharing, shares: list[EpochShare]) -> list[Values]:
    case = decryption(sharing, shares)
    return [case, *ciphertext_faults(case), *partial_faults(case)]
