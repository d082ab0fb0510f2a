"""The sentences of the exchange and the figures that they ask for, as sentences.toml has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import resources
from typing import Annotated, Literal

import msgspec

Read = Literal["publisher", "copy", "quoted"]
Words = Annotated[str, msgspec.Meta(min_length=1)]


class FigureAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure: `count` of the cells under `attacks` (for each scheme the most), or a quantity of an experiment.

    Raises:
        ValueError: it is neither, or both.
    """

    what: Words
    attacks: tuple[str, ...] = ()
    count: str = ""
    schemes: tuple[str, ...] = ()
    names: bool = False
    excused: bool = False
    experiment: str = ""
    quantity: str = ""

    def __post_init__(self) -> None:
        """Hold the two kinds of figures apart."""
        if bool(self.attacks and self.count) == bool(self.experiment and self.quantity):
            raise ValueError(f"the figure `{self.what}` needs attacks and count, or experiment and quantity")


class Sentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence. `words` are the source's own unless it is a `paraphrase`.

    Raises:
        ValueError: it has neither figures nor a reason why there are none, or figures of which it is not said what they
            do not show.
    """

    words: Words
    where: str = ""
    read: Read | None = None
    paraphrase: bool = False
    figures: tuple[str, ...] = ()
    silent: str = ""
    not_measured: str = ""

    def __post_init__(self) -> None:
        """Check that something is said of the sentence."""
        if not (self.figures or self.not_measured):
            raise ValueError(f"`{self.words}` has no figure and no reason why there is none")
        if bool(self.figures) != bool(self.silent):
            raise ValueError(f"`{self.words}`: figures, and what they do not show, go together")


class PublishedText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published text, by a short `key`, with the sentences that are quoted from it."""

    key: Words
    author: Words
    title: Words
    date: Words
    read: Read
    sentences: tuple[Sentence, ...]


class Exchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All texts, and the figures that their sentences name.

    Raises:
        ValueError: a sentence names a figure that is not there, no sentence names a figure, or a key appears twice.
    """

    texts: tuple[PublishedText, ...]
    figures: dict[str, FigureAsked]

    def __post_init__(self) -> None:
        """Check the names."""
        named = {name for _, sentence in self.sentences() for name in sentence.figures}
        if wrong := sorted(named ^ set(self.figures)):
            raise ValueError(f"figures that are named and not there, or there and not named: {', '.join(wrong)}")
        keys = [text.key for text in self.texts]
        if len(set(keys)) != len(keys):
            raise ValueError("a key of a text appears twice")

    def only(self, keys: Collection[str]) -> Exchange:
        """Return the texts with these keys, or all if there are none, and the figures that they name."""
        texts = tuple(text for text in self.texts if not keys or text.key in keys)
        named = {name for text in texts for sentence in text.sentences for name in sentence.figures}
        return Exchange(texts, {name: asked for name, asked in self.figures.items() if name in named})

    def sentences(self) -> Iterator[tuple[PublishedText, Sentence]]:
        """Yield every sentence with its text."""
        for text in self.texts:
            for sentence in text.sentences:
                yield text, sentence


def exchange() -> Exchange:
    """Return what sentences.toml says. Raise msgspec.ValidationError, with the field, where it breaks a rule."""
    return msgspec.toml.decode(resources.files(__package__).joinpath("sentences.toml").read_bytes(), type=Exchange)
