"""Fields that one holder or several open, each for itself: key-table, jurisdictions, layered, logged."""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from evidence_warrants import opens
from verify_evidence import ENVELOPE, SERVICES, fact, hashed, hpke_open, open_field, pack, require, rule, shapes

TABLE, JOINT, LAYERED = (f"escrow.schemes.{name}" for name in ("key_table", "jurisdictions", "layered"))

# --- logged ---

LOGGED = "escrow.schemes.logged"
shapes(f"{LOGGED}.log", "LogHead size root\nLogEntry commitment unsealed by")
shapes(
    f"{LOGGED}.prospective",
    "DatedEnvelope(Envelope) chain n people day agent header sealed at\nStoodInLog entry number inclusion",
)
SERVICES[f"{LOGGED}.scheme.holder_checks"] = ["Envelope", "Warrant", "AuthorityKey"], "MessageKey"
dated = ["DatedEnvelope", "StoodInLog", "Warrant", "AuthorityKey"]
SERVICES[f"{LOGGED}.prospective.dated_checks"] = dated, "MessageKey"


@rule(f"{ENVELOPE}.open_field", "Envelope Private")
def open_dated(field, key):
    """Return the message key in a field, which may be bound to a head of the log."""
    if field.kind == "Envelope":
        return open_field(field, key)
    require(field.agent == key.public, "the field is sealed to another key")
    head = fact(field.at)
    context = pack([pack(field.array[1:7]), head.size, head.root])
    return [["MessageKey", field.chain, field.n, hpke_open(key, field.sealed, context)]]


# --- key-table ---

shapes(
    TABLE,
    """TableForm days slots\nVendorKey(Private) public raw court form\nSlotKey table slot value
    TableField(AccessField) chain n people day header vendor first slot table wrapped""",
)
SERVICES[f"{TABLE}.vendor_checks"] = ["TableField", "Warrant", "AuthorityKey"], "SlotKey"
opens(f"{TABLE}.open_slot_key", "SlotKey")


