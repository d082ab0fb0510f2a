"""A signed tag is a key: what it opens for whoever holds it, and what the granularity of tags does to over-collection.

  user and epoch  one user's texts of one epoch     user   one user's texts for ever     epoch   everybody's of an epoch
  the law         texts that the authority opens by the tags that were signed for it, beyond those that a warrant covers
  anybody         each signed tag alone, with the recorded packets and no other secret: the texts that it opens

Both are counted in an honest play, and beside it from the tags of texts alone: of whom, of which days. Signatures
never expire, and nobody is asked when one is used. Source: Gailly, Melissaris and Romailler, "tlock", 2023, of which
the judges' signature on a tag has the form; warrants and tags are this project's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.play import play
from attacks.lab.simulation.record import Record, in_scope
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import Analysis
from escrow import codec
from escrow.codec import walk
from escrow.errors import Forged
from escrow.primitives import bls12_381
from escrow.scheme import Source
from escrow.schemes.warrant_key import Granularity, TagField, TagKey, WarrantKey, open_capsule, unwrap
from escrow.testing.world import mails_in


class TagForm(NamedTuple):
    """What a tag names, and the days of an epoch."""

    tag: Granularity
    days: int


FORMS = (
    TagForm("user and epoch", 1),
    TagForm("user and epoch", 2),
    TagForm("user", 1),
    TagForm("epoch", 1),
    TagForm("epoch", 2),
)


class WarrantTags(Experiment):
    """Count what signed tags open, for the law and for anybody, by their granularity."""

    name = "warrant-tags"
    title = "A signed tag is a key: what it opens for its holder, and over-collection by what tags name"
    source = Source("Gailly, Melissaris and Romailler", "tlock", 2023, "abstract", "warrants, tags")

    scenario = default(users=4, groups=1, days=4, messages=24)

    @property
    def missing(self) -> str:
        """Why it cannot run here: the arithmetic comes with an extra."""
        return bls12_381.missing()

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the figures of each form of tags."""
        for done, form in enumerate(FORMS):
            progress(done, len(FORMS), f"warrant-tags: {form.tag}, {form.days}")
            yield from self.figures(form)

    def figures(self, form: TagForm) -> Iterator[Figure]:
        """Yield what the authority opens beyond its warrants, and what each signed tag opens for anybody."""
        scheme = WarrantKey(tag=form.tag, days=form.days)
        record = play(scheme, self.scenario)
        last, said = self.scenario.days - 1, f"tags of {form.tag}, {form.days} days"
        orders = [warrant.order for warrant in record.warrants]
        covered = {sent.id: sent for sent in record.sent if any(in_scope(order, sent) for order in orders)}
        signed = {
            _tag(form, order.target, sent.day) for sent in covered.values() for order in orders if in_scope(order, sent)
        }
        under = {
            tag: {sent.id for sent in record.sent if any(_tag(form, name, sent.day) == tag for name in sent.people)}
            for tag in signed
        }
        opened = Analysis(scheme, record, ()).opened_by([Seizure("authority", (last,))])
        yield Figure(
            quantity=f"{said}: texts that the authority opens beyond its warrants",
            measured=len(opened - covered.keys()),
            expected=len(set().union(*under.values()) - covered.keys()),
            formula="texts of the tags that were signed",
            note=f"{len(covered)} of {len(record.sent)} texts are covered; {len(signed)} tags were signed.",
        )
        keys = {fact.tag: fact for fact in walk(record.party("authority", last), TagKey)}
        yield Figure(
            quantity=f"{said}: texts that one signed tag opens for anybody, on average",
            measured=sum(len(_opens(record, key)) for key in keys.values()) / len(keys),
            expected=sum(map(len, under.values())) / len(under),
            formula="texts sealed to the tag, ever",
            note="With the recorded packets alone; no official is asked.",
        )


def _tag(form: TagForm, user: str, day: int) -> tuple[str, int]:
    """Return a tag in the simplest form: of whom, and from which day on."""
    first = day - day % form.days
    return ("" if form.tag == "epoch" else user, 0 if form.tag == "user" else first)


def _opens(record: Record, key: TagKey) -> set[int]:
    """Return the texts of which a tag opens a message key beside some packet."""
    texts = {sent.id for sent in record.sent}  # a delivery is of no one text
    return texts & {
        text
        for packet, text in zip(record.heard, record.spoken, strict=True)
        for mail in mails_in(packet)
        if mail.field and _opened(codec.decode(mail.field, TagField), key)
    }


def _opened(field: TagField, key: TagKey) -> bool:
    for capsule in field.capsules:
        if capsule.tag.name == key.tag:
            try:
                unwrap(field, open_capsule(capsule, key))
            except Forged:
                continue
            return True
    return False


EXPERIMENT = WarrantTags()
