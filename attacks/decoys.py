"""A rogue sender lets the law open texts that nobody ever receives: fabricated evidence.

  say      the text as always, with its field beside it or without
  decoy    another text, to a device that nobody linked, with the true field of its own key beside it
  read     recipient: the text alone; the law: the decoy

Nobody complains: the field of a decoy is as it should be, and mail to nobody stays in the relay. Whether the law
believes it is a matter of proof that somebody was shown it.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 3, for rogue applications that
talk to unchanged ones; Dodis, Grubbs, Ristenpart and Woodage, CRYPTO 2018, for decoys.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Column, Turn, first_target
from attacks.lab.simulation.scenario import Scenario
from escrow import codec
from escrow.crypto import random_bytes
from escrow.e2ee import ratchet, sessions
from escrow.e2ee.content import Text
from escrow.e2ee.device import FieldContext
from escrow.e2ee.provider import Listed, Mail
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source
from escrow.wire import Wire

NOBODY = "nobody"  # a name that no device has


class Decoys(Attack):
    """Corrupt devices of warrants' targets, `rogues`: the law opens decoys in what they send.

    `instead`: their true texts carry no field that opens, so that the law has the decoys alone.
    """

    name = "decoys"
    title = "The law opens texts that nobody received"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "3", "messages")
    in_pages = True
    column = Column(3, "fabricated", "fabricated", meaning="the law opens them, and nobody sent them: clients cheat")
    specimen = "unreceived"
    stops_mail = True  # the rogue's own, where somebody looks at the field

    def __init__(self, strategy: str = "", rogues: Sequence[str] = (), instead: bool = False) -> None:
        """Name the strategy and its rogue devices, or leave both to `strategies`."""
        self.strategy, self.rogues, self.instead = strategy, tuple(rogues), instead

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme has a lawful access that opens fields."""
        return "" if scheme.opens_fields else "no lawful access to deceive"

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return decoys beside the texts of one device, then instead of them, then of all devices of the targets."""
        every = list(scenario.devices_of(scenario.targets))
        found = [
            Decoys("beside the texts of one device", first_target(scenario)),
            Decoys("instead of the texts of one device", first_target(scenario), instead=True),
        ]
        if every != first_target(scenario):
            found.append(Decoys("instead of the targets' texts", every, instead=True))
        return found

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt these devices, by default the first of the first warrant's target, from the first day."""
        return [Turn(name, 0) for name in self.rogues or first_target(scenario)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device seal a decoy, in a copy of the session, beside each text that it sends to one device."""
        honest: Any = type(party)
        instead = self.instead

        def mail_to(self: Any, wire: Wire, to: Listed, body: bytes, people: tuple[str, ...] | None) -> None:
            if people is None:
                honest.mail_to(self, wire, to, body, people)
                return
            conversing = sessions.current(self, wire, to)
            copied = msgspec.structs.replace(conversing.session)
            message, key = ratchet.encrypt(conversing.session, body, self.committing)
            said = codec.decode(body, Text)
            other = codec.encode(Text(said.conversation, random_bytes(len(said.body))))
            decoy, made = ratchet.encrypt(copied, other, self.committing)
            for sent, own in ((message, key), (decoy, made)):
                context = FieldContext(people, wire.day, sent.associated + ratchet.header(sent))
                field = b"" if instead and sent is message else self._field(own, context)
                to_whom = to.device if sent is message else NOBODY
                mail = Mail(self.name, (to_whom,), "", conversing.initial, ratchet.pack(sent), field)
                wire.tell(self.name, self.provider, mail)

        return corrupted(party, mail_to=mail_to)


ATTACK = Decoys()
