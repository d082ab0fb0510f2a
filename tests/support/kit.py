"""The schemes and properties that tests of the property kit name, and a plug-in of a few lines."""

from functools import lru_cache

from escrow import crypto, registry
from escrow.schemes import clipper, envelope, fair_keys, ghost, plain, plain_pq, split_key, threshold
from escrow.testing import properties

SCHEMES = registry.schemes()
PROPERTY = {prop.name: prop for prop in properties.PROPERTIES}
PLAIN, ENVELOPE, GHOST, SPLIT = plain.SCHEME, envelope.SCHEME, ghost.SCHEME, split_key.SCHEME
FAIR, PQ, THRESHOLD, CLIPPER = fair_keys.SCHEME, plain_pq.SCHEME, threshold.SCHEME, clipper.SCHEME
SAID = "what is said is checked or listed"


@lru_cache(2)
def results(scheme):
    """Results of the door that the properties of one scheme share, as in `check`."""
    return crypto.Results()


def plugin(tmp_path, name, lines):
    path = tmp_path / f"{name}.py"
    head = "from escrow.codec import Fact\nfrom escrow.derivation import derivation\n"
    head += "from escrow.schemes.plain import Plain\n\n"
    path.write_text(head + lines + "\n\nclass Mine(Plain, frozen=True):\n    name = 'mine'\n\n\nSCHEME = Mine()\n")
    return registry.load_file(path).SCHEME


NEVER = (
    "class Never(Fact, frozen=True):\n    n: int\n\n\ndef more(never: Never) -> Never:\n    return Never(never.n + 1)"
)
