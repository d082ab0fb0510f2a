"""Replays this project's own vectors of TDH2, of GJKR's key generation and of a refresh; liars are named."""

from __future__ import annotations

from msgspec.structs import replace

from escrow import crypto
from escrow.errors import EscrowError
from escrow.primitives import group
from escrow.primitives.group import scalar, scalar_bytes
from escrow.sharing import tdh2
from escrow.sharing.dkg import extraction, gjkr, in_process, result
from escrow.sharing.dkg.gjkr import Commitments, Complaint, PublicShare, Setting, SubShare
from escrow.sharing.epochs import EpochShare, Sharing, WholeKey, pool
from escrow.sharing.proactive import refresh
from escrow.sharing.tdh2 import TdhCiphertext, TdhPartial
from escrow.vectors.case import Case, Drawn, blamed, must, refusal

# --- TDH2 ---


def _sharing(case: Case) -> Sharing:
    return Sharing(case["epoch"], case["n"], tuple(case["commitments"]))


def _shares(case: Case) -> list[EpochShare]:
    key = case["commitments"][0]
    return [EpochShare(key, case["epoch"], index, raw) for index, raw in enumerate(case["shares"], 1)]


def _ciphertext(case: Case) -> TdhCiphertext:
    return TdhCiphertext(*(case[name] for name in ("key", "masked", "label", "u", "u_bar", "proof")))


def _partial(case: Case, said: Case) -> TdhPartial:
    kind = {"key": case["key"], "u": case["u"], "context": _ciphertext(case).context}
    return TdhPartial(**(kind | said))


def replay_tdh2(case: Case) -> bool:
    """Compare encryption from the drawn bytes, every member's part, and the message by shares and by the whole key."""
    with crypto.running(Drawn(case["drawn"])):
        made = tdh2.encrypt(case["key"], case["message"], case["label"])
    must(case, masked=made.masked, u=made.u, u_bar=made.u_bar, proof=made.proof, ciphertext=made.wire)
    r, s = (int.from_bytes(case["drawn"][at : at + 48], "big") % group.Q for at in (0, 48))
    point, w_bar = group.multiply(case["key"], r), group.multiply(tdh2.G_BAR, s)
    must(case, g_bar=tdh2.G_BAR, r=scalar_bytes(r), s=scalar_bytes(s), point=point, w=group.base(s), w_bar=w_bar)
    must(case, context=made.context)
    sharing, shares = _sharing(case), _shares(case)
    parts = [tdh2.answer(share, made) for share in shares]
    for said, share, part in zip(case["partials"], shares, parts, strict=True):
        must(said, epoch=part.epoch, index=part.index, value=part.value, proof=part.proof)
        must(case, key=share.key)
    for first in range(len(parts)):
        chosen = [parts[first], parts[first - 1]]
        must(case, message=tdh2.decrypt(sharing, made, chosen).value)
        must(case, point=tdh2.combine(sharing, tuple(chosen)).value)
    must(case, secret=pool(sharing, tuple(shares)).raw, t=sharing.t)
    opened = tdh2.decapsulate(WholeKey(case["key"], case["secret"]), made)
    must(case, message=tdh2.unmask(made, opened).value)
    return True


def fault_of_tdh2(of: Case, fault: Case) -> Case:
    """Return the verdict of member 1 on a ciphertext, or of a requester on two members' parts."""
    try:
        if "wire" in fault:
            tdh2.answer(_shares(of)[0], tdh2.read(of["key"], fault["wire"]))
        else:
            tdh2.decrypt(_sharing(of), _ciphertext(of), [_partial(of, said) for said in fault["partials"]])
    except EscrowError as error:
        return refusal(error)
    return {}


# --- key generation and refresh ---


