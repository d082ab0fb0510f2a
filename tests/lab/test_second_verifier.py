"""A second verifier, which imports nothing of the lab, agrees with the lab's own on sound and on forged folders."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from evidence_cases import edit

from attacks import registry as attack_registry
from attacks.lab.adversary.view import words_of
from attacks.lab.evidence import folder as evidence_folder
from attacks.lab.evidence import writing
from attacks.lab.evidence.case import Case
from attacks.lab.evidence.execution import full_name
from attacks.lab.simulation import scenario
from attacks.lab.verdict.analysis import rules_of
from escrow import codec, registry
from escrow.codec import Fact
from escrow.derivation import Gate
from escrow.e2ee.content import InGroup, Text
from escrow.errors import Malformed
from escrow.mls.key_schedule import external_init
from escrow.primitives import hpke

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = [EXAMPLES / "verify_evidence.py", *sorted(EXAMPLES.glob("evidence_*.py"))]
PACKAGES = {"cryptography", "py_arkworks_bls12381"}  # of which the second serves one scheme
TINY = scenario.default(users=3, groups=1, days=3, messages=9)
OFFICIALS = ("authority-theft", "court-and-phone")
CELLS = {  # attacks whose proofs have steps of the scheme: those of officials' secrets, where nothing else is said
    "plain": ("device-compromise", "ghost-insertion", "null-eavesdropper"),
    "plain-pq": ("ghost-insertion", "harvest-now-decrypt-later"),
    "fair-keys": ("court-key-theft", *OFFICIALS),
    "threshold": ("court-key-theft", *OFFICIALS, "keeps-everything"),
    "ghost": ("device-compromise", "notice-suppression"),
    "ghost-directory": ("device-compromise", "split-view"),
    "ghost-mls": ("device-compromise", "leaf-insertion"),
}
FORMS = (  # of a scheme, with rules of their own
    ("envelope", "kem=xwing"),
    ("envelope", "n=3", "t=2"),
    ("envelope", "per=epoch"),
    ("envelope", "policing=publicly"),
)


@pytest.fixture(scope="module")
def second():
    """The second verifier, as its own command loads it."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        verifier = importlib.import_module("verify_evidence")
        for family in FILES[1:]:
            importlib.import_module(family.stem)
        yield verifier
    finally:
        sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="module")
def known(second):
    """The schemes whose rules and checks the second verifier has: this project's own, and whatever is like them."""
    attacks, found = attack_registry.attacks().values(), {}
    schemes = dict(registry.schemes())
    for name, *settings in FORMS:
        chosen = [f"{name}.{each}" for each in settings]
        schemes[" ".join(chosen)] = registry.with_parameters(schemes[name], chosen)
    for name, scheme in schemes.items():
        missing = {rule.name for rule in rules_of(scheme, attacks)} - second.RULES.keys()
        if not missing and {each.name for each in words_of(scheme).services} <= second.SERVICES.keys():
            found[name] = scheme
    return found


@pytest.fixture(scope="module")
def cases(known):
    """The cells that are tried, by scheme and attack."""
    attacks = attack_registry.attacks()
    playable = [(name, scheme) for name, scheme in known.items() if not scheme.missing]
    return {
        name: {each: Case(scheme, attacks[each], TINY, list(attacks.values())) for each in CELLS.get(name, OFFICIALS)}
        for name, scheme in playable
    }


@pytest.fixture(scope="module")
def cells(cases):
    """The files of each cell's evidence, by scheme and attack."""
    return {
        name: {attack: writing.compose(case) for attack, case in of_scheme.items()} for name, of_scheme in cases.items()
    }


def proof_of(cells, scheme):
    """The files of the first cell of a scheme."""
    return next(iter(cells[scheme].values()))


def laid(directory, files):
    """A folder with these files, sealed."""
    target = directory / "sealed"
    return target / evidence_folder.put(target, files)


def verdicts(directory, files, second):
    """What both verifiers say of these files, sealed: nothing, or why they refuse."""
    path, said = laid(directory, files), []
    for verify, refusal in ((writing.verify, Malformed), (second.verify, second.Refused)):
        try:
            verify(path)
        except refusal as error:
            said.append(str(error))
        else:
            said.append("")
    for each in path.iterdir():
        each.unlink()
    path.rmdir()
    return said


