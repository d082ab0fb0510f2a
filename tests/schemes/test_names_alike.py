"""Property: labels that are joined, cut, sorted or counted before a seal is bound to them open nothing under others."""

import pytest

from escrow.testing import properties
from tests.support.planted import planted

[ASKED] = (each for each in properties.PROPERTIES if each.name == "a request is bound")
LABELS = "codec.encode((self.chain, self.n, self.people, self.day, self.custodian))"
UNBOUND = {
    "names joined": "''.join(self.people), self.day",
    "names joined, then hashed": "crypto.sha256(''.join(self.people).encode()), self.day",
    "names joined, in another order": "''.join(sorted(self.people)), self.day",
    "names joined, and counted": "(''.join(self.people), len(self.people)), self.day",
    "names joined by what may stand in a name": "'-'.join(self.people), self.day",
    "names and day joined": "''.join((*self.people, str(self.day)))",
    "day and names joined": "f'{self.day}{self.people[0]}', self.people[1:]",
    "names cut": "tuple(each[:3] for each in self.people), self.day",
    "the ends of names": "tuple(each[-3:] for each in self.people), self.day",
    "first and last letter, and length": "tuple((each[0], each[-1], len(each)) for each in self.people), self.day",
    "letters sorted": "tuple(''.join(sorted(each)) for each in self.people), self.day",
    "names in small letters": "tuple(each.lower() for each in self.people), self.day",
    "names stripped": "tuple(each.strip() for each in self.people), self.day",
    "lengths of names": "tuple(map(len, self.people)), self.day",
    "who writes": "self.people[0], len(self.people), self.day",
}
BOUND = {
    "names with their lengths": "''.join(f'{len(each)}:{each}' for each in self.people), self.day",
    "names with a line break": "'\\n'.join(self.people), self.day",
    "names with a plus sign, which no name has": "'+'.join(self.people), self.day",
    "names hashed, then joined": "b''.join(crypto.sha256(each.encode()) for each in self.people), self.day",
    "names in hexadecimal": "'-'.join(each.encode().hex() for each in self.people), self.day",
    "a hash of all, cut to 16 bytes": "crypto.sha256(codec.encode((self.people, self.day)))[:16]",
    "names and day as a text": "repr((self.people, self.day))",
}


def with_labels(tmp_path, labels):
    return planted(tmp_path, (LABELS, f"codec.encode((self.chain, self.n, {labels}, self.custodian))"))


@pytest.mark.parametrize("labels", UNBOUND)
def test_labels_that_others_have_too_are_found(tmp_path, labels):
    broken = ASKED.broken(with_labels(tmp_path, UNBOUND[labels]))
    assert "yielded if asked about" in broken and "`people`" in broken


@pytest.mark.parametrize("labels", BOUND)
def test_labels_that_nobody_else_has_are_not_blamed(tmp_path, labels):
    assert ASKED.broken(with_labels(tmp_path, BOUND[labels])) == ""
