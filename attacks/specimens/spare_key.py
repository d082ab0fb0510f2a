"""The agent leaves a copy of its key with the authority; the claim grants the authority only what warrants cover."""

from attacks.specimens._box import BoxScheme


class SpareKey(BoxScheme, frozen=True, kw_only=True):
    """A box whose authority has a copy of the agent's key in its state."""

    name = "spare-key"
    title = "Specimen: the authority holds a copy of the agent's key"
    spare: bool = True


class NoSpareKey(BoxScheme, frozen=True, kw_only=True):
    """A box whose agent alone has its key."""

    name = "no-spare-key"
    title = "Twin: the agent's key is the agent's alone"


SPECIMEN, TWIN = SpareKey(), NoSpareKey()
