"""What several tests of primitives use."""

from collections.abc import Iterator

import pytest

from escrow.primitives import group


@pytest.fixture(scope="module", params=["p256_openssl", "p256_pycryptodome"])
def arithmetic(request: pytest.FixtureRequest) -> Iterator[group.Arithmetic]:
    """Run every test of this module over both; the first is skipped where it cannot be loaded."""
    chosen = pytest.importorskip(f"escrow.primitives.{request.param}", exc_type=ImportError)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group, "arithmetic", chosen)
        yield chosen
