"""The agent answers any authority that the court's signature names; in the sound twin, only the registered one."""

from attacks.specimens._box import REGISTERED, BoxScheme


class AnyAuthority(BoxScheme, frozen=True, kw_only=True):
    """A box whose agent does not check which authority asks."""

    name = "any-authority"
    title = "Specimen: the agent answers whomever a warrant names"
    waives: tuple[str, ...] = (REGISTERED,)


class RegisteredAuthority(BoxScheme, frozen=True, kw_only=True):
    """A box whose agent answers the registered authority only."""

    name = "registered-authority"
    title = "Twin: the agent answers one registered authority"


SPECIMEN, TWIN = AnyAuthority(), RegisteredAuthority()
