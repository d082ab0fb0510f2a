"""One member of a committee opens a run with a transport key to which nothing can be sealed, or with another's.

Every loop over recipients must go on to the others: the honest stay in QUAL, and the liar is named.
"""

import pytest
from committee_faults import Faulty, World, lying

from escrow import crypto
from escrow.primitives import group
from escrow.sharing.committee.announced import KnownSharings
from escrow.sharing.committee.clock import hold_run
from escrow.sharing.committee.member import Member
from escrow.sharing.committee.rounds import Dealing, Opening, Purpose, seal_share
from escrow.sharing.dkg.gjkr import Setting

sizes = pytest.mark.parametrize(("t", "n"), [(2, 3), (3, 5)])
hidings = pytest.mark.parametrize("generation", ["gjkr", "joint-feldman"])

KEYS = {  # u-coordinates on which X25519 gives zero (RFC 7748, section 6.1), wrong lengths, and none
    "zero": bytes(32),
    "one": (1).to_bytes(32, "little"),
    "order 8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "p - 1": (2**255 - 20).to_bytes(32, "little"),
    "p": (2**255 - 19).to_bytes(32, "little"),
    "empty": b"",
    "short": b"\x09" * 31,
    "long": b"\x09" * 33,
    "P-256": group.GENERATOR,
    "missing": None,
    "another's": "another's",
}
hostile = pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())


class Opened(Faulty):
    """Tells the others a key that is not its own, or none; and remembers what it deals."""

    transport = None
    dealt = []

    def open(self, wire, run):
        if not self.lies(run):
            super().open(wire, run)
            return
        known = None if self.sharing is None else (self.sharing, self.roster)
        told = self.transport if self.transport != "another's" else next(iter(run.transports.values()))
        if told is not None:
            self._to_all(wire, Opening(run.purpose.session, told, known))

    def deal(self, wire, run):
        super().deal(wire, run)
        if self.lies(run) and run.polynomials is not None:
            self.dealt.append(run.polynomials)


def opened(key, when):
    """The class of a liar that tells this key."""
    return type("Opened", (Opened,), {"when": when, "transport": key, "dealt": []}, tag="Opened")


def held(t, n, generation, key, when, liar=None):
    """Two mornings with one liar, and its class; the last agent by default, which has heard the others' keys."""
    kind = opened(key, when)
    return World({liar or n: kind}, mornings=2, t=t, n=n, generation=generation), kind


@sizes
@hidings
@hostile
@pytest.mark.parametrize("when", ["key", "refresh", "recovery"])
def test_a_member_with_a_hostile_key_is_named_and_all_others_get_theirs(t, n, generation, key, when):
    world, kind = held(t, n, generation, key, when)
    assert world.blamed() == {n}
    assert world.dealers() == tuple(range(1, n + 1))
    assert not {who for _, who, _ in world.wire.refusals} & {each.name for each in world.honest}
    assert all(agent.share is not None and agent.run is None for agent in world.honest)
    assert group.base(group.scalar(world.pooled().raw)) == world.sharing.key
    assert kind.dealt
    for polynomials in kind.dealt:
        assert group.base(group.scalar(polynomials.values[0])) != world.sharing.key


@sizes
@hidings
@pytest.mark.parametrize("key", [bytes(32), b"", None], ids=["zero", "empty", "missing"])
@pytest.mark.parametrize("liar", [1, 2])
def test_where_the_liar_stands_in_the_loop_changes_nothing(t, n, generation, key, liar):
    for when in ("key", "refresh"):
        world, _ = held(t, n, generation, key, when, liar)
        assert world.blamed() == {liar}
        assert world.dealers() == tuple(range(1, n + 1))


@sizes
@hidings
@hostile
def test_who_asks_for_its_share_under_a_hostile_key_gets_none_and_no_helper_is_blamed(t, n, generation, key):
    """The liar is the member that lost its share: agent 2, on the first morning."""
    world = World({2: opened(key, "recovery")}, mornings=1, t=t, n=n, generation=generation)
    assert world.agent(2).share is None
    assert world.blamed() <= {2} and all(who == "agent-2" for _, who, _ in world.wire.refusals)
    assert "agent-2" in {who for _, who, _ in world.wire.refusals}
    if key != "another's":
        assert world.blamed() == {2}
    world.pooled()


