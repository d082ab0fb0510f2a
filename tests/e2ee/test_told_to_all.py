"""One packet to several parties: each gets the same bytes, none can change what another one reads."""

from __future__ import annotations

import pytest

from escrow import codec
from escrow.codec import Packet
from escrow.errors import Malformed, Refused
from escrow.principal import Principal
from escrow.wire import Heard, Wire


class News(Packet, frozen=True):
    words: tuple[str, ...]


class OpenNews(Packet, frozen=True):
    words: list[str]


class Reader(Principal):
    name: str
    read: list[str] = []
    wants: str = ""

    def on_news(self, sender: str, packet: News, wire: Wire) -> None:
        self.insist(self.wants in packet.words or not self.wants, "it is about something else")
        self.read.extend(packet.words)

    def on_open_news(self, sender: str, packet: OpenNews, wire: Wire) -> None:
        packet.words.append(self.name)
        self.read.extend(packet.words)


KINDS = frozenset({News, OpenNews})


def readers(**wants):
    return Wire([Reader(name, wants=wanted) for name, wanted in wants.items()])


def test_a_packet_to_several_parties_stands_on_the_wire_once_for_each():
    wire, news = readers(ann="", ben="", cid=""), News(("rain",))
    wire.announce("sun", ["ann", "cid"], news)
    assert wire.heard == [Heard(0, "sun", name, codec.encode(news)) for name in ("ann", "cid")]
    assert [wire.party(name, Reader).read for name in ("ann", "ben", "cid")] == [["rain"], [], ["rain"]]


def test_one_party_that_refuses_or_is_missing_does_not_keep_the_packet_from_the_next():
    wire = readers(ann="snow", cid="")
    wire.announce("sun", ["ann", "nobody", "cid"], News(("rain",)))
    assert wire.party("cid", Reader).read == ["rain"]
    assert wire.refusals == [
        (0, "ann", "it is about something else"),
        (0, "nobody", "Unreachable: no party is called nobody"),
    ]


def test_a_packet_that_its_first_reader_changes_is_read_anew_by_the_next():
    wire = readers(ann="", ben="")
    wire.announce("sun", ["ann", "ben"], OpenNews(["rain"]))
    assert wire.party("ben", Reader).read == ["rain", "ben"]


def test_only_what_nobody_can_change_is_the_same_value_for_all():
    fixed, loose = codec.encode(News(("rain",))), codec.encode(OpenNews(["rain"]))
    assert codec.decode_told(fixed, KINDS) is codec.decode_told(bytes(bytearray(fixed)), KINDS)
    assert codec.decode_told(loose, KINDS) is not codec.decode_told(loose, KINDS)
    for _ in range(2):
        with pytest.raises(Malformed):
            codec.decode_told(fixed, frozenset({OpenNews}))


def test_a_promise_is_kept_by_each_reader_for_itself():
    with pytest.raises(Refused):
        Reader("ann", wants="snow").answer("sun", codec.encode(News(("rain",))), None)