@rule(f"{TABLE}.slot_key", "VendorKey TableField")
def slot_key(key, field):
    """Return the key of the slot of a field's day, out of the sealed table."""
    require(field.vendor == key.public, "the table is sealed to another key")
    form = fact(key.form)
    day = field.day % (form.days * form.slots)
    require((field.first, field.slot) == (field.day - day, day // form.days), "the day is in another slot, or table")
    table = hpke_open(key, field.table, b"escrow-lab timed key table" + pack([key.form, field.first]))
    require(len(table) == 32 * form.slots, "the table has another length")
    name = hashlib.sha256(field.table).digest()
    return [["SlotKey", name, field.slot, table[32 * field.slot : 32 * (field.slot + 1)]]]


@rule(f"{TABLE}.unwrap", "TableField SlotKey")
def unwrap_slot(field, key):
    """Return the message key under the key of a slot."""
    name = hashlib.sha256(field.table).digest()
    require((key.table, key.slot) == (name, field.slot), "the key is of another slot, or table")
    labels = [field.chain, field.n, field.people, field.day, field.header, field.vendor, field.first, field.slot, name]
    context = pack(labels)
    value = AESGCM(hashed("sha256", key.value, context).digest()).decrypt(bytes(12), field.wrapped, context)
    return [["MessageKey", field.chain, field.n, value]]


# --- jurisdictions ---

shapes(
    JOINT,
    """GovernmentKey(Private) public raw court residents\nGovernmentPart agent ephemeral sealed
    JointField(AccessField) chain n people day header ephemeral parts tag""",
)
SERVICES[f"{JOINT}.government_checks"] = ["JointField", "GovernmentPart", "Warrant", "AuthorityKey"], "MessageKey"
opens(f"{JOINT}.open_governments_answer", "MessageKey")


@rule(f"{JOINT}.open_part", "JointField GovernmentPart Private")
def open_part(field, part, key):
    """Return the message key in the part of one government."""
    require(field.ephemeral == part.ephemeral and part.agent == key.public, "the part is of another field or agent")
    agents = [fact(each).agent for each in field.parts]
    context = pack([field.chain, field.n, field.people, field.day, field.header, field.ephemeral, agents])
    value = hpke_open(key, part.ephemeral + part.sealed, context)
    tag = hmac.digest(value, pack([b"escrow-lab joint field", field.parts]), "sha256")
    require(tag == field.tag, "a part of another government is not the one that was sent")
    return [["MessageKey", field.chain, field.n, value]]


# --- layered ---

shapes(
    LAYERED,
    """LayerKey(Private) public raw court depth conditions following\nLayerPart chain n depth following value
    SealedLayer(AccessField) chain n people day header commitments wrapped depth to sealed
    PeeledLayer part following""",
)
SERVICES[f"{LAYERED}.holder_checks"] = ["SealedLayer", "Warrant", "AuthorityKey"], "PeeledLayer"
SERVICES[f"{LAYERED}.last_checks"] = ["SealedLayer", "Warrant", "AuthorityKey"], "LayerPart"
opens(f"{LAYERED}.open_layer", "PeeledLayer")
opens(f"{LAYERED}.open_part", "LayerPart")


def layers(layer):
    """Return how many layers there are."""
    return layer.depth - 1 + len(layer.commitments)


def labels_of(layer):
    """Return what a layer says about its message."""
    return pack([layer.chain, layer.n, layer.people, layer.day, layer.header, layers(layer)])


def opened(layer, key):
    """Return what is sealed in a layer to the holder whose place it names."""
    require(layer.to == key.public and layer.depth == key.depth, "the layer is another holder's")
    placed = [labels_of(layer), layer.wrapped, layer.depth, layer.to, layer.commitments]
    return hpke_open(key, layer.sealed, pack(placed))


def committed(value, following):
    """Return the commitment to a part and to the hash of the next layer."""
    return hashed("sha256", b"escrow-lab part of a layer", pack([value, following])).digest()


def part_of(layer, value, following):
    """Return the part in a layer, if its sender committed to it."""
    require(layer.commitments[0] == committed(value, following), "the layer holds something else than was committed to")
    return ["LayerPart", layer.chain, layer.n, layer.depth, following, value]


@rule(f"{LAYERED}.peel", "SealedLayer LayerKey")
def peel(layer, key):
    """Return a layer's part and the next layer."""
    require(key.following, "the layer is the last")
    inner = opened(layer, key)
    placed = [layer.commitments[1:], layer.wrapped, layer.depth + 1, key.following, inner[32:]]
    following = [*layer.array[:6], *placed]
    name = hashed("sha256", b"escrow-lab layer", pack(following)).digest()
    return [["PeeledLayer", part_of(layer, inner[:32], name), following]]


@rule(f"{LAYERED}.open_last", "SealedLayer LayerKey")
def open_last(layer, key):
    """Return the part of the last layer."""
    require(not key.following, "the layer is not the last")
    return [part_of(layer, opened(layer, key), b"")]


rule(f"{LAYERED}.found_in", "PeeledLayer")(lambda peeled: [peeled.part, peeled.following])


@rule(f"{LAYERED}.unwrap", "SealedLayer LayerPart*")
def unwrap_layers(layer, *parts):
    """Return the message key under the parts of all layers."""
    require({(part.chain, part.n) for part in parts} == {(layer.chain, layer.n)}, "the parts are of another message")
    require(layer.depth == 1, "it is not the outermost layer")
    places = dict(enumerate(layer.commitments, 1))
    fitting = (part for part in parts if committed(part.value, part.following) == places.get(part.depth))
    found = {part.depth: part.value for part in fitting}
    require(found and found.keys() == places.keys(), "fewer parts fit than there are layers")
    key = hashed("sha256", *(found[depth] for depth in sorted(found))).digest()
    return [["MessageKey", layer.chain, layer.n, AESGCM(key).decrypt(bytes(12), layer.wrapped, labels_of(layer))]]
