"""TDH2: what t partials of one epoch open, what a requester cannot turn to another label, and who is to blame."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.lab.adversary.closure import Closure
from attacks.lab.costs.counts import units
from escrow import codec, crypto, derivation
from escrow.errors import Forged, Malformed
from escrow.primitives import group
from escrow.primitives.group import Q, scalar, scalar_bytes
from escrow.sharing import elgamal, epochs, tdh2
from escrow.sharing.blame import Blamed
from escrow.sharing.dkg import gjkr, result
from escrow.sharing.dkg.in_process import LocalMember, run
from escrow.sharing.proactive import refresh
from escrow.sharing.tdh2 import TdhCiphertext, TdhMessage, TdhPartial, TdhPoint
from escrow.vocabulary import vocabulary

MESSAGE, LABEL = b"m" * 32, b"l" * 32
BYTES = st.binary(min_size=32, max_size=32)


def made(t: int, n: int):
    """(sharing, shares) by key generation."""
    setting = (gjkr.gjkr if n >= 2 * t - 1 else gjkr.joint_feldman)(b"key", t, n)
    ran = run(LocalMember(setting, i) for i in setting.members)
    shares = [result.first_share(ran.outcome, ran.shares[i]) for i in setting.members]
    return result.first_sharing(ran.outcome), shares


def refreshed(sharing, shares):
    setting = refresh.setting(sharing, b"refresh")
    ran = run(LocalMember(setting, i) for i in setting.members)
    following, renewal = refresh.renewed(sharing, ran.outcome)
    return following, [refresh.renew(share, renewal, ran.shares[share.index]) for share in shares]


@pytest.fixture(scope="module")
def world():
    """2 of 3 at two epochs, and one ciphertext."""
    sharing, shares = made(2, 3)
    following, new = refreshed(sharing, shares)
    return sharing, shares, following, new, tdh2.encrypt(sharing.key, MESSAGE, LABEL)


def changed(fact, **values):
    """The fact with these fields, and no verdict remembered beside it."""
    return type(fact)(**{name: getattr(fact, name) for name in fact.__struct_fields__} | values)


# --- opening ---


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))), BYTES, BYTES)
def test_any_t_partials_open_and_so_does_the_whole_key(t_of_n, message, label):
    t, n = t_of_n
    sharing, shares = made(t, n)
    ciphertext = tdh2.encrypt(sharing.key, message, label)
    assert ciphertext.proven
    partials = [tdh2.answer(share, ciphertext) for share in shares]
    for chosen in itertools.combinations(partials, t):
        assert tdh2.decrypt(sharing, ciphertext, chosen) == TdhMessage(label, message)
        with pytest.raises(Forged, match=f"{t - 1} of the {t}"):
            tdh2.decrypt(sharing, ciphertext, chosen[1:])
    point = tdh2.combine(sharing, tuple(partials))
    assert point == tdh2.decapsulate(epochs.pool(sharing, tuple(shares)), ciphertext)
    assert tdh2.unmask(ciphertext, point).value == message


def test_every_epoch_opens_what_was_encrypted_before_it(world):
    sharing, shares, following, new, ciphertext = world
    for epoch, held in ((sharing, shares), (following, new)):
        assert tdh2.decrypt(epoch, ciphertext, [tdh2.answer(share, ciphertext) for share in held]).value == MESSAGE
    assert epochs.pool(sharing, tuple(shares)) == epochs.pool(following, tuple(new))


def test_sizes_are_the_published_ones(world):
    """194 bytes of ciphertext and 97 of partial on P-256, points compressed."""
    _, shares, _, _, ciphertext = world
    part = tdh2.partial(shares[0], ciphertext)
    assert len(ciphertext.wire) == tdh2.CIPHERTEXT == 194
    assert len(part.value + part.proof) == tdh2.PARTIAL == 97
    assert tdh2.read(ciphertext.key, ciphertext.wire) == ciphertext
    for wrong in (b"", ciphertext.wire[1:], ciphertext.wire + b"\x00"):
        with pytest.raises(Malformed):
            tdh2.read(ciphertext.key, wrong)


def test_messages_and_labels_have_32_bytes(world):
    for message, label in ((b"m", LABEL), (MESSAGE, b"l"), (MESSAGE * 2, LABEL)):
        with pytest.raises(ValueError, match="32 bytes"):
            tdh2.encrypt(world[0].key, message, label)
    with pytest.raises(Forged):
        tdh2.encrypt(bytes(33), MESSAGE, LABEL)


def test_a_partial_is_the_same_bytes_each_time(world):
    _, shares, _, _, ciphertext = world
    again = codec.decode(codec.encode(ciphertext), TdhCiphertext)
    assert codec.encode(tdh2.partial(shares[0], ciphertext)) == codec.encode(tdh2.partial(shares[0], again))


def test_one_seed_encrypts_the_same(world):
    def seeded():
        with crypto.running(crypto.Run(b"seed")):
            return tdh2.encrypt(world[0].key, MESSAGE, LABEL)

    assert seeded() == seeded() != tdh2.encrypt(world[0].key, MESSAGE, LABEL)


# --- what a requester cannot do ---


def mauled(ciphertext: TdhCiphertext) -> dict[str, TdhCiphertext]:
    """Ciphertexts made from one without knowing r, each of which plain ElGamal would let pass."""
    rho, e, f = 12345, ciphertext.proof[:32], ciphertext.proof[32:]
    moved = group.add(ciphertext.u, group.base(rho))
    moved_bar = group.add(ciphertext.u_bar, group.multiply(tdh2.G_BAR, rho))
    stranger = tdh2.encrypt(ciphertext.key, MESSAGE, LABEL)
    return {
        "the message flipped": changed(ciphertext, masked=bytes([ciphertext.masked[0] ^ 1]) + ciphertext.masked[1:]),
        "another label": changed(ciphertext, label=b"x" * 32),
        "u moved": changed(ciphertext, u=moved),
        "u and its twin moved": changed(ciphertext, u=moved, u_bar=moved_bar),
        "both, and f": changed(
            ciphertext, u=moved, u_bar=moved_bar, proof=e + scalar_bytes(scalar(f) + rho * scalar(e))
        ),
        "another's twin": changed(ciphertext, u_bar=stranger.u_bar),
        "another's proof": changed(ciphertext, proof=stranger.proof),
        "another's message": changed(ciphertext, masked=stranger.masked),
        "another key": changed(ciphertext, key=group.GENERATOR),
        "u negated": changed(ciphertext, u=group.negate(ciphertext.u), u_bar=group.negate(ciphertext.u_bar)),
        "no point": changed(ciphertext, u=bytes(33)),
        "no twin": changed(ciphertext, u_bar=b"\x02" + b"\xff" * 32),
        "e not reduced": changed(ciphertext, proof=Q.to_bytes(32, "big") + f),
        "no proof": changed(ciphertext, proof=b""),
        "a longer message": changed(ciphertext, masked=ciphertext.masked + b"\x00"),
        "a boundary moved": changed(
            ciphertext, masked=ciphertext.masked + ciphertext.label[:1], label=ciphertext.label[1:]
        ),
    }


NAMES = tuple(mauled(tdh2.encrypt(group.base(5), MESSAGE, LABEL)))


@pytest.mark.parametrize("name", NAMES)
def test_no_ciphertext_made_from_another_is_answered_or_opened(world, name):
    sharing, shares, _, _, ciphertext = world
    wrong = mauled(ciphertext)[name]
    assert not wrong.proven
    with pytest.raises(Forged, match="does not check"):
        tdh2.answer(shares[0], wrong)
    point = tdh2.combine(sharing, tuple(tdh2.partial(share, ciphertext) for share in shares))
    with pytest.raises(Forged):
        tdh2.unmask(wrong, point)
    with pytest.raises(Forged, match="does not check"):
        tdh2.decrypt(sharing, wrong, [tdh2.partial(share, ciphertext) for share in shares])


def test_where_plain_elgamal_opens_the_mauled_capsule_tdh2_refuses():
    """K32: partials on R + [ρ]G give [x]R; the same step on (u, ū) fails the check, whatever is done to e and f."""
    group_, shares = elgamal.deal(2, 3)
    capsule, _, shared = elgamal.encapsulate(group_)
    moved = elgamal.Capsule(group_.name, group.add(capsule.point, group.base(12345)))
    opened = elgamal.combine_partials(group_, tuple(elgamal.partial(share, moved) for share in shares))
    assert group.add(opened.value, group.negate(group.multiply(group_.key, 12345))) == shared
    ciphertext = tdh2.encrypt(group_.key, MESSAGE, LABEL)
    assert not any(mauled(ciphertext)[name].proven for name in ("u moved", "u and its twin moved", "both, and f"))


def test_a_message_of_another_length_does_not_check_even_where_its_proof_holds():
    """Its sender knows r, and can prove anything about c and L: the lengths are checked for themselves."""
    key, (r, s) = group.base(5), group.random_scalars(2)
    points = group.base(r), group.base(s), group.multiply(tdh2.G_BAR, r), group.multiply(tdh2.G_BAR, s)
    for masked, label in ((MESSAGE, LABEL), (MESSAGE + b"m", LABEL), (MESSAGE, LABEL[1:]), (b"", b"")):
        e = group.hash_to_scalar("TDH2 H2", key, masked, label, *points)
        proof = scalar_bytes(e) + scalar_bytes(s + r * e)
        made_up = TdhCiphertext(key, masked, label, points[0], points[2], proof)
        assert made_up.proven is (len(masked) == len(label) == 32)


@pytest.mark.parametrize("bit", range(0, tdh2.CIPHERTEXT * 8, 37))
def test_no_flipped_bit_of_a_ciphertext_checks(world, bit):
    ciphertext = world[4]
    flipped = bytearray(ciphertext.wire)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not tdh2.read(ciphertext.key, bytes(flipped)).proven


def test_a_thief_of_a_share_needs_no_check(world):
    """The check is a promise: without it a partial of a mauled ciphertext is a partial of its u."""
    sharing, shares, _, _, ciphertext = world
    moved = mauled(ciphertext)["u moved"]
    point = tdh2.combine(sharing, tuple(tdh2.partial(share, moved) for share in shares[:2]))
    back = group.add(point.value, group.negate(group.multiply(sharing.key, 12345)))
    assert tdh2.unmask(ciphertext, TdhPoint(sharing.key, ciphertext.u, back)).value == MESSAGE


# --- wrong partials ---


def altered(right: TdhPartial, other: TdhPartial) -> list[TdhPartial]:
    wrong = {
        "value": [other.value, group.negate(right.value), group.GENERATOR, bytes(33), b""],
        "proof": [other.proof, bytes(64), right.proof[:-1], b"", right.proof[:-1] + bytes([right.proof[-1] ^ 1])],
        "index": [other.index, 0, -1, 4, 2**40],
        "epoch": [1, -1],
        "key": [group.GENERATOR],
        "context": [bytes(32)],
        "u": [group.GENERATOR],
    }
    return [changed(right, **{name: value}) for name, values in wrong.items() for value in values]


def test_a_wrong_partial_is_named_and_passed_over(world):
    sharing, shares, _, _, ciphertext = world
    one, two, three = (tdh2.partial(share, ciphertext) for share in shares)
    assert tdh2.culprits(sharing, ciphertext, [one, two, three]) == ()
    for wrong in altered(one, two):
        assert [each.culprit for each in tdh2.culprits(sharing, ciphertext, [two, wrong, three])] == [wrong.index]
        assert tdh2.decrypt(sharing, ciphertext, [wrong, two, three]).value == MESSAGE
        with pytest.raises(Blamed) as caught:
            tdh2.decrypt(sharing, ciphertext, [wrong, two])
        assert caught.value.culprits == (wrong.index,)
        assert not epochs.misplaced(sharing, one)


def test_partials_of_two_epochs_are_refused_and_named(world):
    sharing, shares, following, new, ciphertext = world
    mixed = [tdh2.partial(shares[0], ciphertext), tdh2.partial(new[1], ciphertext)]
    with pytest.raises(Blamed, match="of epoch 0, not of epoch 1") as caught:
        tdh2.decrypt(following, ciphertext, mixed)
    assert caught.value.culprits == (1,)
    with pytest.raises(Blamed, match="of epoch 1, not of epoch 0") as caught:
        tdh2.combine(sharing, tuple(mixed))
    assert caught.value.culprits == (2,)
    relabelled = changed(mixed[0], epoch=1)
    with pytest.raises(Blamed, match="its proof does not hold"):
        tdh2.decrypt(following, ciphertext, [relabelled, mixed[1]])


def test_a_partial_proves_itself_for_its_ciphertext_only(world):
    """A second ciphertext under the same u, as its sender can make it: the proof is of one of them."""
    sharing, shares, _, _, ciphertext = world
    twin = changed(ciphertext, label=b"x" * 32)
    part = tdh2.partial(shares[0], ciphertext)
    assert (part.u, part.value) == (twin.u, tdh2.partial(shares[0], twin).value)
    assert tdh2.culprits(sharing, twin, [part])[0].fault == "it is of another ciphertext"
    assert tdh2.partial_fits(sharing, part)
    assert not tdh2.partial_fits(sharing, changed(part, context=twin.context))


def test_partials_of_several_ciphertexts_and_none_are_forged(world):
    sharing, shares, _, _, ciphertext = world
    other = tdh2.encrypt(sharing.key, MESSAGE, LABEL)
    with pytest.raises(Forged, match="several"):
        tdh2.combine(sharing, (tdh2.partial(shares[0], ciphertext), tdh2.partial(shares[1], other)))
    with pytest.raises(Forged, match="0 of the 2"):
        tdh2.combine(sharing, ())


def test_nothing_is_computed_across_keys(world):
    _, shares, _, _, ciphertext = world
    foreign, strangers = made(2, 3)
    with pytest.raises(Forged, match="another key"):
        tdh2.partial(strangers[0], ciphertext)
    with pytest.raises(Forged, match="another key"):
        tdh2.decapsulate(epochs.pool(foreign, tuple(strangers)), ciphertext)
    with pytest.raises(Blamed, match="belongs to another key"):
        tdh2.combine(foreign, tuple(tdh2.partial(share, ciphertext) for share in shares))
    with pytest.raises(Forged):
        tdh2.unmask(ciphertext, TdhPoint(foreign.key, ciphertext.u, ciphertext.u))


def test_a_verdict_is_remembered_for_its_share_key_only(world):
    sharing, shares, following, _, ciphertext = world
    part = changed(tdh2.partial(shares[0], ciphertext))
    heard: list[str] = []
    with crypto.running(crypto.Run(None, lambda call: heard.extend(units(call)))):
        verdicts = [tdh2.partial_fits(each, part) for each in (sharing, sharing, following, sharing)]
    assert verdicts == [True, True, False, True]
    assert heard.count("p256-mult") == 4
    forged = epochs.Sharing(0, 3, (sharing.key, group.GENERATOR))
    assert not tdh2.partial_fits(forged, part)
    assert tdh2.partial_fits(sharing, part)


def test_a_part_just_made_is_proven_to_its_maker_and_nothing_else_is(world):
    sharing, shares, _, _, ciphertext = world
    part = tdh2.partial(shares[0], ciphertext)
    heard: list[str] = []
    with crypto.running(crypto.Run(None, lambda call: heard.extend(units(call)))):
        assert tdh2.partial_fits(sharing, part)
    assert "p256-mult" not in heard
    assert tdh2.partial_fits(sharing, changed(part))  # the proof holds for others too, who know nothing of its making
    lie = tdh2.partial(epochs.EpochShare(sharing.key, sharing.epoch, 1, shares[1].raw), ciphertext)
    assert not tdh2.partial_fits(sharing, lie)
    assert not tdh2.partial_fits(sharing, changed(part, value=lie.value))


# --- the original form ---


def test_the_equations_are_those_of_the_original_form(world):
    """The paper's H4 hashes u_i and the two commitments; with any hash the same equations hold for the same x_i."""
    sharing, shares, _, _, ciphertext = world
    secret, nonce = scalar(shares[0].raw), 98765
    u, value = ciphertext.u, group.multiply(ciphertext.u, scalar(shares[0].raw))
    e = int.from_bytes(crypto.sha256(value, group.multiply(u, nonce), group.base(nonce)), "big") % Q
    f = (nonce + secret * e) % Q
    assert group.commitment(u, f, value, e) == group.multiply(u, nonce)
    assert group.commitment(group.GENERATOR, f, sharing.share_key(1), e) == group.base(nonce)


