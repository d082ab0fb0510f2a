"""The agent leaves a copy of its key with the authority, to whom the claim grants only what warrants cover."""

from attacks.specimens._box import BoxScheme


class SpareKey(BoxScheme, frozen=True, kw_only=True):
    name = "spare-key"
    title = "Specimen: the authority holds a copy of the agent's key"
    spare: bool = True


class NoSpareKey(BoxScheme, frozen=True, kw_only=True):
    name = "no-spare-key"
    title = "Twin: the agent's key is the agent's alone"


SPECIMEN, TWIN = SpareKey(), NoSpareKey()