@sizes
def test_the_owner_of_a_copied_key_is_not_blamed_even_if_the_copy_arrives_first(t, n):
    class Rushing(Opened):
        def on_opening(self, sender, packet: Opening, wire):
            super().on_opening(sender, packet, wire)
            if self.lies(self.run) and sender == "agent-1":
                self._to_all(wire, Opening(packet.session, packet.transport, None))

        def open(self, wire, run):
            if not self.lies(run):
                super().open(wire, run)

    world = World({2: lying(Rushing, "key")}, t=t, n=n)
    assert world.blamed() == {2} and world.dealers() == tuple(range(1, n + 1))


# --- the tests above catch a loop that ends at the first error ---


@sizes
@hidings
@pytest.mark.parametrize("when", ["key", "refresh"])
@pytest.mark.parametrize("ends", [True, False])
def test_a_loop_that_ends_at_the_first_error_is_caught(t, n, generation, when, ends, monkeypatch):
    """If besides no run ends for its small QUAL, the liar deals alone."""

    def hand(self, wire, run, share):
        if share.member == self.index:
            run.received.append(share)
        elif (to := run.transports.get(self.names[share.member - 1])) is not None:
            self._tell(wire, share.member, Dealing(share.session, seal_share(to, share)))

    monkeypatch.setattr(Member, "hand", hand)
    if not ends:
        monkeypatch.setattr(Setting, "insist", lambda self, qualified, blames=(): None)
        liars = {1: opened(bytes(32), when)}
        assert World(liars, mornings=when == "refresh", t=t, n=n, generation=generation).dealers() == (1,)
    with pytest.raises(AssertionError):
        test_a_member_with_a_hostile_key_is_named_and_all_others_get_theirs(t, n, generation, bytes(32), when)
    with pytest.raises(AssertionError):
        test_where_the_liar_stands_in_the_loop_changes_nothing(t, n, generation, bytes(32), 1)


@sizes
def test_a_helper_that_lends_outside_the_try_is_caught(t, n, monkeypatch):
    def sealed(self, wire, run, member, seal, value):
        to = run.transports.get(self.names[member - 1])
        return None if to is None else seal(to, value)

    monkeypatch.setattr(Member, "_sealed", sealed)
    for key in (bytes(32), None):
        with pytest.raises(AssertionError):
            test_who_asks_for_its_share_under_a_hostile_key_gets_none_and_no_helper_is_blamed(t, n, "gjkr", key)


def test_who_refuses_an_announcement_keeps_it_from_nobody():
    """An agent takes no announcements, and `nobody` does not exist; the authority is told after them."""
    world = World()
    world.authority.heard = KnownSharings(world.scheme.agents, world.scheme.t)
    for agent in world.agents:
        agent.announce(world.wire, ["agent-2", "nobody", "authority"])
    assert world.authority.heard.present == world.sharing
    assert {"agent-2", "nobody"} <= {who for _, who, _ in world.wire.refusals}


# --- too small a QUAL ends the run ---


class Dumb(Faulty):
    """Says nothing to all in runs of its kind, and hands out nothing."""

    def say(self, wire, run, *facts):
        if not self.lies(run):
            super().say(wire, run, *facts)

    def hand(self, wire, run, share):
        if not self.lies(run):
            super().hand(wire, run, share)


@sizes
@hidings
@pytest.mark.parametrize("when", ["key", "refresh"])
def test_a_qual_of_fewer_than_n_minus_t_plus_1_ends_the_run_and_nobody_adopts_its_result(t, n, generation, when):
    world = World({index: lying(Dumb, when) for index in range(1, t + 1)}, t=t, n=n, generation=generation, every=0)
    before = [agent.share for agent in world.honest]
    if when == "refresh":
        with crypto.running(world.door):
            hold_run(world.wire, world.scheme.agents, Purpose("refresh", 1))
    said = [reason for _, who, reason in world.wire.refusals if who in {each.name for each in world.honest}]
    ends = f"Blamed: QUAL has {n - t} members of the {n - t + 1} that it needs"
    assert sum(reason.startswith(ends) for reason in said) == len(world.honest)
    assert world.blamed() == set(range(1, t + 1))
    assert [agent.share for agent in world.honest] == before
    assert all(agent.run is None for agent in world.honest)
    if when == "key":
        assert {agent.sharing for agent in world.honest} == {None} and world.authority.heard.present is None
    else:
        assert {agent.sharing.epoch for agent in world.honest} == {0}
