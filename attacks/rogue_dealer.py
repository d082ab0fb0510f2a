"""A dealer of shares deals wrong ones, answers no complaint, and is silent when it is asked to decrypt.

  deal     to every other member a share that is one off its commitments' value
  after    no answer to a complaint; no part of any decryption

A member that does not check its share holds a useless one. A member that checks complains: then a dealer among several
is disqualified and the rest make the key without it; if it is the only dealer, there is no key, and what becomes of
texts is the clients' decision.
Source: Gennaro, Jarecki, Krawczyk, Rabin, "Secure Distributed Key Generation", EUROCRYPT '99, figure 2.
"""

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from attacks.kernels.wrong_shares import one_off, sealing_wrong
from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.errors import Unreachable
from escrow.principal import Principal, corrupted
from escrow.scheme import Finding, Scheme, Source
from escrow.sharing.committee.member import Member
from escrow.sharing.committee.rounds import MemberRun
from escrow.sharing.dkg.gjkr import SubShare
from escrow.warrant import Answered, Request
from escrow.wire import Wire


class RogueDealer(Attack):
    """Corrupt a dealer: it deals wrong shares, answers no complaint and no request."""

    name = "rogue-dealer"
    title = "Who deals shares deals wrong ones"
    source = Source("Gennaro et al.", "Secure Distributed Key Generation", 1999, "figure 2", "messages")
    in_pages = True
    findings = (
        Finding(
            5,
            name,
            "**Who deals the shares**: a dealer of wrong shares ends the lawful access of `split-key`, where one "
            "dealer makes the key: the law reads {split-key.lawful} of {split-key.entitled} texts. In `threshold` the "
            "agents make the key together and put the liar out: the law reads {threshold.lawful}.",
            ("split-key.lawful < split-key.entitled", "threshold.lawful > split-key.lawful"),
        ),
    )
    specimen = "unverified_shares"

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless a party of the scheme deals shares of an escrow key."""
        return "" if _dealers(cast) else "nobody deals shares of an escrow key"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the dealer, or the first of several, from the first day."""
        return [Turn(_dealers(cast)[0], 0)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the party deal wrong shares to the others, and answer no complaint and no request."""
        honest: Any = type(party)

        def hand(self: Any, wire: Wire, run: MemberRun, share: SubShare) -> None:
            """Send one member's sub-share, wrong unless it is the dealer's own."""
            honest.hand(self, wire, run, share if share.member == self.index else one_off(share))

        def rebut(self: Any, wire: Wire, run: MemberRun) -> None:
            """Answer no complaint."""

        def on_request(self: Any, sender: str, request: Request, wire: Wire) -> Answered:
            raise Unreachable(f"{self.name} is silent")

        if isinstance(party, Member):
            return corrupted(party, hand=hand, rebut=rebut, on_request=on_request)
        wrong: dict[str, Any] = {name: sealing_wrong(method, type(scheme)) for name, method in _methods(honest).items()}
        wrong |= {"rebut": lambda *_: None} if "rebut" in wrong else {}
        return corrupted(party, None, **wrong)


def _dealers(cast: Cast) -> list[str]:
    """Return the officials that deal."""
    return [name for name in cast.dealers if name in cast.officials]


def _methods(kind: type[Principal]) -> dict[str, Callable[..., Any]]:
    """Return the methods of a dealer's class, but for those that all principals have."""
    names = {name for each in kind.__mro__ for name in vars(each) if not name.startswith("_")}
    methods = {name: getattr(kind, name) for name in sorted(names) if not hasattr(Principal, name)}
    return {name: method for name, method in methods.items() if isinstance(method, FunctionType)}


ATTACK = RogueDealer()