# --- as the closure sees it ---

RULES = vocabulary(tdh2).rules


def opens(*known) -> set[bytes]:
    """The messages that follow from these facts."""
    closure = Closure(RULES)
    for fact in known:
        closure.learn(fact)
    closure.run()
    return {fact.value for fact in closure.facts if isinstance(fact, TdhMessage)}


def test_t_shares_or_partials_of_one_epoch_open_in_the_closure_and_mixed_ones_do_not(world):
    sharing, shares, following, new, ciphertext = world
    public = (sharing, following, ciphertext)
    parts = [[tdh2.partial(share, ciphertext) for share in held] for held in (shares, new)]
    for (a, i), (b, j) in itertools.combinations(itertools.product((0, 1), range(3)), 2):
        for first, second in itertools.product(((shares, new), parts), repeat=2):
            found = opens(*public, first[a][i], second[b][j])
            assert found == ({MESSAGE} if a == b else set()), (a, i, b, j)
    assert opens(*public) == opens(*public, shares[0]) == set()


def test_the_key_pooled_from_one_epoch_opens_what_came_before_and_after(world):
    sharing, shares, following, _, ciphertext = world
    later = tdh2.encrypt(following.key, b"n" * 32, LABEL)
    assert opens(sharing, ciphertext, later, *shares[:2]) == {MESSAGE, b"n" * 32}
    assert opens(ciphertext, later, epochs.pool(sharing, tuple(shares))) == {MESSAGE, b"n" * 32}


