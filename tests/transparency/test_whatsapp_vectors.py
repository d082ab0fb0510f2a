"""WhatsApp's key directory: every proof of the published example of its configuration, and what is changed in one.

The VRF is ours; the tree is another than ours, so it is written in tests/support/whatsapp_tree.py.
"""

import re

import external
import pytest
from whatsapp_tree import (
    FRESH,
    STALE,
    check_absence,
    check_membership,
    fields,
    leaf_of,
    place_of,
    stale_leaf,
)

from escrow.errors import Forged, Malformed

MOST_RECENT, COMPLETE = "MostRecent(1)", "Complete with 3 versions"


class Published:
    """The example: key, root, label and proofs."""

    def __init__(self):
        text = (external.folder() / "akd-whatsapp-kt" / "whatsapp_v1.yaml").read_text()
        parts = re.split(r"^# (.*)\n---\n", text, flags=re.MULTILINE)
        read = {name: value.strip().strip("'") for name, value in zip(parts[1::2], parts[2::2], strict=True)}
        self.key, self.root, self.label, self.lookup = (
            bytes.fromhex(read[name]) for name in ("Public Key", "Epoch Hash", "Label", "Lookup Proof")
        )
        self.epoch = int(read["Epoch"])
        self.history = {
            kind: bytes.fromhex(read[f"History Proof (HistoryParams::{kind})"]) for kind in (MOST_RECENT, COMPLETE)
        }

    def place(self, kind, version, proof):
        return place_of(self.key, self.label, kind, version, proof)

    def check_lookup(self, data):
        """Return the version and the value that the proof shows. Raise Forged or Malformed if it shows none."""
        read = fields(data)
        (epoch,), (value,), (version,) = read[1], read[2], read[3]
        marker = 1 << version.bit_length() - 1
        check_membership(
            self.root, self.place(FRESH, version, read[4][0]), leaf_of(value, read[10][0], epoch), read[5][0]
        )
        marked = self.place(FRESH, marker, read[6][0])
        check_membership(self.root, marked, fields(read[7][0])[2][0], read[7][0])
        check_absence(self.root, self.place(STALE, version, read[8][0]), read[9][0])
        return version, value

    def check_history(self, data, past, future):
        """Return the versions shown, newest first. `past` versions must be in the tree, and `future` ones not."""
        read, shown = fields(data), []
        for update in read[1]:
            part = fields(update)
            (epoch,), (value,), (version,) = part[1], part[2], part[3]
            leaf = leaf_of(value, part[8][0], epoch)
            check_membership(self.root, self.place(FRESH, version, part[4][0]), leaf, part[5][0])
            if version > 1:
                before = self.place(STALE, version - 1, part[6][0])
                check_membership(self.root, before, stale_leaf(epoch), part[7][0])
            shown.append((version, epoch, value))
        for version, vrf, proof in zip(past, read.get(2, []), read.get(3, []), strict=True):
            check_membership(self.root, self.place(FRESH, version, vrf), fields(proof)[2][0], proof)
        for version, vrf, proof in zip(future, read[4], read[5], strict=True):
            check_absence(self.root, self.place(FRESH, version, vrf), proof)
        return shown


@pytest.fixture(scope="module")
def published():
    return Published()


def test_whatsapps_published_proofs_are_verified(published):
    assert published.check_lookup(published.lookup) == (3, b"16,48")
    every = [(3, 48, b"16,48"), (2, 32, b"16,32"), (1, 16, b"16,16")]
    assert published.check_history(published.history[COMPLETE], (), (4, 16)) == every
    assert published.check_history(published.history[MOST_RECENT], (2,), (4, 16)) == every[:1]
    assert published.epoch == 49


def test_no_changed_byte_of_a_proof_passes(published):
    good, passed = published.lookup, []
    for at in range(0, len(good), 7):
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        try:
            published.check_lookup(changed)
        except (Forged, Malformed, KeyError, ValueError, IndexError, TypeError, AttributeError, OverflowError):
            continue
        passed.append(at)
    assert passed == []


def test_a_proof_under_another_key_root_or_label_is_refused(published):
    for name in ("key", "root", "label"):
        other = Published()
        good = getattr(other, name)
        setattr(other, name, good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises((Forged, Malformed)):
            other.check_lookup(other.lookup)