def test_it_imports_neither_package_and_is_short():
    for path in FILES:
        tree = ast.parse(path.read_text())
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        ours = {each.stem for each in FILES}
        assert {name.partition(".")[0] for name in imported} <= {*sys.stdlib_module_names, *PACKAGES, *ours}
        assert len(path.read_text().splitlines()) <= (300 if path.name == "verify_evidence.py" else 200), path.name


def test_its_tables_are_the_library_s_and_the_page_names_them_all(second, known):
    assert len(known) >= len(registry.schemes()) + len(FORMS)
    page = (EXAMPLES.parent / "docs" / "evidence.md").read_text()
    attacks = attack_registry.attacks().values()
    schemes = known.values()
    for rule in {rule.name: rule for scheme in schemes for rule in rules_of(scheme, attacks)}.values():
        takes, _ = second.RULES[rule.name]
        marks = ["" if needed else "?" for needed in rule.needed]
        expected = [mark + kind.__name__ for mark, kind in zip(marks, rule.takes, strict=True)]
        assert takes == [*expected[:-1], expected[-1] + "*" * isinstance(rule, Gate)], rule.name
        assert f"`{rule.name}` (" in page
    for service in {each.name: each for scheme in schemes for each in words_of(scheme).services}.values():
        shown = [kind.__name__ for kind in (*service.takes[2:], service.takes[1])]
        assert second.SERVICES[service.name] == ([*shown, "AuthorityKey"], service.rule.gives[0].__name__)
        asked = ", ".join(shown[:-1])
        assert f"`{service.name}` | {asked} | {service.rule.gives[0].__name__} |" in page
    types = {full_name(kind): kind for scheme in schemes for kind in words_of(scheme).types if issubclass(kind, Fact)}
    for name, fields, _ in second.SHAPES.values():
        assert tuple(fields) == types[name].__struct_fields__, name
        assert re.search(rf"^{name}( \(\w+\))?: {', '.join(fields)}$", page, re.M)


def test_a_scheme_whose_facts_it_does_not_know_is_refused_and_the_fact_named(cells, second, tmp_path, monkeypatch):
    files = cells["key-table"]["authority-theft"]
    monkeypatch.delitem(second.SHAPES, "VendorKey")
    assert "VendorKey" in verdicts(tmp_path, files, second)[1]


def test_its_command_verifies_a_folder_and_refuses_another(cells, tmp_path):
    sound = laid(tmp_path, proof_of(cells, "envelope"))
    forged = laid(tmp_path, proof_of(cells, "envelope") | {"steps.jsonl": b""})
    command = [sys.executable, str(FILES[0])]
    said = f"{TINY.messages} texts follow from"
    for folder, code, words in ((sound, 0, said), (forged, 1, "refused: "), (sound.parent, 1, "give the folder")):
        done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert words in done.stdout + done.stderr


def test_it_accepts_texts_that_are_sealed_with_a_committing_aead(second, tmp_path):
    attacks, scheme = attack_registry.attacks(), type(registry.schemes()["envelope"])(committing=True)
    files = writing.compose(Case(scheme, attacks["authority-theft"], TINY, list(attacks.values())))
    assert b"ratchet.open_message" in files["steps.jsonl"]
    assert second.verify(laid(tmp_path, files)).startswith(f"{TINY.messages} texts follow")
    edit("texts.jsonl", 0, body="00" * 32)(files)
    with pytest.raises(second.Refused):
        second.verify(laid(tmp_path, files))


def test_both_accept_every_sound_folder(cells, second, tmp_path):
    folders = {(scheme, attack): files for scheme, proofs in cells.items() for attack, files in proofs.items()}
    assert len(folders) >= 30
    refused = {cell: said for cell, files in folders.items() if any(said := verdicts(tmp_path, files, second))}
    assert refused == {}


def test_both_accept_other_parameters(known, second, tmp_path):
    attacks = attack_registry.attacks()
    for name, settings, attack in (
        ("logged", ["logged.reach=prospective"], "authority-theft"),
        ("ghost", ["ghost.devices=signed"], "device-compromise"),
        ("key-table", ["key-table.scope=pair", "key-table.days=2"], "court-and-phone"),
    ):
        scheme = registry.with_parameters(known[name], settings)
        case = Case(scheme, attacks[attack], TINY, list(attacks.values()))
        assert verdicts(tmp_path, writing.compose(case), second) == ["", ""], settings


