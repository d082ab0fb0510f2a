"""The mobile adversary: 20 years of thefts over real shares, and a play's evenings, read by the closure."""

from __future__ import annotations

from functools import cache
from itertools import combinations, product

import msgspec
import pytest

from attacks.experiments import mobile
from attacks.experiments.mobile import REFRESHED, STATIC, Mobile, at_least, drawn, live, lost, lost_mixed
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.runs.experiment import experiments, reproduce
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.analysis import SERVED, Analysis
from attacks.registry import attacks
from attacks.specimens.unerased import Unerased
from escrow import crypto
from escrow.crypto import Private, Run, new_private, sha256
from escrow.primitives import group
from escrow.scheme import User
from escrow.schemes import threshold
from escrow.schemes.threshold import Threshold
from escrow.sharing.committee.rounds import Purpose

SHORT = Scenario(
    days=7, messages=7, users=(User("alice", ("alice-phone",)), User("bob", ("bob-phone",))), attack_day=3, warrants=()
)


# --- twenty years ---


@cache
def lived(name):
    schemes = {
        "static": Threshold(t=3, n=5, every=0),
        "refreshed": Threshold(t=3, n=5, reboots=False),
        "rebooted": Threshold(t=3, n=5),
        "unerased": Unerased(t=3, n=5),
    }
    with crypto.running(Run(sha256(name.encode()))):
        return live(schemes[name], 4)


@pytest.fixture(scope="module")
def found():
    return reproduce([Mobile()], 2019, False, lambda *_: None).experiments[0]


def test_the_published_chances_are_met_on_real_shares(found):
    measured = {each.quantity.split(":")[0]: each for each in found.figures if "lost" in each.quantity}
    assert found.disagree == ()
    assert abs(measured["static shares"].measured - 0.75) < 0.03
    assert abs(measured["yearly refresh"].measured - 0.023) < 0.01
    assert measured["yearly refresh, not erased"].measured == measured["static shares"].measured


def test_shares_of_different_years_are_no_key_however_many(found):
    (mixed,) = (each for each in found.figures if "different years" in each.quantity)
    assert mixed.measured == 0 and int(mixed.note.split()[0]) > 2_000


def test_the_command_draws_thousands_of_thefts_over_twenty_years():
    assert experiments()["mobile-adversary-20-years"].draws >= 4_000
    assert (mobile.YEARS, mobile.AGENTS, mobile.NEEDED, mobile.CHANCE) == (20, 5, 3, 0.05)
    assert round(STATIC, 4) == 0.7515 and round(REFRESHED, 4) == 0.0229
    assert at_least(0, 5, 0.3) == pytest.approx(1) and at_least(5, 5, 0.5) == 1 / 32


def test_thefts_are_as_frequent_as_they_should_be():
    with crypto.running(Run(b"thefts")):
        thefts = [theft for _ in range(200) for theft in drawn()]
    assert abs(len(thefts) / 20_000 - 0.05) < 4 * (0.05 * 0.95 / 20_000) ** 0.5
    assert {year for year, _ in thefts} == set(range(20)) and {agent for _, agent in thefts} == set(range(5))


@pytest.mark.parametrize("name", ["static", "refreshed", "rebooted", "unerased"])
def test_the_key_is_lost_exactly_where_the_model_says(name):
    """Every set of three thefts in four years, of three different agents, and every pair."""
    life = lived(name)
    everything = list(product(range(4), range(5)))
    for thefts in combinations(everything, 3):
        several = len({agent for _, agent in thefts}) == 3
        at_once = len({year for year, _ in thefts}) == 1
        expected = several and (at_once or name in {"static", "unerased"})
        assert lost(life, thefts) is expected
        if several and name in {"refreshed", "rebooted"}:
            assert lost_mixed(life, thefts) is at_once
    assert not any(lost(life, thefts) for thefts in combinations(everything, 2))


def test_a_life_keeps_its_key():
    life = lived("rebooted")
    assert {sharing.key for sharing in life.sharings} == {group.base(group.scalar(life.key.raw))}
    assert [sharing.epoch for sharing in life.sharings] == [0, 1, 2, 3]


# --- evenings of a play ---


class Keeping(threshold.ThresholdAgent):
    """An agent whose transport key serves every run."""

    kept: list[Private] = []

    def begin(self, purpose: Purpose) -> None:
        super().begin(purpose)
        assert self.run is not None
        self.kept = self.kept or [new_private()]
        self.run.transport = self.kept[0]


class KeptTransport(Threshold, frozen=True, kw_only=True):
    name = "kept-transport"
    title = "Specimen: the transport key of a run serves the next one too"
    agent = Keeping


@cache
def analysed(scheme):
    return Analysis(scheme, play(scheme, SHORT), tuple(attacks().values()))


