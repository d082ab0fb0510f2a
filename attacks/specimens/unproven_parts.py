"""The authority of split keys combines the first parts that it gets, proven or not.

SPECIMEN leaves out the proofs; TWIN is split-key itself.
"""

from collections.abc import Iterator

from attacks.lab.simulation.scenario import default
from attacks.specimens import OURS
from escrow.errors import EscrowError
from escrow.schemes.split_key import SplitAuthority, SplitField, SplitKey, open_partial
from escrow.sharing.elgamal import Partial
from escrow.warrant import Warrant
from escrow.wire import Wire


class UnprovenParts(SplitKey, frozen=True, kw_only=True):
    """Split key whose authority combines the first t parts without a check of their proofs."""

    name = "unproven-parts"
    title = "Specimen: the authority takes parts as they come"
    source = OURS

    def _partials(
        self, authority: SplitAuthority, wire: Wire, warrant: Warrant, field: SplitField
    ) -> Iterator[Partial]:
        for name in self.agents[: self.t]:
            try:
                yield open_partial(authority.ask(wire, name, warrant, field), authority.key.agreement)
            except EscrowError as error:
                wire.complain(authority.name, error)


SPECIMEN = UnprovenParts()
TWIN = SplitKey()
SCENARIO = default(users=3, groups=0, days=3, messages=12)