def test_it_computes_what_every_rule_of_every_scheme_gives(cases, known, second):
    """Of all that the lab derives in a play, and not of one proof: the first and the last use of each rule."""
    attacks, used = attack_registry.attacks(), set()
    grouped = scenario.default(users=4, groups=2, days=3, messages=12)  # with a group that has Sender Keys
    group = Case(registry.schemes()["plain"], attacks["device-compromise"], grouped, list(attacks.values()))
    for case in (group, *(each for of_scheme in cases.values() for each in of_scheme.values())):
        closure = case.analysis.closure
        for number, rule in enumerate(closure.rules):
            uses = [use for edge in closure.edges.of_rule(number) if (use := use_of(closure.edges, edge))[1]]
            for premises, gives in (*uses[:1], *uses[-1:]):
                taken = (second.fact(second.unpack(codec.encode(closure.facts[each]))) for each in premises)
                made = list(map(second.pack, second.RULES[rule.name][1](*taken)))
                assert {codec.encode(closure.facts[each]) for each in gives} <= set(made), rule.name
                used.add(rule.name)
    playable = {scheme for scheme in (*registry.schemes().values(), *known.values()) if not scheme.missing}
    expected = {rule.name for scheme in playable for rule in rules_of(scheme, attacks.values())}
    assert second.RULES.keys() & expected <= used


def test_it_computes_the_init_secret_of_who_joins_by_himself(second):
    """No play of a scheme has such a commit."""
    key = hpke.derive_key_pair(bytes(range(32)))
    enc, init = external_init(key.public)
    mls = importlib.import_module("evidence_mls")
    assert mls.derived_key(bytes(range(32))) == ["Private", key.public, key.raw]
    assert mls.external_init(bytes(range(32)), enc) == init


def use_of(edges, edge):
    """The premises and the conclusions of a use of a rule, by their numbers; a threshold that fails concludes none."""
    if gate := edges.gate(edge):
        return (*gate.guards, *gate.choose(lambda member: True)), gate.conclusions
    return edges.firing(edge)[1:]


# --- forged folders ---


def free_texts(files, body=None):
    """Each text is a fact that nobody had, and nothing is derived."""
    rows = [json.loads(line) for line in files["texts.jsonl"].splitlines()]
    for row in rows:
        row["body"] = row["body"] if body is None else body.hex()
    encodings = [codec.encode(Text(InGroup("x"), bytes.fromhex(row["body"]))).hex() for row in rows]
    placed = sorted(set(encodings))
    for row, encoding in zip(rows, encodings, strict=True):
        row["conclusion"] = placed.index(encoding)
    facts = [{"type": "escrow.e2ee.content.Text", "encoding": encoding} for encoding in placed]
    files |= {"steps.jsonl": b"", "facts.jsonl": lines(facts), "texts.jsonl": lines(rows)}


def lines(rows):
    """Rows as canonical JSON, one a line."""
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)


def turned(files):
    """The fields of each text are in the opposite order."""
    rows = [json.loads(line) for line in files["texts.jsonl"].splitlines()]
    files["texts.jsonl"] = lines([dict(reversed(row.items())) for row in rows])


def held_texts(files):
    """As free texts, but said to be in the first seized state."""
    free_texts(files)
    [statement] = map(json.loads, files["statement.json"].splitlines())
    seized = statement["coalition"][0]
    rows = [json.loads(line) for line in files["facts.jsonl"].splitlines()]
    files["facts.jsonl"] = lines(
        [row | {"holder": seized["principal"], "evening": min(seized["evenings"])} for row in rows]
    )


def of_plain(*names):
    """Some files are those of plain's proof under the theft of devices."""
    return lambda files, cells: files.update({name: proof_of(cells, "plain")[name] for name in names})


def backwards(name):
    """The lines of a file in the opposite order."""
    return lambda files: files.update({name: b"".join(files[name].splitlines(True)[::-1])})


def held(files):
    """The verdict and the count of excluded texts say that nothing was opened."""
    files["verdict.txt"] = b"HELD: nothing is opened\n"
    edit("cell.json", 0, excluded=0)(files)
    edit("statement.json", 0, excluded=[])(files)


def nothing(files):
    """As if nothing was opened, although the cell counts what was."""
    files |= {
        "verdict.txt": b"HELD: nothing is opened\n",
        **dict.fromkeys(("facts.jsonl", "steps.jsonl", "texts.jsonl"), b""),
    }
    edit("cell.json", 0, excluded=0)(files)
    edit("statement.json", 0, opened=[], reached=[], excluded=[])(files)