def test_the_gate_combines_once_for_any_number_of_members():
    sharing, shares = made(3, 6)
    ciphertext = tdh2.encrypt(sharing.key, MESSAGE, LABEL)
    closure = Closure(RULES)
    for fact in (sharing, ciphertext, *(tdh2.partial(share, ciphertext) for share in shares)):
        closure.learn(fact)
    closure.run()
    (edge,) = closure.edges.gates
    assert len(edge.members) == 6
    assert edge.t == 3
    assert closure.fired["escrow.sharing.tdh2.combine"] == 1


def test_partials_of_two_ciphertexts_pass_through_two_gates(world):
    sharing, shares, _, _, ciphertext = world
    other = tdh2.encrypt(sharing.key, b"n" * 32, LABEL)
    first = tdh2.partial(shares[0], ciphertext)
    second, third = (tdh2.partial(share, other) for share in shares[1:])
    assert opens(sharing, ciphertext, other, first, second) == set()
    assert opens(sharing, ciphertext, other, first, second, third) == {b"n" * 32}


def test_the_gates_read_epoch_and_key_of_each_member(world):
    sharing, shares, _, _, ciphertext = world
    gates = {rule.function.__name__: rule for rule in RULES if isinstance(rule, derivation.Gate)}
    part = tdh2.partial(shares[2], ciphertext)
    assert set(gates) == {"pool", "combine"}
    assert gates["pool"].by(shares[2]) == (sharing.key, 0)
    assert gates["combine"].by(part) == (sharing.key, 0, ciphertext.u)
    for gate, member in ((gates["pool"], shares[2]), (gates["combine"], part)):
        assert (gate.t(sharing, member), gate.index(member), gate.verify(sharing, member)) == (2, 3, True)


def test_a_forged_partial_enters_no_gate(world):
    sharing, shares, _, _, ciphertext = world
    one, two, _ = (tdh2.partial(share, ciphertext) for share in shares)
    assert opens(sharing, ciphertext, one, two) == {MESSAGE}
    for wrong in altered(one, two):
        if wrong.u == one.u:
            assert opens(sharing, ciphertext, wrong, two) == set()
