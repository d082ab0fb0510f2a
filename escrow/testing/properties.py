"""The properties that every scheme must have, tested on random conversations; for authors of schemes.

  for name, holds, detail in properties.check(SCHEME): ...

One counterexample breaks a property, and `detail` describes it. The properties of what an adversary derives are in the
attack lab (attacks.lab.runs.conformance). It imports hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from escrow import codec, crypto
from escrow.codec import Packet
from escrow.confidential import Confidential, unsealed
from escrow.derivation import RuleError
from escrow.errors import EscrowError
from escrow.principal import corrupted, revive
from escrow.registry import replaced_by
from escrow.scheme import Scheme
from escrow.testing.alterations import field_of, loose, module_of, replaced, types_of, with_field
from escrow.testing.binding import TALK, a_field_is_bound, a_request_is_bound, parts, resized, spoken, without
from escrow.testing.elsewhere import Kept, KeptSecrets, kept_by
from escrow.testing.false_labels import (
    a_false_label_is_named,
    a_missing_field_is_no_success,
    honest_late_mail_is_not_blamed,
)
from escrow.testing.harness import DAYS, DEVICES, GROUPS, NAMES, Harness, Seen, Step, playing
from escrow.testing.keys_under_names import (
    a_changed_key_rotates_sender_chains,
    a_first_message_is_shown_once,
    a_text_is_shown_under_a_listed_key_only,
    no_device_is_hidden_for_its_looks,
    no_text_under_a_key_not_listed_and_shown,
    silence_ends_with_its_warrant,
)
from escrow.testing.naming import no_key_is_told_without_a_request, whom_a_warrant_is_about_is_not_overheard
from escrow.testing.packets.disturbed import a_disturbed_step_gives_no_weaker_success
from escrow.testing.packets.floods import (
    a_drained_stock_is_full_again_the_next_morning,
    a_flood_is_refused_by_name_and_hurts_nobody,
)
from escrow.testing.packets.hostile import a_bad_key_stops_nobody_else, a_late_word_stops_no_mail, no_answer_ends_no_day
from escrow.testing.packets.mismade import what_a_sender_made_wrongly_is_blamed_on_no_official
from escrow.testing.packets.misstated import what_is_said_is_checked_or_listed
from escrow.testing.packets.retold import Retelling
from escrow.testing.packets.strangers import (
    a_new_member_raises_a_notice,
    only_members_change_a_group,
    texts_of_strangers_are_not_shown,
    who_is_named_twice_is_sent_one_text,
)
from escrow.testing.trying import QUICK, Broken, raised_in, require, settings, st, tried
from escrow.vocabulary import vocabulary
from escrow.warrant import AuthorityKey, CourtKey, Official, Request, Warrant, issue
from escrow.wire import Heard

SAY = st.builds(Step, st.just("say"), st.sampled_from(DEVICES), st.sampled_from([*NAMES, *(g.name for g in GROUPS)]))
COLLECT = st.builds(Step, st.just("collect"), st.sampled_from(DEVICES), st.just(""))  # an unsaid one would be drawn
PAIR = st.sampled_from([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
READ = st.sampled_from([Step("collect", "alice-phone"), Step("collect", "bob-phone")])
TURN = st.sampled_from([Step("late"), Step("day")])
STEPS = st.lists(PAIR | READ | PAIR | READ | SAY | COLLECT | TURN, min_size=4, max_size=16)  # two talk most
KIND = st.lists(st.sampled_from(["now", "late"]), min_size=1, max_size=7)
ROUGH = st.lists(st.sampled_from(["now", "late", "lost", "twice", "damaged"]), min_size=1, max_size=7)
TARGETS = st.sampled_from(NAMES)
SPAN = st.lists(st.integers(0, DAYS - 1), min_size=3, max_size=3).map(sorted)
SPEECH = st.lists(st.tuples(st.integers(0, DAYS - 1), SAY), min_size=3, max_size=8)

# --- parties and what they keep ---


def a_party_is_its_fields(scheme: Scheme, how: settings) -> None:
    """Require that every party restored from its state equals the party, and has the same state."""

    @tried(how, 4, STEPS, ROUGH)
    def case(steps: list[Step], fates: list[str]) -> None:
        with playing(scheme, fates) as harness:
            for step in steps:
                harness.take(step)
            for name, party in harness.wire.parties.items():
                back = revive(party.state(), type(party))
                require(back == party, f"{name} restored from its state is another party")
                require(back.state() == party.state(), f"{name} restored from its state has another state")


UNUSUAL = (0x5EEC, 0x5EED)  # seeds of its own


def nothing_is_kept_elsewhere(scheme: Scheme, how: settings) -> None:
    """Require that parties restored from their states after every step continue as if they had not been.

    And nothing that was not told to everybody stays in the scheme's module: a thief of states would not find it.
    """

    @tried(how, 4, STEPS, ROUGH)
    def case(steps: list[Step], fates: list[str]) -> None:
        results = []
        for forgetful in (False, True):
            with playing(scheme, fates, forgetful) as harness:
                wire = harness.play(steps).wire
                heard = () if scheme.seedable else wire.heard  # else two runs differ in any case
                results.append((heard, wire.shown, wire.alarms, wire.refusals))
        require(results[0] == results[1], "parties restored from their states continue differently")

    module, before, secrets = module_of(scheme), set[Kept](), KeptSecrets()
    for seed in UNUSUAL:  # another property's play would leave what this one leaves
        before = set(kept_by(module))
        with playing(scheme, seed=seed, observer=secrets) as harness:
            spoken(harness, issue(harness.court.key, harness.order("alice")))
            told = b"".join(packet.data for packet in harness.wire.heard)
    for name, value, cached in set(kept_by(module)) - before:
        harmless = len(value) < 16 or value in told or (cached and not secrets.has(value))
        require(harmless, f"`{name}` keeps {len(value)} bytes outside every party's state")
    for name in replaced_by(module.__name__):
        raise Broken(f"it replaces {name} for every scheme")


def state_is_typed(scheme: Scheme, how: settings) -> None:
    """Require that a party keeps only facts, names, numbers and public bytes: no secret is in bytes without a type."""
    with playing(scheme) as harness:
        for kind in {type(party) for party in harness.wire.parties.values()}:
            for where, what in loose(kind, kind.__name__, set()):
                raise Broken(f"{where} is {what}: make it a Fact, or Public if it is no secret")


# --- mail ---


def mail_arrives(scheme: Scheme, how: settings) -> None:
    """Require that late or in any order, each text is shown once on every device it is meant for, with its author."""

    @tried(how, 1, STEPS, KIND)
    def case(steps: list[Step], fates: list[str]) -> None:
        with playing(scheme, fates) as harness:
            harness.play(steps)
            _compare(harness, missing=harness.meant - harness.shown)


def shown_is_what_was_sent(scheme: Scheme, how: settings) -> None:
    """Require that if mail is lost, repeated or damaged, a text is shown once or not at all, and the rest arrives."""

    @tried(how, 1, STEPS, ROUGH)
    def case(steps: list[Step], fates: list[str]) -> None:
        with playing(scheme, fates) as harness:
            harness.play(steps)
            whole = (said for said in harness.said if not any((said.device, to) in harness.harmed for to in DEVICES))
            _compare(harness, missing=sum((said.meant for said in whole), Seen()) - harness.shown)


def _compare(harness: Harness, missing: Seen) -> None:
    """Raise Broken if texts are missing, or are shown that were not sent or not to this device."""
    for what, texts in (("missing", missing), ("shown without need", harness.shown - harness.meant)):
        for device, author, conversation, _ in texts:
            refused = harness.wire.refusals[-1:]
            raise Broken(f"on {device} a text of {author} in {conversation} is {what}; the last refusal: {refused}")


# --- lawful access ---


def access_yields_what_is_in_scope(scheme: Scheme, how: settings) -> None:
    """Require that a valid warrant yields the texts that the claim promises, and none outside the warrant."""
    promise, delay = scheme.claim.access, scheme.claim.delay

    @tried(how, 4, SPEECH, TARGETS, SPAN)
    def case(speech: list[tuple[int, Step]], target: str, span: list[int]) -> None:
        first, issued, last = span
        with playing(scheme) as harness:
            warrant = issue(harness.court.key, harness.order(target, first, last, issued))
            yielded = _through_the_days(harness, speech, warrant)
            covered = [said for said in harness.said if warrant.order.covers(said.people, said.day)]
            since = {"none": DAYS, "in scope": 0, "from service": issued + delay}[promise]
            missing = {said.body for said in covered if said.day >= since} - yielded
            outside = yielded - {said.body for said in covered}
            about = f"a warrant about {target}, days {first} to {last}, served on day {issued}"
            require(not missing, f"{about}: {len(missing)} promised texts are missing")
            bounded = scheme.claim.bounds_access
            require(not (bounded and outside), f"{about}: {len(outside)} texts outside it are yielded")


def _through_the_days(harness: Harness, speech: list[tuple[int, Step]], warrant: Warrant) -> set[bytes]:
    yielded, asked = set[bytes](), 0
    for day in range(DAYS):
        if day == warrant.order.issued:
            harness.serve(warrant)
        harness.play(step for on, step in speech if on == day)
        if day >= warrant.order.issued:
            heard = harness.intercepted()
            yielded |= harness.access(warrant, heard[asked:])
            asked = len(heard)
        harness.take(Step("day"))
    return yielded


def no_valid_warrant_no_text(scheme: Scheme, how: settings) -> None:
    """Require that officials refuse a requester whose warrant is forged, expired, too narrow, or of somebody else."""
    for what, spoil in _warrants():
        with playing(scheme) as harness:
            warrant = spoil(harness, issue(harness.court.key, harness.order("alice")))
            harness.take(Step("day"))
            opened = harness.access(warrant, spoken(harness, warrant))
            if what == "a valid warrant":
                none = scheme.claim.access == "none" or harness.wire.day <= scheme.claim.delay  # is promised yet
                require(none or bool(opened), "nothing is yielded under a valid warrant")
            else:
                beyond = harness.beyond(warrant.order, opened)
                require(not beyond, f"{len(beyond)} texts are yielded under {what}")


def _warrants() -> Iterator[tuple[str, Callable[[Harness, Warrant], Warrant]]]:
    def ordered(**changes: Any) -> Callable[[Harness, Warrant], Warrant]:
        return lambda harness, good: issue(harness.court.key, msgspec.structs.replace(good.order, **changes))

    def another_court(harness: Harness, good: Warrant) -> Warrant:
        return issue(crypto.new_signing_key(CourtKey), good.order)

    def another_requester(harness: Harness, good: Warrant) -> Warrant:
        harness.authority.key = crypto.new_signing_key(AuthorityKey)
        return good

    yield "a valid warrant", lambda harness, good: good
    yield "a forged signature", lambda harness, good: Warrant(good.order, bytes(64))
    yield "another court's signature", another_court
    yield "an order that the court did not sign", lambda harness, good: Warrant(harness.order("bob"), good.signature)
    yield "a warrant that expired", ordered(expires=0)
    yield "a warrant that is not in force yet", ordered(issued=2)
    for other in ("nobody", "alic", "lice", "Alice"):
        yield f"a warrant about somebody else, {other}", ordered(target=other)
    yield "a warrant for other days, from tomorrow on", lambda h, good: ordered(first=2 + h.scheme.claim.delay)(h, good)
    yield "a warrant for traffic data only", ordered(scope="traffic data")
    yield "a warrant for the subscriber's data only", ordered(scope="subscriber")
    yield "a request that another authority signed", another_requester


def one_bad_field_does_not_stop_the_rest(scheme: Scheme, how: settings) -> None:
    """Require that a field that is missing, damaged or another message's stops no other from giving its text.

    It does not either where officials keep no promise, and answer about a field that they should have refused.
    """
    if not scheme.opens_fields:
        return  # the texts do not come from fields
    with playing(scheme) as harness:
        warrant = issue(harness.court.key, harness.order("alice"))
        heard = spoken(harness, warrant)

        def stops_nothing(at: int, bad: Iterable[bytes]) -> None:
            rest = harness.access(warrant, [*heard[:at], *heard[at + 1 :]])
            for field in bad:
                beside = harness.access(warrant, [*heard[:at], with_field(heard[at], field), *heard[at + 1 :]])
                require(rest <= beside, f"{len(rest - beside)} texts are missing beside a bad field")

        for at, bad in enumerate(heard[:3]):
            whole = bad.mail.field
            flipped = whole[:-1] + bytes([whole[-1] ^ 1]) if whole else b""
            stops_nothing(at, (b"", b"\x00", whole[:-1], whole + b"\x00", flipped, heard[at - 1].mail.field))
        first = field_of(scheme, heard[0])
        spoilt = [codec.encode(without(first, part)) for part in parts(first)] if first else []
        other = [codec.encode(each) for part in parts(first) for each in resized(first, part)] if first else []
        stops_nothing(0, spoilt + other)
        for name, party in harness.wire.parties.items():
            if isinstance(party, Official):
                harness.wire.parties[name] = corrupted(party)
        stops_nothing(0, spoilt)


def promises_are_no_mathematics(scheme: Scheme, how: settings) -> None:
    """Require that an official whose promises are switched off answers a request without a valid warrant."""
    with playing(scheme) as harness:
        warrant = issue(harness.court.key, harness.order("alice"))
        harness.access(warrant, spoken(harness, warrant))
        worthless = Warrant(harness.order("", 9, 9, 9, 9), bytes(64))
        packets = types_of(scheme, Packet)
        for heard in [each for each in harness.wire.heard if each.src == "authority"]:
            packet = codec.decode_any(heard.data, packets)
            official = harness.wire.parties[heard.dst]
            if isinstance(packet, Confidential):
                packet = unsealed(official, heard.src, packet, Request)
            if (asked := replaced(packet, warrant, worthless)) != packet:
                puppet = corrupted(official)
                try:
                    puppet.answer("authority", codec.encode(asked), harness.wire)
                except EscrowError as error:
                    raise Broken(f"{heard.dst} with its promises off says: {error!r}") from error


def who_has_no_business_is_not_heeded(scheme: Scheme, how: settings) -> None:
    """Require that a packet told by a party that has no business with it changes no state, early or late."""
    with crypto.running(crypto.Run(bytes(32))):
        harness = Retelling(scheme)
        warrant = issue(harness.court.key, harness.order("alice"))
        harness.serve(warrant)
        harness.play(Step("say", device, to) for device, to in TALK)
        harness.take(Step("day"))
        harness.access(warrant, harness.intercepted())
    hint = "if that is meant, `escrow.principal.shared` beside the handler says why"
    require(not harness.heeded, "; ".join([*harness.heeded, hint]))


# --- the run ---


def the_seed_decides(scheme: Scheme, how: settings) -> None:
    """Require that the same seed gives the same packets and another seed others, or that the scheme says why not."""

    def packets(seed: int) -> list[Heard]:
        with playing(scheme, seed=seed) as harness:
            warrant = issue(harness.court.key, harness.order("alice"))
            harness.access(warrant, spoken(harness, warrant))
            return harness.wire.heard

    if not scheme.seedable:
        require(packets(0) == packets(0), "the same seed gives other packets")
        require(packets(0) != packets(1), "another seed gives the same packets")


def rules_are_marked(scheme: Scheme, how: settings) -> None:
    """Require that every public function over facts is marked."""
    try:
        vocabulary(module_of(scheme))
    except RuleError as error:
        raise Broken(str(error)) from error


class Property(NamedTuple):
    """A property's name, and its test: it raises Broken if the property does not hold; so does any other exception."""

    name: str
    test: Callable[[Scheme, settings], None]

    def hold(self, scheme: Scheme, how: settings = QUICK, results: crypto.Results | None = None) -> None:
        """Raise what `test` raises. Plays compute an operation with the same arguments once; `results` are kept on."""
        with crypto.running(crypto.Run(None, results=results or crypto.Results())):
            self.test(scheme, how)

    def broken(self, scheme: Scheme, how: settings = QUICK, results: crypto.Results | None = None) -> str:
        """Return how the scheme breaks this property, or an empty string. `results` serve its other properties, too."""
        try:
            self.hold(scheme, how, results)
        except Broken as broken:
            return str(broken)
        except Exception as error:  # any other error out of a party is a defect
            return raised_in(type(scheme).__module__, error)
        return ""


