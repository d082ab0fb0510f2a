"""Gennaro and others, section 3.2, with fewer runs than the command makes: the bias, and that GJKR removes it."""

import pytest

from attacks.experiments import dkg_bias
from attacks.experiments.dkg_bias import Aborting, DkgBias, P, small_group
from attacks.lab.runs.experiment import experiments, reproduce
from escrow import crypto
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import Q
from escrow.sharing.dkg import gjkr
from escrow.sharing.dkg.in_process import LocalMember, run
from escrow.sharing.pedersen import P256


class Short(DkgBias):
    runs = 800


def test_an_aborting_dealer_gets_its_bit_three_times_in_four_and_under_gjkr_one_in_two():
    (found,) = reproduce([Short()], 2019, False, lambda *_: None).experiments
    joint, gjkr = found.figures
    assert found.disagree == ()
    assert (joint.published, gjkr.expected) == (0.75, 0.5)
    assert abs(joint.measured - 0.75) < 4 * joint.error < 0.07
    assert abs(gjkr.measured - 0.5) < 4 * gjkr.error < 0.08
    assert joint.measured - gjkr.measured > 4 * (joint.error + gjkr.error)
    assert "262 bits" in joint.note


def test_the_command_runs_at_least_twenty_thousand_key_generations_of_each_kind():
    assert experiments()["dkg-bias"].runs >= 20_000


@pytest.mark.parametrize("make", [gjkr.joint_feldman, gjkr.gjkr])
@pytest.mark.parametrize("over", [small_group(), P256], ids=["small group", "P-256"])
def test_honest_members_toss_a_fair_coin(make, over):
    runs = 200 if over is not P256 else 40
    with crypto.running(crypto.Run(b"fair")):
        heads = dkg_bias.wanted(make, LocalMember, runs, over, lambda _: None)
    assert abs(heads / runs - 0.5) < 4 * 0.5 / runs**0.5


def test_the_dealer_is_out_half_the_time_in_joint_feldman_and_exposed_half_the_time_in_gjkr():
    """The price of the bias: the paper's adversary is caught each time it does not like the key."""
    runs, over = 200, small_group()
    with crypto.running(crypto.Run(b"caught")):
        for make in (gjkr.joint_feldman, gjkr.gjkr):
            out = exposed = 0
            for _ in range(runs):
                setting = make(b"run", 2, 3, over)
                record = run([LocalMember(setting, 1), LocalMember(setting, 2), Aborting(setting, 3)]).record
                assert len(record.complaints) == 1
                out += 3 not in record.qualified
                exposed += 3 in record.exposed
            assert abs(out / runs - 0.5) < 4 * 0.5 / runs**0.5
            if make is gjkr.gjkr:
                assert abs(exposed / runs - 0.25) < 4 * 0.5 / runs**0.5
            else:
                assert exposed == 0


# --- the small group ---


def test_the_small_group_is_a_group_of_order_q():
    over = small_group()
    small = over.group
    generator = small.base(1)
    a, b = group.random_scalars(2)
    assert int.from_bytes(generator, "big") != 1 == pow(int.from_bytes(generator, "big"), Q, P)
    assert pow(3, P - 1, P) == 1
    assert P.bit_length() == 262
    assert small.add(small.base(a), small.base(b)) == small.base(a + b)
    assert small.multiply(small.base(a), b) == small.base(a * b)
    assert small.multi([generator, over.h], [a, b]) == over.commit(a, b)
    powers = [small.base(a), small.base(b), generator]
    assert small.horner(powers, 7) == small.base(a + 7 * b + 49)
    assert pow(int.from_bytes(over.h, "big"), Q, P) == 1
    for wrong in (b"", bytes(33), P.to_bytes(33, "big"), generator + b"\x00"):
        with pytest.raises(Forged):
            small.add(wrong)
