"""For study; not for protecting anyone.

The library of the escrow lab: plain end-to-end encryption, and lawful-access schemes as deltas on it.

The names that the author of a scheme needs are exported here, and imported on first use. Import names from this
package, not the package itself: the rules that a scheme gives the adversary are those of what its own file names. The
decorator `derivation` has the name of its module: `from escrow.derivation import derivation`.
"""

from typing import TYPE_CHECKING

from escrow.surface import exports

if TYPE_CHECKING:
    from escrow import codec, crypto, sharing
    from escrow.codec import Fact, Packet, Public, decode, encode
    from escrow.crypto import (
        Private,
        SigningKey,
        digest,
        hkdf,
        hmac256,
        new_private,
        new_signing_key,
        open_sealed,
        seal,
        sha256,
        verify,
        xor_bytes,
    )
    from escrow.derivation import Checks, honest_only, service, threshold
    from escrow.e2ee.content import Conversation, Direct, InGroup, Text
    from escrow.e2ee.device import Device, FieldContext
    from escrow.e2ee.policing import Policing
    from escrow.e2ee.provider import Entry, Listed, Mail, Provider
    from escrow.e2ee.ratchet import Message, MessageKey, Plaintext
    from escrow.e2ee.x3dh import IdentityKey
    from escrow.errors import EscrowError, Forged, Malformed, Refused, Unreachable
    from escrow.grants import Choice, Claim, Concession, Exclusion, Grant, Quotation
    from escrow.primitives import committing, group, hash_to_curve, hpke, kem, skipjack
    from escrow.principal import Principal, ReceivingKey, of_kind, shared
    from escrow.run import acting, random_bytes
    from escrow.scheme import (
        AccessField,
        Alias,
        Finding,
        Identified,
        Intercept,
        Overheard,
        RequestSubject,
        Scheme,
        SealedFact,
        Source,
        User,
        Voucher,
        open_intercepted,
        wanted,
    )
    from escrow.schemes.plain import DEVICES, FieldScheme, Plain
    from escrow.signatures import Guard, Guess, RuleError, Witness
    from escrow.testing import harness
    from escrow.warrant import (
        Answer,
        Answered,
        Authority,
        AuthorityKey,
        Court,
        Official,
        Order,
        Request,
        Warrant,
        in_force,
        open_answer,
        promises,
        seal_answer,
    )
    from escrow.wire import Wire

__version__ = "0.1.0"
__all__ = [  # noqa: RUF022 (in groups, not in the order of the alphabet)
    # a scheme: what it is, what its paper claims, what it adds to plain
    "DEVICES", "AccessField", "Alias", "Choice", "Claim", "Concession", "Exclusion", "FieldScheme", "Finding", "Grant",
    "Identified", "Intercept", "Overheard", "Plain", "Policing", "Quotation", "RequestSubject", "Scheme", "SealedFact",
    "Source", "User", "Voucher", "open_intercepted", "wanted",
    # values: what travels, what is kept, and keys
    "Fact", "Packet", "Private", "Public", "SigningKey", "decode", "encode",
    # rules: what anybody with the arguments can compute
    "Checks", "Guard", "Guess", "Witness", "honest_only", "service", "threshold",
    # parties, and warrants
    "Answer", "Answered", "Authority", "AuthorityKey", "Conversation", "Court", "Device", "Direct", "Entry",
    "FieldContext", "IdentityKey", "InGroup", "Listed", "Mail", "Message", "MessageKey", "Official", "Order",
    "Plaintext", "Principal", "Provider", "ReceivingKey", "Request", "Text", "Warrant", "Wire", "in_force", "of_kind",
    "open_answer", "promises", "seal_answer", "shared",
    # randomness and symmetric cryptography
    "acting", "digest", "hkdf", "hmac256", "new_private", "new_signing_key", "open_sealed", "random_bytes", "seal",
    "sha256", "verify", "xor_bytes",
    # errors
    "EscrowError", "Forged", "Malformed", "Refused", "RuleError", "Unreachable",
    # modules
    "codec", "committing", "crypto", "group", "harness", "hash_to_curve", "hpke", "kem", "sharing", "skipjack",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker that saw it would accept every name
    __getattr__ = exports(__name__)
