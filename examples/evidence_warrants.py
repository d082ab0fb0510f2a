"""Warrants, the answers of officials, and what attacks do with labels, for verify_evidence.py."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from verify_evidence import RULES, SERVICES, fact, hpke_open, pack, require, rule, shapes, unpack

AGREEMENT = "escrow.e2ee.x3dh.agreement"  # a rule of evidence_sessions.py
shapes("escrow.principal", "ReceivingKey(Private) public raw")
shapes("escrow.confidential", "SealedPacket sender to sealed")
shapes(
    "escrow.warrant",
    """CourtKey(SigningKey) public raw\nAuthorityKey(SigningKey) public raw\nDemand order\nAnswer to sealed
    Order id authority target first last scope case issued expires nonce\nWarrant order signature""",
)
SERVICES["escrow.schemes.envelope.agent_checks"] = ["Envelope", "Warrant", "AuthorityKey"], "MessageKey"


@rule("escrow.warrant.issue", "CourtKey ?Order")
def issue(key, order):
    """Return an order with the signature of the court's key."""
    signer = Ed25519PrivateKey.from_private_bytes(key.raw)
    return [["Warrant", order.array, signer.sign(b"escrow-lab warrant" + pack(order.array))]]


rule("escrow.warrant.issue_demanded", "CourtKey ?Demand")(lambda key, demand: issue(key, fact(demand.order)))


@rule("escrow.warrant.open_confidential", "SealedPacket ReceivingKey")
def open_confidential(content, key):
    """Return the warrant in a sealed packet."""
    require(content.to == key.public, "the packet is sealed to another key")
    packet = unpack(
        hpke_open(key, content.sealed, b"escrow-lab sealed packet" + content.sender.encode()).rstrip(b"\0")[:-1]
    )
    require(packet[0] in ("Serve", "Request"), "the packet has no warrant")
    return [packet[1]]


def opens(name, kind):
    """Enter a rule that opens an official's answer, sealed to the X25519 form of the authority's key."""

    @rule(name, "Answer Private")
    def open_answer(answer, key):
        require(answer.to == key.public, "the answer is sealed to another key")
        found = unpack(hpke_open(key, answer.sealed, b"escrow-lab answer"))
        require(fact(found).kind == kind, "the answer is no such fact")
        return [found]


opens("escrow.schemes.envelope.open_message_key", "MessageKey")


def covers(order, subject):
    """Return whether an order is for content, and names one of the people and the day."""
    inside = order.first <= subject.day <= order.last
    return order.scope == "content" and order.target in subject.people and inside


@rule("attacks.warrant_misuse.relabel", "AccessField ?Order")
def relabel(field, order):
    """Return a field under labels that an order covers."""
    require(not covers(order, field) and len(field.people) > 1, "the order covers the field, or it was relabelled")
    return [[field.kind, field.chain, field.n, [order.target], order.first, *field.array[5:]]]


opens("escrow.schemes.split_key.open_partial", "Partial")
opens("escrow.schemes.fair_keys.scheme.open_share", "KeyShare")
opens("escrow.schemes.threshold.open_partial", "TdhPartial")
opens("escrow.schemes.clipper.processor.open_half", "UnitHalf")

shapes("escrow.schemes.ghost", "GhostKeys device identity prekey signature one_time\nQuietAnswer to sealed")


@rule("escrow.schemes.ghost.open_quiet", "QuietAnswer IdentityKey")
def open_quiet(answer, key):
    """Return the warrant under which a device is hidden, by the client's identity key."""
    require(answer.to == key.public, "the answer is sealed to another key")
    found = unpack(hpke_open(fact(RULES[AGREEMENT][1](key)[0]), answer.sealed, b"escrow-lab quiet").rstrip(b"\0")[:-1])
    require(found and found[0] == "Request", "no warrant hides that device")
    return [found[1]]
