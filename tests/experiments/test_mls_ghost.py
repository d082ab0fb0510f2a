"""Ghosts in a group of MLS: what the play says of them follows from the protocol, and silence sets are exact."""

import pytest
from msgspec.structs import replace

from attacks.experiments import mls_ghost
from attacks.experiments._mls_play import LyingDevice, MlsPlay
from attacks.experiments.mls_ghost import (
    EVERY,
    EXPERIMENT,
    NOTHING,
    TELLING,
    WAYS,
    AtCreation,
    ByCredential,
    ByExternalCommit,
    ByExternalSender,
    ByPublishedCredential,
    InTwoGroups,
    SilentSearch,
)
from attacks.lab.simulation.scenario import default
from escrow.crypto import new_signing_key
from escrow.mls.joining import new_client
from escrow.mls.mls_device import CREDENTIALS, DIRECTORY, OWN

SHORT = replace(default(), days=5, messages=30, warrants=(), ceremonies=(), one_way=())


def test_an_honest_group_reads_everything_and_tells_nobody():
    played = MlsPlay(SHORT).run()
    assert (played.alarms(), played.failed(), played.undelivered) == ((), frozenset(), 0)
    assert len(played.texts) == len([each for each in SHORT.texts() if each.group == "group-1"]) > 5
    assert not played.ghost.read and not played.marks_left()


def test_the_figures_agree():
    figures = list(EXPERIMENT.run(False, lambda *_: None))
    assert len(figures) == 9 * len(WAYS)
    assert [each.quantity for each in figures if not each.agrees] == []


def exact(search: SilentSearch):
    """The minimal silence sets by adding each check that failed, one play for each set, assuming nothing else."""
    found, level = [], {NOTHING}
    while level:
        following = set()
        for off in level:
            if search.silent(off):
                found.append(off)
            else:
                following |= {off | {lie} for lie in search.play(off).failed() - off}
        level = {off for off in following if not any(silent <= off for silent in found)}
    return found


@pytest.mark.parametrize("way", [ByExternalCommit, AtCreation])
def test_silence_sets_are_those_of_the_search_that_assumes_nothing(way):
    search = SilentSearch(way, replace(SHORT, messages=15))
    assert search.sets() == exact(search) != []


def test_a_silence_set_is_silent_and_none_of_its_parts_is():
    search = SilentSearch(ByExternalSender, SHORT)
    (off,) = search.sets()
    assert search.silent(off) and search.play(off).ghost.read
    assert not any(search.silent(off - {lie}) for lie in off)


class Unattested(ByExternalCommit):
    """A stranger whom nobody attests joins by himself."""

    name = "unattested"

    def come(self):
        self.attach(new_client(b"alice", new_signing_key()))


def test_a_leaf_that_nobody_attests_is_refused_by_those_who_check_credentials():
    def refused(off):
        played = Unattested(SHORT, off).run()
        return [each.name for each in played.devices.values() if CREDENTIALS in each.told]

    credentials = {lie for lie in EVERY if lie[0] is CREDENTIALS}
    assert len(refused(EVERY - credentials)) == 6
    assert len(refused(EVERY - {(CREDENTIALS, "others")})) == 4
    assert refused(EVERY) == []
    assert not any(lie[0] is CREDENTIALS for lie in ByCredential(SHORT, EVERY).run().failed())


def test_a_key_directory_shows_a_false_credential_to_all_or_if_it_shows_the_key_to_its_owner_alone():
    def sides(way):
        return {side for check, side in way(SHORT, EVERY).run().failed() if check is DIRECTORY}

    assert sides(ByCredential) == sides(AtCreation) == {"target", "others"}
    assert sides(ByPublishedCredential) == {"target"}
    assert sides(ByExternalCommit) == sides(MlsPlay) == set()


def test_members_of_two_groups_differ_in_what_they_compare_and_members_of_one_do_not():
    for way, groups in ((InTwoGroups, 2), (ByCredential, 1)):
        played = way(SHORT, EVERY).run()
        assert len({each.state.epoch.epoch_authenticator for each in played.active()}) == groups
        assert played.undelivered == 0 and played.ghost.read


def test_a_client_that_is_silent_about_own_leaves_is_not_taken_for_one_that_tells(monkeypatch):
    """A specimen: its smallest silence set lacks the check that it never makes."""
    honest = SilentSearch(AtCreation, SHORT).sets()
    keeps = LyingDevice.keeps
    monkeypatch.setattr(LyingDevice, "keeps", lambda self, check: check is not OWN and keeps(self, check))
    (less,) = SilentSearch(AtCreation, SHORT).sets()
    assert [less | {(OWN, "target")}] == honest


def test_a_figure_that_is_wrong_does_not_agree(monkeypatch):
    monkeypatch.setattr(mls_ghost, "WAYS", (AtCreation,))
    monkeypatch.setattr(AtCreation, "epochs", 1)
    wrong = [each.quantity for each in EXPERIMENT.run(False, lambda *_: None) if not each.agrees]
    assert wrong == ["at creation: epochs beyond the honest play's"]
    assert TELLING < EVERY
