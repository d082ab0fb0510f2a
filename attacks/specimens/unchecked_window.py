"""The agent does not check the days that a warrant covers; in the sound twin it does."""

from attacks.specimens._box import WINDOW, BoxScheme


class UncheckedWindow(BoxScheme, frozen=True, kw_only=True):
    """A box whose agent answers about any day."""

    name = "unchecked-window"
    title = "Specimen: the agent does not check the window"
    waives: tuple[str, ...] = (WINDOW,)


class CheckedWindow(BoxScheme, frozen=True, kw_only=True):
    """A box whose agent answers only about days inside the warrant's window."""

    name = "checked-window"
    title = "Twin: the agent checks the window"


SPECIMEN, TWIN = UncheckedWindow(), CheckedWindow()