class Scripted(in_process.LocalMember):
    """A member that says what a fault says in place of the truth, and is honest in everything else."""

    def __init__(self, setting: Setting, index: int, lies: Case) -> None:
        super().__init__(setting, index)
        self.lies = lies

    def _points(self, name: str) -> Commitments | None:
        points = self.lies[name]
        return None if points is None else Commitments(self.setting.session, self.index, tuple(points))

    def commitments_to(self, member: int) -> Commitments | None:
        """Return the scripted commitments, to all or to member 1 only; else the honest ones."""
        to_one = "commitments_to_1" in self.lies and member == 1
        if to_one or "commitments" in self.lies:
            return self._points("commitments_to_1" if to_one else "commitments")
        return super().commitments_to(member)

    def share_to(self, member: int) -> SubShare | None:
        """Return member 1's scripted share, or none; else the honest one."""
        if member != 1 or "share_to_1" not in self.lies:
            return super().share_to(member)
        said = self.lies["share_to_1"]
        return None if said is None else replace(self.subshares[1], **said)

    def complain(self, record: in_process.Broadcasts) -> list[Complaint]:
        """Return the honest complaints and the scripted false ones."""
        false = [Complaint(self.setting.session, self.index, dealer) for dealer in self.lies.get("accuses", ())]
        return [*super().complain(record), *false]

    def answer(self, record: in_process.Broadcasts) -> list[PublicShare]:
        """Return the scripted answers, or none; else the honest ones."""
        honest = list(super().answer(record))
        if "answer" not in self.lies:
            return honest
        said = self.lies["answer"]
        return [replace(each, **said) for each in honest] if said is not None else []

    def reveal(self, record: in_process.Broadcasts) -> Commitments | None:
        """Return the scripted Feldman commitments; else the honest ones."""
        return self._points("reveal") if "reveal" in self.lies else super().reveal(record)

    def object(self, record: in_process.Broadcasts) -> list[PublicShare]:
        """Return the honest objections and the scripted void ones."""
        void = extraction.opened(self.setting, self.index, self.lies.get("objects_to", ()), self.settled)
        return [*super().object(record), *void]


def _setting(case: Case) -> Setting:
    if case["kind"] == "refresh":
        return refresh.setting(_sharing(case["before"]), case["session"])
    return gjkr.gjkr(case["session"], case["t"], case["n"])


def _run(case: Case, liar: int = 0, lies: Case | None = None) -> tuple[in_process.RunResult, list[Scripted]]:
    """Hold the whole run; each member draws what the case says."""
    setting = _setting(case)
    members = [Scripted(setting, index, (lies or {}) if index == liar else {}) for index in setting.members]
    with crypto.running(Drawn(*(piece for member in case["members"] for piece in member["drawn"]))):
        return in_process.run(members), members


def _after(case: Case, made: in_process.RunResult) -> tuple[Sharing, list[EpochShare]]:
    """Return the sharing that the run leaves, and every member's share of it."""
    sums = [share for _, share in sorted(made.shares.items())]
    if case["kind"] == "key":
        return result.first_sharing(made.outcome), [result.first_share(made.outcome, each) for each in sums]
    sharing, renewal = refresh.renewed(_sharing(case["before"]), made.outcome)
    shares = zip(_shares(case["before"]), sums, strict=True)
    return sharing, [refresh.renew(share, renewal, each) for share, each in shares]


def replay_dkg(case: Case) -> bool:
    """Compare every value that a member keeps or sends in the run, and the sharing that it leaves."""
    made, members = _run(case)
    for said, member in zip(case["members"], members, strict=True):
        must(said, values=list(member.polynomials.values), blindings=list(member.polynomials.blindings))
        must(said, commitments=list(member.commitments.points))
        sent = [member.subshares[index] for index in sorted(member.subshares)]
        must(said, shares=[{"value": each.value, "blinding": each.blinding} for each in sent])
        must(said, feldman=list(made.record.revealed[member.index].points), sum=made.shares[member.index].raw)
    sharing, shares = _after(case, made)
    after = {"epoch": sharing.epoch, "n": sharing.n, "commitments": list(sharing.commitments)}
    must(case, t=sharing.t, n=sharing.n, after=after | {"shares": [share.raw for share in shares]})
    key = pool(sharing, tuple(shares))
    must(case, secret=key.raw, key=key.key)
    return group.base(scalar(key.raw)) == case["key"] and not made.blames


def fault_of_dkg(of: Case, fault: Case) -> Case:
    """Return the verdict of a run with one liar, or of pooling shares one of which is wrong."""
    try:
        if fault["at"] == "pool":
            key = of["key"]
            pool(_sharing(of["after"]), tuple(EpochShare(key, **said) for said in fault["shares"]))
            return {}
        made, _ = _run(of, fault["liar"], fault["lies"])
        sharing, _ = _after(of, made)
    except EscrowError as error:
        return refusal(error)
    said: Case = {"error": "Blame" if made.blames else "none", "qualified": list(made.record.qualified)}
    return said | {"key_after": sharing.key} | blamed(made.blames)