PROPERTIES = tuple(
    Property(test.__name__.replace("_", " "), test)
    for test in (
        a_party_is_its_fields,
        nothing_is_kept_elsewhere,
        state_is_typed,
        mail_arrives,
        shown_is_what_was_sent,
        access_yields_what_is_in_scope,
        no_valid_warrant_no_text,
        no_key_is_told_without_a_request,
        a_field_is_bound,
        a_request_is_bound,
        one_bad_field_does_not_stop_the_rest,
        promises_are_no_mathematics,
        who_has_no_business_is_not_heeded,
        a_disturbed_step_gives_no_weaker_success,
        texts_of_strangers_are_not_shown,
        only_members_change_a_group,
        a_new_member_raises_a_notice,
        who_is_named_twice_is_sent_one_text,
        no_text_under_a_key_not_listed_and_shown,
        a_changed_key_rotates_sender_chains,
        a_text_is_shown_under_a_listed_key_only,
        a_first_message_is_shown_once,
        silence_ends_with_its_warrant,
        no_device_is_hidden_for_its_looks,
        a_bad_key_stops_nobody_else,
        a_late_word_stops_no_mail,
        no_answer_ends_no_day,
        a_drained_stock_is_full_again_the_next_morning,
        a_flood_is_refused_by_name_and_hurts_nobody,
        a_false_label_is_named,
        a_missing_field_is_no_success,
        what_a_sender_made_wrongly_is_blamed_on_no_official,
        honest_late_mail_is_not_blamed,
        whom_a_warrant_is_about_is_not_overheard,
        what_is_said_is_checked_or_listed,
        the_seed_decides,
        rules_are_marked,
    )
)


def check(scheme: Scheme, how: settings = QUICK) -> Iterator[tuple[str, bool, str]]:
    """Yield (name, whether it holds, how it is broken) of each property. It takes seconds and is the same each time."""
    results = crypto.Results()
    for each in PROPERTIES:
        broken = each.broken(scheme, how, results)
        yield each.name, not broken, broken
