"""The curve's field and generator as tests name them."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import settings
from hypothesis import strategies as st

from escrow.primitives.group import Q

SCALAR = st.integers(1, Q - 1)
some = settings(max_examples=40, deadline=None)


def openssl_base(k: int) -> bytes:
    public = ec.derive_private_key(k, ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
