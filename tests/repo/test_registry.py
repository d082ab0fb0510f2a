"""Discovery: whatever is there is found, and whatever does not load is an error that names it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import attacks.registry
from attacks.lab.adversary.view import words_of
from escrow import registry
from escrow.registry import Kind, PluginError, UnknownName
from escrow.scheme import Scheme
from escrow.schemes.split_key import SplitKey

MINE = """
from escrow.schemes.plain import Plain
from escrow.scheme import Source

class Mine(Plain, frozen=True, kw_only=True):
    name = "mine"
    title = "Mine"
    source = Source("Nobody", "Nothing", 2026, "all")

"""
RULE = """
from escrow.codec import Fact
from escrow.derivation import derivation

class Mark(Fact, frozen=True):
    n: int

@derivation()
def following(mark: Mark) -> Mark:
    return Mark(mark.n + 1)
"""
ATTACK = """
from attacks import Attack
from escrow import Source

class Blow(Attack):
    name = "blow"
    title = "A blow"
    source = Source("Nobody", "Nothing", 2026, "all")
    specimen = "key_in_clear"
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Plug-ins of one test are unknown to the next."""
    before, path = set(sys.modules), list(sys.path)
    registry._entry_points.cache_clear()
    yield
    registry._entry_points.cache_clear()
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if not name.startswith(("escrow", "attacks")):
            del sys.modules[name]


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- what is there is found ---


def test_every_module_of_the_folder_is_a_scheme_and_plain_comes_first() -> None:
    files = Path(sys.modules["escrow.schemes"].__path__[0]).glob("[a-z]*")
    found = registry.schemes()
    assert {name.replace("-", "_") for name in found} == {path.stem for path in files}
    assert list(found) == ["plain", *sorted(found.keys() - {"plain"})]


def test_every_file_of_the_attacks_is_one_and_the_laboratory_is_none() -> None:
    files = Path(sys.modules["attacks"].__path__[0]).glob("[a-z]*.py")
    found = attacks.registry.attacks()
    assert {name.replace("-", "_") for name in found} == {path.stem for path in files} - {"registry"}


def test_specimens_and_twins_are_asked_for_by_name_and_listed_nowhere() -> None:
    specimens = attacks.registry.specimens()
    named = {attack.specimen for attack in attacks.registry.attacks().values()}
    assert len(specimens) >= len(named) > 0
    own = {name for name, each in specimens.items() if type(each).__module__.startswith("attacks.specimens")}
    assert own and not own & registry.schemes().keys()


@pytest.mark.parametrize("last", ["SCHEME = Mine()", "SCHEMES = [Mine()]", "SCHEMES = (Mine(),)"])
def test_a_file_gives_one_scheme_or_several(tmp_path: Path, last: str) -> None:
    found = registry.schemes([written(tmp_path, MINE + last)])
    assert found["mine"].title == "Mine" and registry.is_plugin(found["mine"])
    assert not any(map(registry.is_plugin, registry.schemes().values()))


def test_a_file_gives_an_attack_and_a_scheme(tmp_path: Path) -> None:
    path = written(tmp_path, MINE + ATTACK + "SCHEME = Mine()\nATTACK = Blow()\n")
    assert "mine" in registry.schemes([path, path])
    assert "blow" in attacks.registry.attacks([path])
    assert sys.modules["plugin_mine"].__file__ == str(path)


def test_what_a_plug_in_prints_is_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry.schemes([written(tmp_path, MINE + "print('hello')\nSCHEME = Mine()")])
    assert capsys.readouterr() == ("", "hello\n")


def installed(folder: Path, points: str) -> None:
    """A distribution as pip leaves it."""
    information = folder / "thirdparty-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: thirdparty\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(points)
    sys.path.insert(0, str(folder))


def test_an_installed_package_gives_schemes_and_its_helper_modules_their_rules(tmp_path: Path) -> None:
    written(tmp_path, "", "thirdparty/__init__.py")
    written(tmp_path, RULE, "thirdparty/marks.py")
    written(tmp_path, "from thirdparty.marks import Mark\n" + MINE + "SCHEME = Mine()", "thirdparty/paper.py")
    installed(tmp_path, "[escrow_lab.schemes]\nmine = thirdparty.paper:SCHEME\n")
    found = registry.schemes()["mine"]
    assert registry.is_plugin(found)
    assert "thirdparty.marks.following" in {rule.name for rule in words_of(found).rules}


def test_the_rules_of_a_file_are_the_adversary_s(tmp_path: Path) -> None:
    found = registry.schemes([written(tmp_path, RULE + MINE + "SCHEME = Mine()")])["mine"]
    assert "plugin_mine.following" in {rule.name for rule in words_of(found).rules}
    assert "Mark" in {kind.__name__ for kind in words_of(found).types}


# --- what does not load is an error ---

BROKEN = {
    "syntax": ("x = 1\ndef f(:\n", "line 2: SyntaxError"),
    "raises": ("x = 1\n\n1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
    "leaves": ("raise SystemExit('bye')", "line 1: SystemExit: bye"),
    "import": ("import no_such_module_anywhere\n", "line 1: ModuleNotFoundError"),
    "nul": ("x = '\0'\n", "null bytes"),
    "nothing": ("x = 1\n", "it defines none of SCHEME, SCHEMES, ATTACK, ATTACKS"),
    "wrong type": ("SCHEME = 3\n", "SCHEME is no Scheme but a int"),
    "class": (MINE + "SCHEME = Mine\n", "write its class with () behind it"),
    "no list": (MINE + "SCHEMES = Mine()\n", "several are a list or a tuple, not a Mine"),
    "name taken": (MINE.replace('"mine"', '"plain"') + "SCHEME = Mine()", "'plain' is taken by escrow.schemes.plain"),
    "twice": (MINE + "SCHEMES = [Mine(), Mine()]", "'mine' is taken by plugin_mine"),
    "name": (MINE.replace('"mine"', '"\\x1b[31mMine"') + "SCHEME = Mine()", "not lower-case letters"),
    "title": (MINE.replace('"Mine"', "7") + "SCHEME = Mine()", "Mine has no title that is a str"),
    "claim": (MINE + "    claim = 3\nSCHEME = Mine()", "its claim is no Claim"),
    "unmarked": (
        RULE.replace("@derivation()", "") + MINE + "SCHEME = Mine()",
        "plugin_mine.following (line 9) takes and gives facts: mark it @derivation or @honest_only",
    ),
    "rule": (RULE.replace("-> Mark", "-> int") + MINE + "SCHEME = Mine()", "following: it returns no fact"),
    "hint": (RULE.replace("@derivation()", "").replace("-> Mark", "-> Mork") + MINE + "SCHEME = Mine()", "NameError"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_plug_in_that_does_not_load_is_one_error_that_names_file_and_cause(tmp_path: Path, fault: str) -> None:
    text, cause = BROKEN[fault]
    path = written(tmp_path, text)
    with pytest.raises(PluginError) as raised:
        registry.schemes([path])
    assert str(path) in str(raised.value) and cause in str(raised.value)


def test_an_attack_without_specimen_or_with_an_unmarked_derivation_does_not_load(tmp_path: Path) -> None:
    nameless = written(tmp_path, ATTACK.replace("specimen =", "other =") + "ATTACK = Blow()", "nameless.py")
    with pytest.raises(PluginError, match="names no specimen"):
        attacks.registry.attacks([nameless])
    absent = written(tmp_path, ATTACK.replace("key_in_clear", "nowhere") + "ATTACK = Blow()", "absent.py")
    with pytest.raises(PluginError, match="there is no specimen nowhere"):
        attacks.registry.attacks([absent])
    own = "from attacks.lab.simulation.attack import Apparatus\nclass Own(Apparatus):\n    pass\n"
    peeping = written(tmp_path, own + ATTACK + "    apparatus = Own\nATTACK = Blow()", "peeping.py")
    with pytest.raises(PluginError, match="its apparatus is not the lab's"):
        attacks.registry.attacks([peeping])
    former = written(
        tmp_path, ATTACK + "    def meddle(self, party, *others):\n        return party\nATTACK = Blow()", "former.py"
    )
    with pytest.raises(PluginError, match="its meddle is called corrupt now"):
        attacks.registry.attacks([former])
    unmarked = written(tmp_path, ATTACK + "    derivations = (print,)\nATTACK = Blow()", "unmarked.py")
    with pytest.raises(PluginError, match="its derivation print is not marked"):
        attacks.registry.attacks([unmarked])


def test_a_file_that_failed_to_load_leaves_nothing_behind_and_may_be_mended(tmp_path: Path) -> None:
    path = written(tmp_path, "1 / 0")
    with pytest.raises(PluginError):
        registry.schemes([path])
    assert "plugin_mine" not in sys.modules
    path.write_text(MINE + "# mended, so that its bytes differ in number\nSCHEME = Mine()")
    assert "mine" in registry.schemes([path])


def test_two_files_of_one_name_are_an_error_not_a_choice(tmp_path: Path) -> None:
    one, other = (written(tmp_path, MINE + "SCHEME = Mine()", f"{folder}/mine.py") for folder in "ab")
    with pytest.raises(PluginError, match="rename one of them"):
        registry.schemes([one, other])


@pytest.mark.parametrize("path", ["absent.py", "."])
def test_a_file_that_is_not_there_or_no_file_is_an_error(tmp_path: Path, path: str) -> None:
    with pytest.raises(PluginError, match=r"No such file|Is a directory"):
        registry.schemes([tmp_path / path])


@pytest.mark.parametrize(
    ("points", "cause"),
    [("mine = thirdparty.paper:SCHEME", "ZeroDivisionError"), ("mine = thirdparty:ABSENT", "AttributeError")],
)
def test_an_entry_point_that_does_not_load_is_an_error_that_names_it(tmp_path: Path, points: str, cause: str) -> None:
    written(tmp_path, "", "thirdparty/__init__.py")
    written(tmp_path, "1 / 0", "thirdparty/paper.py")
    installed(tmp_path, f"[escrow_lab.schemes]\n{points}\n")
    with pytest.raises(PluginError, match=rf"entry point mine \(thirdparty.*, from thirdparty\): {cause}"):
        registry.schemes()


def test_a_module_of_the_folder_without_its_attribute_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, "", "folder/__init__.py")
    written(tmp_path, "x = 1\n", "folder/helper.py")
    written(tmp_path, "x = 1\n", "folder/_private.py")
    sys.path.insert(0, str(tmp_path))
    assert registry.discover(Kind(Scheme, "SCHEME", "folder", "none", frozenset({"helper"}))) == {}
    with pytest.raises(PluginError, match=r"helper.py: it does not end with SCHEME"):
        registry.discover(Kind(Scheme, "SCHEME", "folder", "none"))


def test_a_package_of_the_folder_is_a_scheme_where_packages_are_looked_for(tmp_path: Path) -> None:
    written(tmp_path, "", "entries/__init__.py")
    written(tmp_path, MINE + "SCHEME = Mine()", "entries/mine/paper.py")
    exported = written(tmp_path, "from entries.mine.paper import SCHEME as SCHEME", "entries/mine/__init__.py")
    sys.path.insert(0, str(tmp_path))
    assert registry.discover(Kind(Scheme, "SCHEME", "entries", "none")) == {}
    kind = Kind(Scheme, "SCHEME", "entries", "none", packages=True)
    assert [type(each).__module__ for each in registry.discover(kind).values()] == ["entries.mine.paper"]
    exported.write_text("")
    del sys.modules["entries.mine"]
    with pytest.raises(PluginError, match=r"mine/__init__.py: it does not end with SCHEME"):
        registry.discover(kind)


# --- parameters ---


def test_settings_are_converted_strictly_and_applied_together() -> None:
    changed = registry.with_parameters(SplitKey(), ["split-key.t=5", "split-key.n=9", "other.t=1"])
    assert (changed.t, changed.n) == (5, 9) and registry.parameters(changed) == {"t": 5, "n": 9}
    assert registry.parameters(registry.with_parameters(changed, ["split-key.committing=true"]))["committing"] is True


@pytest.mark.parametrize(
    ("setting", "cause"),
    [
        ("split-key.q=3", "has no parameter 'q'; its parameters are: committing, policing, modes, t, n"),
        ("split-key.t=three", "split-key.t cannot be 'three'"),
        ("split-key.t=2.5", "split-key.t cannot be '2.5'"),
        ("plain.t=2", "plain has no parameter 't'; its parameters are: committing"),
        ("splitkey.t=3", "did you mean split-key?"),
        ("split-key.t", "write SCHEME.PARAM=VALUE"),
        ("split-key=3", "write SCHEME.PARAM=VALUE"),
    ],
)
def test_a_setting_that_fits_nothing_says_what_would(setting: str, cause: str) -> None:
    with pytest.raises(UnknownName, match=cause.replace("?", r"\?")):
        registry.configured(registry.schemes(), [setting])


def test_parameters_that_do_not_fit_each_other_are_refused_by_their_scheme(tmp_path: Path) -> None:
    fields = "    t: int = 2\n    n: int = 3\n"
    check = "    def __post_init__(self):\n        if self.t > self.n:\n            raise ValueError('t exceeds n')\n"
    found = registry.schemes([written(tmp_path, MINE.rstrip() + f"\n{fields}{check}\nSCHEME = Mine()")])
    assert registry.configured(found, ["mine.t=4", "mine.n=5"])["mine"] != found["mine"]
    with pytest.raises(UnknownName, match="mine does not take these parameters: t exceeds n"):
        registry.configured(found, ["mine.t=4"])


def test_a_wrong_name_is_told_the_nearest_or_all() -> None:
    found = registry.schemes()
    assert registry.pick(found, "plain", "scheme").name == "plain"
    with pytest.raises(UnknownName, match=r"did you mean envelope\?"):
        registry.pick(found, "envelop", "scheme")
    with pytest.raises(UnknownName, match=r"there are: plain, .*envelope"):
        registry.pick(found, "zzz", "scheme")