def opens(scheme, *taken):
    """How many texts these seizures, (agent, evening), open together with all that was ever heard."""
    return len(analysed(scheme).opened_by([Seizure(f"agent-{agent}", (evening,)) for agent, evening in taken]))


EVENINGS = list(product(range(SHORT.days), repeat=2))


@pytest.mark.parametrize("generation", ["gjkr", "joint-feldman"])
def test_two_agents_of_one_evening_open_everything_and_of_two_evenings_nothing(generation):
    scheme = Threshold(generation=generation)
    for one, other in EVENINGS:
        for pair in ((1, 2), (2, 3), (1, 3)):
            assert opens(scheme, (pair[0], one), (pair[1], other)) == (SHORT.messages if one == other else 0)


def test_with_a_refresh_every_third_day_two_evenings_of_one_period_open_everything():
    scheme = Threshold(every=3)
    for one, other in EVENINGS:
        assert opens(scheme, (1, one), (3, other)) == (SHORT.messages if one // 3 == other // 3 else 0)


def test_static_shares_of_any_evenings_open_everything():
    scheme = Threshold(every=0)
    assert {opens(scheme, (1, one), (3, other)) for one, other in EVENINGS} == {SHORT.messages}


def test_one_agent_on_every_evening_and_all_agents_a_day_apart_are_not_enough():
    for agent in (1, 2, 3):
        assert opens(Threshold(), *((agent, evening) for evening in range(SHORT.days))) == 0
    assert opens(Threshold(), (1, 0), (2, 1), (3, 2)) == 0


def test_a_recorded_run_opens_to_no_later_theft_since_its_transport_keys_served_it_alone():
    """The archive holds every packet of every run: the sum of the sub-shares in it would join two epochs."""
    sound, specimen = Threshold(), KeptTransport()
    assert opens(sound, (1, 3), (2, 4)) == 0
    assert opens(specimen, (1, 3), (2, 4)) == SHORT.messages
    assert opens(KeptTransport(t=3, n=5), (1, 3), (2, 4), (5, 6)) == SHORT.messages
    assert opens(specimen, (1, 0), (2, 6)) == SHORT.messages
    assert opens(specimen, (1, 0), (1, 6)) == 0
    fired = analysed(specimen).adversary.fired
    assert fired["escrow.sharing.committee.rounds.open_share"] and fired["escrow.sharing.dkg.result.combine"]
    assert (
        fired["escrow.sharing.committee.rounds.complete_dealing"] and fired["escrow.sharing.proactive.refresh.unrenew"]
    )


def test_agents_that_do_not_erase_are_as_good_as_static():
    assert opens(Unerased(), (1, 1), (3, 5)) == SHORT.messages
    assert opens(Unerased(), (1, 1), (1, 5)) == 0


@pytest.mark.parametrize("n", [3, 5])
def test_t_minus_1_agents_an_epoch_for_ever_learn_nothing(n):
    """The mobile adversary at its strongest: every evening other agents, one short of the threshold."""
    t = n // 2 + 1
    scheme = Threshold(t=t, n=n)
    taken = [((evening + shift) % n + 1, evening) for evening in range(SHORT.days) for shift in range(t - 1)]
    assert opens(scheme, *taken) == 0
    more = ((SHORT.days - 1 + t - 1) % n + 1, SHORT.days - 1)
    assert opens(scheme, *taken, more) == SHORT.messages


def test_the_claim_says_as_much():
    assert [grant.period for grant in Threshold(every=3).claim.grants if grant.who == "agent-*"] == [3]
    assert msgspec.structs.asdict(Threshold())["every"] == 1


class TwoCourts(Threshold, frozen=True, kw_only=True):
    """All three agents are needed, and the third honours the warrants of another country's court."""

    name, title = "two-courts", "Threshold with an agent abroad"

    def cast(self, users, court):
        with crypto.acting("other court"):
            abroad = crypto.new_signing_key().public
        for party in super().cast(users, court):
            if party.name == "agent-3":
                party.court = abroad
            yield party


def test_a_stolen_share_adds_up_with_the_answers_of_honest_agents_of_its_epoch_whichever_it_is():
    """The court's key makes two agents answer; the third's share of any evening is the part that they lack.

    It serves for what was heard by that evening: on later ones the two answer with shares of later epochs.
    """
    scheme = TwoCourts(t=3, n=3, generation="joint-feldman")
    analysis = Analysis(scheme, play(scheme, SHORT), tuple(attacks().values()))
    for evening in range(SHORT.days):
        everything = {sent.id for sent in analysis.record.sent if sent.day <= evening}
        assert everything
        seized = [Seizure("court", (evening,)), Seizure("agent-3", (evening,))]
        assert analysis.opened_by(seized, SERVED) == everything
        assert not analysis.opened_by(seized[:1], SERVED) and not analysis.opened_by(seized[1:], SERVED)
