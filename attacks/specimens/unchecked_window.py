"""The agent does not look at the days that a warrant covers; in the sound twin it does."""

from attacks.specimens._box import WINDOW, BoxScheme


class UncheckedWindow(BoxScheme, frozen=True, kw_only=True):
    name = "unchecked-window"
    title = "Specimen: the agent does not check the window"
    waives: tuple[str, ...] = (WINDOW,)


class CheckedWindow(BoxScheme, frozen=True, kw_only=True):
    name = "checked-window"
    title = "Twin: the agent checks the window"


SPECIMEN, TWIN = UncheckedWindow(), CheckedWindow()