FORGED = {
    "free texts": lambda files: free_texts(files),
    "free lies": lambda files: free_texts(files, b"I never wrote this, not at all.."),
    "held texts": held_texts,
    "the cell lies": held,
    "excluded texts hidden": edit("cell.json", 0, excluded=2),
    "nothing is proven": nothing,
    "a verdict that paints": lambda files: files.update({"verdict.txt": b"AS CLAIMED: \x1b[31mall is well\n"}),
    "a verdict of two lines": lambda files: files.update({"verdict.txt": b"AS CLAIMED: all\nis well\n"}),
    "no steps": lambda files: files.update({"steps.jsonl": b""}),
    "facts reordered": backwards("facts.jsonl"),
    "steps reordered": backwards("steps.jsonl"),
    "texts reordered": backwards("texts.jsonl"),
    "facts of another scheme": of_plain("facts.jsonl"),
    "steps of another scheme": of_plain("steps.jsonl"),
    "a proof of another scheme": of_plain("facts.jsonl", "steps.jsonl", "texts.jsonl"),
    "another seed": edit("scenario.json", 0, seed=7),
    "fields reordered": turned,
    "an unknown field": edit("facts.jsonl", 0, more=1),
    "another format": edit("statement.json", 0, schema="escrow-lab/evidence/2"),
}


@pytest.mark.parametrize("scheme", ["envelope", "split-key", "threshold"])
@pytest.mark.parametrize("kind", FORGED)
def test_both_refuse_every_forged_folder(cells, second, tmp_path, scheme, kind):
    files, forge = dict(proof_of(cells, scheme)), FORGED[kind]
    forge(*(files, cells)[: forge.__code__.co_argcount])
    assert all(verdicts(tmp_path, files, second))
    with pytest.raises(Malformed):
        writing.verify(laid(tmp_path, files), replay=True)


def test_claims_rules_and_whole_files_are_compared_with_this_project(cells, tmp_path):
    """The second verifier cannot know the schemes' claims and the names of all attacks; the lab's own does."""
    sound, plain = proof_of(cells, "envelope"), proof_of(cells, "plain")
    fewer = dict(sound)
    edit("statement.json", 0, attacks=["authority-theft"])(fewer)
    hidden = dict(cells["plain"]["ghost-insertion"]) | {"verdict.txt": b"AS CLAIMED: all is as it was promised\n"}
    edit("statement.json", 0, excluded=[])(hidden)
    listed = {**json.loads(hidden["cell.json"])["texts"], "excluded": ""}
    edit("cell.json", 0, excluded=0, texts={name: ids for name, ids in listed.items() if ids})(hidden)
    for files, reason in (
        (fewer, "statement.json: the rules of '[a-z-]+' are left out"),
        (hidden, "statement.json: the claim grants text \\d+ to no coalition of these, so it is excluded"),
        (sound | {"claim.json": plain["claim.json"]}, "claim.json: envelope claims something else"),
        (sound | {"cell.json": plain["cell.json"]}, "cell.json: it is of another scheme or attack"),
        (sound | {"statement.json": plain["statement.json"]}, "claim.json: plain claims something else"),
    ):
        path = laid(tmp_path, files)
        for replay in (False, True):
            with pytest.raises(Malformed, match=reason):
                writing.verify(path, replay)


def test_both_refuse_sparse_and_huge_files_without_reading_them(cells, second, tmp_path):
    for name in ("facts.jsonl", "MANIFEST"):
        path = laid(tmp_path / name, proof_of(cells, "envelope"))
        os.truncate(path / name, 1 << 40)
        for verify, refusal in ((writing.verify, Malformed), (second.verify, second.Refused)):
            with pytest.raises(refusal, match=f"{name}: {1 << 40} bytes, not "):
                verify(path)


def test_both_refuse_one_flipped_byte_of_any_step(cells, second, tmp_path, subtests):
    for scheme in cells:
        good = proof_of(cells, scheme)
        steps = [json.loads(line) for line in good["steps.jsonl"].splitlines()]
        with subtests.test(scheme):
            assert steps
            for number, step in enumerate(steps):
                wrong = bytearray.fromhex(step["encoding"])
                wrong[(7 * number + 11) % len(wrong)] ^= 1 << number % 8
                files = dict(good)
                edit("steps.jsonl", number, encoding=wrong.hex())(files)
                assert all(verdicts(tmp_path, files, second)), step
