"""Other libraries doing the jobs of `workload` between sessions: what the baseline here is to be compared with.

  vodozemac             Olm, in Rust (matrix-org)      3DH instead of X3DH; AES-CBC and a truncated HMAC for the AEAD
  DoubleRatchet, X3DH   Python, over `cryptography`    the AEAD, KDFs and curves that they recommend

Each job is that library's own way to its end, with its own sizes: what goes from one end to the other is bytes where
the library makes bytes, and its message object where it has no wire form (DoubleRatchet). Their methods are coroutines
that wait for nothing, so no event loop is timed. Peers are here to be measured, never to be relied upon.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle, islice, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import doubleratchet
    import x3dh

T = TypeVar("T")
Prepare = Callable[[int, bytes], Callable[[], object]]  # of so many texts, and the text: ready to be run once


class PeerMissing(Exception):
    """A package that is not installed; the message says which, and the extra of this project that has it."""


class Peer(NamedTuple):
    """Another library, its versions, and its jobs by their names in attacks.lab.costs.workload."""

    name: str
    versions: dict[str, str]
    jobs: dict[str, Prepare]


def peers() -> tuple[Peer, ...]:
    """Return all peers. Raise PeerMissing if one is not installed."""
    return tuple(peer(name) for name in PEERS)


def peer(name: str) -> Peer:
    """Return one of PEERS. Raise PeerMissing if it is not installed."""
    extra, packages, load = PEERS[name]
    try:
        versions = {package: version(package) for package in packages}
        return Peer(name, versions, load())
    except (PackageNotFoundError, ImportError) as error:
        raise PeerMissing(
            f"{name} is not installed ({error}): python -m pip install 'escrow-lab[{extra}]' installs it"
        ) from None


# --- vodozemac ---


def _vodozemac() -> dict[str, Prepare]:
    olm = _Olm(import_module("vodozemac"))
    return {"ping-pong": olm.ping_pong, "one-way": olm.one_way, "set-up": olm.set_up, "fan-out": olm.fan_out}


class _Olm:
    """Olm sessions between two accounts. The package is in no extra that this code is typed under, hence Any."""

    def __init__(self, package: Any) -> None:
        self.package = package
        self.mine, self.theirs = package.Account(), package.Account()

    def _carry_all(self, pairs: Iterable[tuple[Any, Any]], text: bytes) -> None:
        message = self.package.AnyOlmMessage
        for sender, receiver in pairs:
            receiver.decrypt(message.from_parts(*sender.encrypt(text).to_parts()))

    def _bundles(self, times: int) -> list[Any]:
        """Return one-time keys of the responder, at most as many as an account keeps at a time."""
        keys: list[Any] = []
        while len(keys) < times:
            self.theirs.generate_one_time_keys(min(times - len(keys), self.theirs.max_number_of_one_time_keys))
            keys += self.theirs.one_time_keys.values()
            self.theirs.mark_keys_as_published()
        return keys

    def _begin(self, key: Any, text: bytes) -> tuple[Any, Any]:
        session = self.mine.create_outbound_session(self.theirs.curve25519_key, key)
        sent = session.encrypt(text).to_parts()
        first = self.package.AnyOlmMessage.from_parts(*sent).to_pre_key()
        return session, self.theirs.create_inbound_session(self.mine.curve25519_key, first)[0]

    def _answered(self, text: bytes) -> tuple[Any, Any]:
        mine, theirs = self._begin(self._bundles(1)[0], text)
        self._carry_all([(theirs, mine), (mine, theirs)], text)
        return mine, theirs

    def ping_pong(self, times: int, text: bytes) -> Callable[[], object]:
        mine, theirs = self._answered(text)
        return partial(self._carry_all, islice(cycle([(theirs, mine), (mine, theirs)]), times), text)

    def one_way(self, times: int, text: bytes) -> Callable[[], object]:
        return partial(self._carry_all, repeat(self._answered(text), times), text)

    def set_up(self, times: int, text: bytes) -> Callable[[], object]:
        bundles = self._bundles(times)
        return lambda: [self._begin(key, text) for key in bundles]

    def fan_out(self, times: int, text: bytes) -> Callable[[], object]:
        sessions = [self._answered(text)[0] for _ in range(times)]
        return lambda: [session.encrypt(text).to_parts() for session in sessions]


# --- DoubleRatchet and X3DH ---


def _double_ratchet() -> dict[str, Prepare]:
    both = _Ratchets(*_recommended())
    return {"ping-pong": both.ping_pong, "one-way": both.one_way, "set-up": both.set_up, "fan-out": both.fan_out}


def _now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # typed by the coroutine
    raise RuntimeError("a coroutine waited")


def _recommended() -> tuple[type[doubleratchet.DoubleRatchet], dict[str, Any], type[x3dh.BaseState]]:
    """Return a ratchet, its parameters and a device, each as their packages recommend, with SHA-256."""
    import doubleratchet
    import x3dh
    from doubleratchet.recommended import (
        HashFunction,
        aead_aes_hmac,
        diffie_hellman_ratchet_curve25519,
        kdf_hkdf,
        kdf_separate_hmacs,
    )

    class Hash:
        @staticmethod
        def _get_hash_function() -> HashFunction:
            return HashFunction.SHA_256

        @staticmethod
        def _get_info() -> bytes:
            return b"escrow-lab peer"

    class Root(Hash, kdf_hkdf.KDF):
        pass

    class Chain(Hash, kdf_separate_hmacs.KDF):
        pass

    class Aead(Hash, aead_aes_hmac.AEAD):
        pass

    class Ratchet(doubleratchet.DoubleRatchet):
        @staticmethod
        def _build_associated_data(associated_data: bytes, header: doubleratchet.Header) -> bytes:
            numbers = header.previous_sending_chain_length, header.sending_chain_length
            return associated_data + header.ratchet_pub + b"".join(number.to_bytes(4, "big") for number in numbers)

    class State(x3dh.BaseState):
        @staticmethod
        def _encode_public_key(key_format: x3dh.IdentityKeyFormat, pub: bytes) -> bytes:
            return b"\x05" + pub

    parameters = {
        "diffie_hellman_ratchet_class": diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet,
        "root_chain_kdf": Root,
        "message_chain_kdf": Chain,
        "message_chain_constant": b"\x02\x01",
        "dos_protection_threshold": 1000,
        "max_num_skipped_message_keys": 2000,
        "aead": Aead,
    }
    return Ratchet, parameters, State


_AD = bytes(66)  # as long as that of X3DH


class _Ratchets:
    """Sessions of DoubleRatchet; where they are set up, after an agreement of X3DH with a one-time prekey."""

    def __init__(
        self, ratchet: type[doubleratchet.DoubleRatchet], parameters: dict[str, Any], state: type[x3dh.BaseState]
    ) -> None:
        self.ratchet, self.parameters, self.state = ratchet, parameters, state

    def _device(self) -> x3dh.BaseState:
        """Return a device with a single one-time prekey: to find one among many, it would compute all public halves."""
        import x3dh

        device = self.state.create(x3dh.IdentityKeyFormat.ED_25519, x3dh.HashFunction.SHA_256, b"escrow-lab peer")
        device.generate_pre_keys(1)
        return device

    async def _begin(self, mine: x3dh.BaseState, theirs: x3dh.BaseState, text: bytes) -> tuple[Any, Any]:
        bundle = theirs.bundle
        secret, associated, header = await mine.get_shared_secret_active(bundle)
        session, message = await self.ratchet.encrypt_initial_message(
            message=text,
            recipient_ratchet_pub=bundle.signed_pre_key,
            shared_secret=secret,
            associated_data=associated,
            **self.parameters,
        )
        secret, associated, prekey = await theirs.get_shared_secret_passive(header)
        other, _ = await self.ratchet.decrypt_initial_message(
            message=message,
            own_ratchet_priv=prekey.priv,
            shared_secret=secret,
            associated_data=associated,
            **self.parameters,
        )
        return session, other

    async def _answered(self, text: bytes) -> tuple[Any, Any]:
        mine, other = await self._begin(self._device(), self._device(), text)
        await self._carry_all([(other, mine), (mine, other)], text)
        return mine, other

    async def _carry_all(self, pairs: Iterable[tuple[Any, Any]], text: bytes) -> None:
        for sender, receiver in pairs:
            await receiver.decrypt_message(await sender.encrypt_message(text, _AD), _AD)

    def ping_pong(self, times: int, text: bytes) -> Callable[[], object]:
        mine, theirs = _now(self._answered(text))
        return lambda: _now(self._carry_all(islice(cycle([(theirs, mine), (mine, theirs)]), times), text))

    def one_way(self, times: int, text: bytes) -> Callable[[], object]:
        pair = _now(self._answered(text))
        return lambda: _now(self._carry_all(repeat(pair, times), text))

    def set_up(self, times: int, text: bytes) -> Callable[[], object]:
        mine, responders = self._device(), [self._device() for _ in range(times)]

        async def run() -> None:
            for theirs in responders:
                await self._begin(mine, theirs, text)

        return lambda: _now(run())

    def fan_out(self, times: int, text: bytes) -> Callable[[], object]:
        sessions = [_now(self._answered(text))[0] for _ in range(times)]

        async def run() -> None:
            for session in sessions:
                await session.encrypt_message(text, _AD)

        return lambda: _now(run())


PEERS: dict[str, tuple[str, tuple[str, ...], Callable[[], dict[str, Prepare]]]] = {
    "vodozemac": ("peers", ("vodozemac",), _vodozemac),
    "DoubleRatchet": ("test", ("DoubleRatchet", "X3DH"), _double_ratchet),
}
