"""Property: what third parties need is exported from three packages, unchanged, and imported when it is asked for."""

import ast
import subprocess
import sys
from importlib import import_module
from inspect import getsource, isclass, isfunction
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]

PACKAGES = ("escrow", "escrow.sharing", "attacks")
FIRST_TEMPLATE = """
from escrow import codec, crypto, hpke
from escrow.codec import Public
from escrow.crypto import Private, new_private
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import Slip
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError
from escrow.principal import Principal
from escrow.scheme import AccessField, Claim, Grant, Intercept, Source, User, open_intercepted, wanted
from escrow.schemes.plain import DEVICES, FieldScheme, Plain
from escrow.warrant import Answer, Answered, Authority, Request, Warrant, in_force, open_answer, promises, seal_answer
from escrow.wire import Wire
"""  # what `init scheme` printed first; plug-ins in use have these lines


def named_for_type_checkers(package: str) -> dict[str, str]:
    """The names in the package's TYPE_CHECKING block, and the module that each is from."""
    blocks = [node for node in ast.parse(getsource(import_module(package))).body if isinstance(node, ast.If)]
    (block,) = (each for each in blocks if ast.unparse(each.test) == "TYPE_CHECKING")
    lines = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(lines) == len(block.body)
    return {alias.name: str(node.module) for node in lines for alias in node.names}


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_what_the_package_exports(package: str) -> None:
    exported = import_module(package).__all__
    assert len(exported) == len(set(exported))
    assert set(exported) == named_for_type_checkers(package).keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_each_name_is_what_its_own_module_defines(package: str) -> None:
    """The adversary's rules are looked up by `__module__`: an export that rewrote it would lose them."""
    for name, home in named_for_type_checkers(package).items():
        found = getattr(import_module(package), name)
        if isinstance(found, ModuleType):
            assert found.__name__ == f"{home}.{name}"
        elif isclass(found) or isfunction(found):
            assert (found.__module__, found.__name__) == (home, name)
        else:
            assert found is getattr(import_module(home), name)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_star_import_gives_every_name_and_an_unknown_name_is_an_error(package: str) -> None:
    space: dict[str, object] = {}
    exec(f"from {package} import *", space)  # noqa: S102 (the statement above)
    assert set(import_module(package).__all__) <= space.keys()
    with pytest.raises(ImportError, match="no_such_name"):
        exec(f"from {package} import no_such_name", {})  # noqa: S102 (the statement above)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'no_such_name'"):
        import_module(package).no_such_name  # noqa: B018 (the look is what is refused)


def in_a_fresh_process(code: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


BASE = {
    f"escrow.{each}" for each in ("codec", "crypto", "derivation", "errors", "principal", "scheme", "warrant", "wire")
}
NOT_EXPORTED = {"derivation"}  # its module has the same name


def imported(folder: str) -> set[tuple[str, str]]:
    """The modules and names from which the files of a folder import."""
    trees = [ast.parse(path.read_text("utf-8")) for path in ROOT.glob(folder)]
    lines = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {(str(line.module), alias.name) for line in lines for alias in line.names}


@pytest.mark.parametrize("folder", ["escrow/schemes/**/*.py", "attacks/specimens/*.py"])
def test_what_our_own_schemes_take_from_the_base_is_exported(folder: str) -> None:
    needed = {name for module, name in imported(folder) if module in BASE}
    assert len(needed) > 10
    assert needed - set(import_module("escrow").__all__) <= NOT_EXPORTED, needed - set(import_module("escrow").__all__)


def test_what_our_own_attacks_take_from_the_simulation_is_exported() -> None:
    every = imported("attacks/[!_]*.py") - imported("attacks/registry.py")
    needed = {name for module, name in every if module.startswith("attacks.lab.simulation.")}
    assert {"Cast", "Seize", "Turn"} <= needed <= set(import_module("attacks").__all__)


def test_no_export_needs_an_extra() -> None:
    """A star import works where only the dependencies are installed."""
    hidden = "import sys; sys.modules.update(dict.fromkeys(('hypothesis', 'numpy', 'pytest')));"
    in_a_fresh_process(hidden + "".join(f"from {package} import *;" for package in PACKAGES))


def test_the_packages_import_nothing_before_a_name_is_asked_for() -> None:
    loaded = "import sys, {}; print(*(name for name in sys.modules if name.split('.')[0] in ('escrow', 'attacks')))"
    assert set(in_a_fresh_process(loaded.format(", ".join(PACKAGES)))) == {*PACKAGES, "escrow.surface"}


@pytest.mark.parametrize("line", FIRST_TEMPLATE.strip().splitlines())
def test_what_the_first_template_imported_can_be_imported(line: str) -> None:
    in_a_fresh_process(line)


def test_type_checkers_accept_imports_from_the_packages(tmp_path) -> None:
    lines = [
        f"from {package} import {name} as _{name}" for package in PACKAGES for name in import_module(package).__all__
    ]
    (tmp_path / "mine.py").write_text("\n".join(lines) + "\nfrom escrow import no_such_name\n")
    command = [sys.executable, "-m", "mypy", "--strict", str(tmp_path / "mine.py")]
    told = subprocess.run(command, capture_output=True, text=True).stdout
    assert f"mine.py:{len(lines) + 1}: error" in told and told.count("mine.py") == 1 == told.count("error:"), told
