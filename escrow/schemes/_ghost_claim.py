"""What Levy and Robinson propose, and what they leave open: the claim of `ghost`, and our choices by its parameters."""

from __future__ import annotations

from escrow.grants import Choice, Claim, Concession, Grant, Quotation
from escrow.scheme import Finding, Overheard
from escrow.schemes.plain import CLASSICAL, DEVICES, ONE_COURT, ONE_THEFT

LAWFARE = "Levy and Robinson, Principles for a More Informed Exceptional Access Debate, Lawfare, 2018"
CLAIM = Claim(
    words="The provider adds an extra, silent end to the conversations of a target under a warrant. Everything"
    " stays end-to-end encrypted; nothing is said of other clients, of insiders, or of safety numbers.",
    section="the proposal to add a law-enforcement participant to a group chat or call",
    grants=(*DEVICES, Grant("authority", "in scope of a served warrant")),
    access="from service",
    sources=(
        Quotation(
            "It's relatively easy for a service provider to silently add a law enforcement participant to a"
            " group chat or call.",
            LAWFARE,
            "the paragraph on the ghost",
        ),
        Quotation(
            "In a solution like this, we're normally talking about suppressing a notification on a target's"
            " device, and only on the device of the target and possibly those they communicate with.",
            LAWFARE,
            "the paragraph on the ghost",
        ),
    ),
    concessions=(
        Concession(
            "device",
            "missed if an end is corrupted",
            Quotation(
                "Even when we have a legitimate need, we can't expect 100 percent access 100 percent of the time.",
                LAWFARE,
                "principle 3, as quoted by others",
            ),
        ),
    ),
    model=(CLASSICAL, ONE_THEFT),
)
CHOICES: dict[str, dict[str, Choice]] = {  # by parameter and its value
    "hush": {
        "court": Choice(
            "hush=court: a court's signature hushes the notice; in the proposal the provider does (hush=provider)",
            favours=True,
        ),
        "none": Choice(
            "hush=none: clients send to a device that a court ordered, and tell their users, unlike the proposal",
            favours=False,
        ),
    },
    "covers": {
        "all": Choice(
            'covers=all: whoever writes to the target has a client that hides the device; the proposal says "possibly"',
            favours=True,
        ),
        "target": Choice(
            "covers=target: only the target's devices hide it; who writes to the target is told, and sends to it",
            favours=False,
        ),
    },
    "number": {
        "shown": Choice(
            "number=shown: the safety number covers a silent device, so that a comparison finds it; the proposal does"
            " not speak of it (shown or hidden)",
            favours=False,
        ),
        "hidden": Choice(
            "number=hidden: the safety number hides it; the proposal does not speak of it (shown or hidden)",
            favours=True,
        ),
    },
    "devices": {
        "unsigned": Choice(
            "devices=unsigned: a list of devices is the provider's word; WhatsApp's are signed", favours=True
        ),
        "signed": Choice(
            "devices=signed: a device of a warrant needs no signature, and lists in chats leave it out, or the warrant"
            " would give nothing; a refused device raises no notice of its own, as in WhatsApp; a primary device that"
            " signs nothing cuts off its user's devices",
            favours=True,
        ),
        "shared": Choice(
            "devices=shared: a device of a warrant may have another key than its user's other devices; a first device"
            " that registers another key cuts these off",
            favours=True,
        ),
    },
    "groups": {
        "server": Choice("groups=server: who is in a group is the provider's word", favours=True),
        "admins": Choice(
            "groups=admins: its maker, whom the first list names, signs who is in a group; a device that"
            " makes a group and signs nothing cuts off the group",
            favours=False,
        ),
    },
    "fan_out": {
        "unwatched": Choice("fan_out=unwatched: no client counts the devices that a text goes to", favours=True),
        "watched": Choice("fan_out=watched: clients count devices, but not one that they hide", favours=False),
    },
}
ALWAYS = (
    Choice("there is no log of device lists, and the play has ten days", favours=True),
    ONE_COURT,
    Choice("the hush is of devices; the notice of a new member of a group is always shown", favours=False),
)
FINDINGS = (
    Finding(
        3,
        "null-eavesdropper",
        "**A silent participant** (`ghost`): while nobody cheats, the law reads {ghost.lawful} of the "
        "{ghost.entitled} texts that its warrants cover. It cannot read what was said before the ghost joined.",
        ("ghost.lawful > 0", "ghost.lawful < ghost.entitled"),
    ),
)
OVERHEARD = (
    Overheard(
        ("DeviceList", "DevicesOf", "Listed", "OwnerOf", "Fetch", "Bundle"),
        "a silent device is listed, and its keys are fetched, as any new device's",
    ),
    Overheard(("GroupOf", "Group", "Mail", "Collect", "Delivery"), "a silent device is sent to as any device"),
    Overheard(("AskQuiet", "Quiet"), "a client asks about every new device, hidden or not"),
)
