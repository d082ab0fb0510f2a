"""The baseline's protocols, each by itself: X3DH, the Double Ratchet, Sender Keys."""

from copy import deepcopy

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from escrow import codec
from escrow.crypto import new_private, new_signing_key
from escrow.e2ee import ratchet, sender_keys, x3dh
from escrow.e2ee.ratchet import Message, Pair
from escrow.e2ee.sender_keys import PeerChain
from escrow.e2ee.x3dh import Bundle, IdentityKey
from escrow.errors import EscrowError, Forged, Malformed, Refused
from escrow.testing.alterations import altered

SMALL_ORDER = [  # the u-coordinates of RFC 7748 section 6.1's all-zero check: 0, 1, two of order 8, p - 1, p, p + 1
    *(value.to_bytes(32, "little") for value in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18)),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]

# --- X3DH ---


def keys():
    """(initiator's identity, responder's identity, its prekey, its one-time prekey)."""
    return new_signing_key(IdentityKey), new_signing_key(IdentityKey), new_private(), new_private()


def bundle_of(identity, prekey, one_time):
    signature = x3dh.sign_prekey(identity, prekey.public)
    return Bundle(identity.public, prekey.public, signature, one_time.public if one_time else b"")


@pytest.mark.parametrize("with_one_time", [True, False])
def test_both_sides_agree_and_so_does_whoever_holds_the_shared_secrets(with_one_time):
    alice, bob, prekey, one_time = keys()
    one_time = one_time if with_one_time else None
    initial, root = x3dh.initiate(alice, bundle_of(bob, prekey, one_time))
    assert x3dh.accept(initial, bob, prekey, one_time) == root
    own = (prekey, bob.agreement, prekey, one_time)[: len(initial.pairs)]
    shared = [ratchet.exchange_as_b(key, pair) for key, pair in zip(own, initial.pairs, strict=True)]
    assert (x3dh.agree if one_time else x3dh.agree_without_one_time)(initial, *shared) == root
    assert initial.associated == b"\x05" + alice.agreement.public + b"\x05" + bob.agreement.public


def test_a_session_begun_with_a_one_time_prekey_is_not_agreed_on_without_it():
    alice, bob, prekey, one_time = keys()
    initial, _ = x3dh.initiate(alice, bundle_of(bob, prekey, one_time))
    three = [ratchet.exchange_as_b(key, pair) for key, pair in zip((prekey, bob.agreement, prekey), initial.pairs)]  # noqa: B905 (the fourth is what is missing)
    with pytest.raises(Forged):
        x3dh.agree_without_one_time(initial, *three)


@pytest.mark.parametrize("with_one_time", [True, False])
def test_an_initial_message_with_any_key_changed_begins_no_session_or_another(with_one_time):
    """X25519 ignores a key's highest bit, so the root may be the same; the associated data are not."""
    alice, bob, prekey, one_time = keys()
    one_time = one_time if with_one_time else None
    initial, root = x3dh.initiate(alice, bundle_of(bob, prekey, one_time))
    for other in altered(initial):
        try:
            begun = x3dh.accept(other, bob, prekey, one_time), other.associated
        except Forged:
            continue
        assert begun != (root, initial.associated)
        assert (other.ik_b, other.spk_b, other.opk_b) == (initial.ik_b, initial.spk_b, initial.opk_b)


def test_a_bundle_with_any_byte_changed_is_not_signed():
    _, bob, prekey, one_time = keys()
    bundle = bundle_of(bob, prekey, one_time)
    assert x3dh.prekey_is_signed(bundle)
    unsigned = [other for other in altered(bundle) if other.one_time == bundle.one_time]
    assert not any(map(x3dh.prekey_is_signed, unsigned))
    assert len(unsigned) == 32 + 32 + 64 + 3 * 2


@pytest.mark.parametrize("point", SMALL_ORDER, ids=range(len(SMALL_ORDER)))
def test_points_of_small_order_are_forged(point):
    alice, bob, prekey, one_time = keys()
    initial, _ = x3dh.initiate(alice, bundle_of(bob, prekey, one_time))
    for role in ("ik_a", "ek_a"):
        with pytest.raises(Forged):
            x3dh.accept(msgspec.structs.replace(initial, **{role: point}), bob, prekey, one_time)
    for role in ("prekey", "one_time"):
        with pytest.raises(Forged):
            x3dh.initiate(alice, msgspec.structs.replace(bundle_of(bob, prekey, one_time), **{role: point}))


