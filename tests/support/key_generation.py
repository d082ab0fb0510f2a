"""Key generation among members of whom some lie."""

import itertools

import pytest

from escrow.primitives import group
from escrow.primitives.group import scalar, scalar_bytes
from escrow.sharing import epochs
from escrow.sharing.dkg import gjkr, result
from escrow.sharing.dkg.in_process import LocalMember, RunResult, run

SESSION = b"a key generation"
MAKES = (gjkr.joint_feldman, gjkr.gjkr)
both = pytest.mark.parametrize("make", MAKES)


def play(make, t: int, n: int, **lying: type[LocalMember]) -> RunResult:
    """One run in which `p2=Kind` makes member 2 one of that kind."""
    setting = make(SESSION, t, n)
    return run(lying.get(f"p{i}", LocalMember)(setting, i) for i in setting.members)


def holds(ran: RunResult, t: int) -> bytes:
    """The key, once everything about the result is checked: any t shares give it, and every share fits."""
    sharing = result.first_sharing(ran.outcome)
    assert sharing.t == t
    shares = [result.first_share(ran.outcome, each) for _, each in sorted(ran.shares.items())]
    assert all(epochs.share_fits(sharing, share) for share in shares)
    keys = {epochs.pool(sharing, chosen) for chosen in itertools.combinations(shares, t)}
    (key,) = keys
    assert group.base(scalar(key.raw)) == sharing.key == key.key
    return sharing.key


def other(share):
    """The share, wrong by one."""
    return type(share)(**fields(share) | {"value": scalar_bytes(scalar(share.value) + 1)})


def fields(fact) -> dict:
    return {name: getattr(fact, name) for name in fact.__struct_fields__}
