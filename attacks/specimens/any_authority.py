"""The agent answers any authority that the court's signature names; in the sound twin, the registered one alone."""

from attacks.specimens._box import REGISTERED, BoxScheme


class AnyAuthority(BoxScheme, frozen=True, kw_only=True):
    name = "any-authority"
    title = "Specimen: the agent answers whomever a warrant names"
    waives: tuple[str, ...] = (REGISTERED,)


class RegisteredAuthority(BoxScheme, frozen=True, kw_only=True):
    name = "registered-authority"
    title = "Twin: the agent answers one registered authority"


SPECIMEN, TWIN = AnyAuthority(), RegisteredAuthority()