@pytest.mark.parametrize("y", [1, 2**255 - 20, 2**255 - 18], ids=["neutral", "order 2", "neutral, not reduced"])
def test_identity_keys_of_small_order_are_forged(y):
    alice, bob, prekey, one_time = keys()
    bundle = msgspec.structs.replace(bundle_of(bob, prekey, one_time), identity=y.to_bytes(32, "little"))
    with pytest.raises(Forged):
        x3dh.initiate(alice, bundle)


@given(st.binary(min_size=32, max_size=32))
def test_an_identity_key_agrees_as_its_x25519_form(seed):
    identity = IdentityKey(IdentityKey(b"", seed).live.public_key().public_bytes_raw(), seed)
    own, other = x3dh.agreement(identity), new_private()
    assert X25519PrivateKey.from_private_bytes(own.raw).public_key().public_bytes_raw() == own.public
    assert own.exchange(other.public) == other.exchange(own.public)


# --- the Double Ratchet ---


def sessions():
    """Two sides of a new session; the initiator speaks first."""
    alice, bob, prekey, one_time = keys()
    initial, root = x3dh.initiate(alice, bundle_of(bob, prekey, one_time))
    responder = ratchet.respond(x3dh.accept(initial, bob, prekey, one_time), initial.associated, prekey)
    return [ratchet.begin(root, initial.associated), responder]


def send(session, body):
    message, _ = ratchet.encrypt(session, body)
    return ratchet.pack(message)


def receive(session, data):
    return ratchet.decrypt(session, ratchet.unpack(data, session.associated)).body


@given(
    st.lists(
        st.tuples(st.sampled_from(["send", "send", "deliver", "drop", "replay"]), st.integers(0, 1), st.integers(0, 99))
    )
)
def test_conversations_with_drops_reordering_and_replays(steps):
    """Each message opens once, whatever comes before it; a replay opens nothing and changes nothing."""
    sides, under_way, done = sessions(), ([], []), ([], [])
    for number, (what, to, which) in enumerate(steps):
        if what == "send" and sides[1 - to].sending is not None:
            body = number.to_bytes(2, "big")
            under_way[to].append((send(sides[1 - to], body), body))
        elif what in ("deliver", "drop") and under_way[to]:
            data, body = under_way[to].pop(which % len(under_way[to]))
            if what == "deliver":
                assert receive(sides[to], data) == body
                done[to].append(data)
        elif what == "replay" and done[to]:
            before = codec.encode(sides[to])
            with pytest.raises(Forged):
                receive(sides[to], done[to][which % len(done[to])])
            assert codec.encode(sides[to]) == before


def test_a_session_is_unchanged_by_any_message_with_a_bit_changed():
    alice, bob = sessions()
    receive(bob, send(alice, b"first"))
    receive(alice, send(bob, b"answer"))
    for ahead in (0, 3):  # in turn, and with messages passed over
        data = [send(alice, b"text") for _ in range(ahead + 1)][-1]
        before = codec.encode(bob)
        for other in altered(data):
            with pytest.raises(EscrowError):
                receive(bob, other)
            assert codec.encode(bob) == before
        assert receive(bob, data) == b"text"


def test_a_message_far_ahead_is_refused_and_the_bound_itself_is_not():
    alice, bob = sessions()
    receive(bob, send(alice, b""))
    for _ in range(ratchet.MAX_SKIP):
        ratchet.encrypt(alice, b"")
    ahead, too_far = send(alice, b"last allowed"), send(alice, b"one more")
    before = codec.encode(bob)
    with pytest.raises(Refused, match="skips 1001 keys"):
        receive(bob, too_far)
    assert codec.encode(bob) == before
    assert receive(bob, ahead) == b"last allowed"
    assert len(bob.skipped) == ratchet.MAX_SKIP


def test_the_bound_counts_what_a_new_chain_and_the_old_one_pass_over():
    alice, bob = sessions()
    receive(bob, send(alice, b""))
    for _ in range(ratchet.MAX_SKIP):
        ratchet.encrypt(alice, b"")
    receive(alice, send(bob, b""))
    fits = deepcopy(alice)
    assert receive(deepcopy(bob), send(fits, b"")) == b""
    ratchet.encrypt(alice, b"")
    with pytest.raises(Refused):
        receive(bob, send(alice, b""))


def test_skipped_keys_are_kept_up_to_a_bound_and_the_oldest_go_first():
    alice, bob = sessions()
    receive(bob, send(alice, b""))
    missed = []
    for _ in range(3):
        missed += [send(alice, b"missed") for _ in range(ratchet.MAX_SKIP)]
        receive(bob, send(alice, b""))
    assert len(bob.skipped) == ratchet.MAX_KEPT
    assert receive(bob, missed[ratchet.MAX_SKIP]) == b"missed"
    with pytest.raises(Forged):
        receive(bob, missed[ratchet.MAX_SKIP - 1])


def test_a_late_message_is_opened_with_the_skipped_key_of_its_own_chain():
    alice, bob = sessions()
    late = []
    for _ in range(2):
        receive(bob, send(alice, b"first"))
        late.append(send(alice, b"late"))
        receive(bob, send(alice, b"third"))
        receive(alice, send(bob, b"answer"))
    assert [key.n for key in bob.skipped] == [1, 1]
    assert [receive(bob, data) for data in reversed(late)] == [b"late", b"late"]


def test_a_responder_cannot_speak_first():
    with pytest.raises(Refused):
        ratchet.encrypt(sessions()[1], b"")


NUMBER = st.integers(0, 2**32 - 1)
DH, SEALED = st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=40)


@given(st.builds(Message, DH, NUMBER, NUMBER, st.just(b"associated"), SEALED))
def test_a_message_survives_the_wire(message):
    assert ratchet.unpack(ratchet.pack(message), b"associated") == message


@given(DH, st.binary(max_size=40))
def test_what_is_read_as_a_message_is_its_only_spelling(dh, rest):
    try:
        message = ratchet.unpack(dh + rest, b"")
    except Malformed:
        return
    assert ratchet.pack(message) == dh + rest


@given(st.integers(0, 2**21 - 1), st.integers(0, 2**21 - 1))
def test_a_message_is_at_most_sixty_bytes_longer_than_its_text(pn, n):
    alice, _ = sessions()
    alice.previous, alice.sending = pn, msgspec.structs.replace(alice.sending, n=n)
    assert len(send(alice, bytes(100))) - 100 <= 54


def test_a_pair_of_sessions_fits_in_four_kibibytes():
    sides = sessions()
    for turn in range(4):
        receive(sides[1 - turn % 2], send(sides[turn % 2], bytes(100)))
    assert sum(len(codec.encode(side)) for side in sides) <= 4096


def test_a_root_step_with_a_witness_is_verified():
    alice, bob = sessions()
    root, peer = bob.root, bob.own
    first = ratchet.unpack([send(alice, b"") for _ in range(3)][-1], alice.associated)
    shared = ratchet.exchange_as_a(peer, Pair(peer.public, first.chain))
    heard = ratchet.Answers(root.session, root.newest, first.chain, first)
    assert ratchet.turn(root, shared, heard) == ratchet.turn(root, shared)
    wrong = msgspec.structs.replace(root, value=bytes(32))
    with pytest.raises(Forged):
        ratchet.turn(wrong, shared, heard)


# --- Sender Keys ---


def chain_and_peer():
    own = sender_keys.new_chain()
    return own, PeerChain("sender", "group", own.chain, own.signer.public)


def open_group(peer, data):
    assert sender_keys.signature_holds(peer, data)
    return sender_keys.decrypt(peer, sender_keys.unpack(data)).body


@given(st.permutations(range(6)), st.integers(0, 6))
def test_group_messages_open_once_in_any_order(order, delivered):
    own, peer = chain_and_peer()
    mails = [sender_keys.encrypt(own, bytes([number]))[0] for number in range(6)]
    for number in order[:delivered]:
        assert open_group(peer, mails[number]) == bytes([number])
    for number in order[:delivered]:
        before = codec.encode(peer)
        with pytest.raises(Forged):
            sender_keys.decrypt(peer, sender_keys.unpack(mails[number]))
        assert codec.encode(peer) == before
    later = PeerChain("sender", "group", own.chain, own.signer.public)
    with pytest.raises(Forged):
        sender_keys.decrypt(later, sender_keys.unpack(mails[5]))


def test_a_group_message_with_any_bit_changed_is_not_its_senders():
    own, peer = chain_and_peer()
    data, _ = sender_keys.encrypt(own, b"text")
    assert not any(sender_keys.signature_holds(peer, other) for other in altered(data))
    resigned = data[:-64] + sender_keys.new_chain().signer.sign(data[:-64])
    assert not sender_keys.signature_holds(peer, resigned)


def test_a_group_message_far_ahead_is_refused():
    own, peer = chain_and_peer()
    own.chain = msgspec.structs.replace(own.chain, n=ratchet.MAX_SKIP + 1)
    with pytest.raises(Refused):
        sender_keys.decrypt(peer, sender_keys.unpack(sender_keys.encrypt(own, b"")[0]))
