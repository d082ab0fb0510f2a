"""The adversary in a process of its own: it is given bytes through a pipe, and gives back bytes and labels.

What is isolated: a fresh interpreter, never a fork, is told what was heard, the seized states with the names of their
holders and of their classes, the issued warrants, and which modules hold the types and rules. Sent and shown texts,
seed and run secret, scenario and all objects of the play stay behind; so do environment, working directory, open files
and standard output. A rule that looks around (garbage collector, stack frames, modules) finds what an adversary has.
It cannot draw the texts anew either: an isolated evaluation plays under a secret of its own.

What is not: all seized states of a play lie in one process, so a rule that looks around there finds what other
coalitions hold; hence the coalition that a cell names is tried again in a process that has nothing else (what other
coalitions open, counted beside it, is not). Where honest officials answer, their states lie there too, and a rule could
read those unseen. An attack's module is loaded in the laboratory as well,
and what it does during a play (`corruptions`, `corrupt`, `each_evening`) it does there. What it is handed leads to no
honest party's object (attacks.lab.simulation.watched.seat); but who walks the interpreter from there finds the play.
And a process of the same user may ask the operating system for files and, where ptrace is not restricted, for the
memory of others (/proc/PID/mem): to forbid that is a matter of users, containers and kernels.

One question, one answer: frames of canonical msgpack behind eight bytes of length. Whatever else comes back, or
nothing, is AdversaryFailed. The child ends when its standard input does, so it never outlives its parent.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from attacks.lab.adversary.labelling.antichains import Antichains, Atoms, Symbol
from attacks.lab.adversary.labelling.labels import MATHEMATICS, SERVED, Labels
from attacks.lab.adversary.local import AdversaryFailed, Local
from attacks.lab.adversary.pipe import (
    Charge,
    Failed,
    Findings,
    Labelled,
    Nameless,
    class_of,
    kind_of,
    name_of,
    named,
    receive,
    send,
    signed,
    unsigned,
)
from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.evenings import WHENEVER
from attacks.lab.adversary.view import View, module_of
from attacks.lab.adversary.work import Work, bits_of
from escrow import codec
from escrow.derivation import Rule
from escrow.errors import Malformed
from escrow.registry import PREFIX, load_files

# --- the parent's side ---


class Remote:
    """The answers of an adversary that had a process of its own, and is gone. Raises AdversaryFailed.

    Arguments and what can be asked are those of `attacks.lab.adversary.local.Local`.
    """

    def __init__(self, view: View, scheme: object, attacks: Iterable[object], rules: Iterable[Rule]) -> None:
        try:
            charge = _charge(view, scheme, tuple(attacks), tuple(rules))
        except Nameless as error:
            raise AdversaryFailed(f"the adversary cannot have a process of its own: {error}") from None
        found = _asked(charge)
        self.texts = dict(enumerate(found.texts))
        self.fired, self.officials, self.passes = found.fired, found.officials, tuple(found.passes)
        self.refusals = found.refusals
        try:
            _insist({MATHEMATICS, SERVED} <= found.passes.keys(), "no labels")
            _insist(all(official in view.states for official in found.officials), "an official that is not in the view")
            self._labels = {name: _Heard(each, view, len(found.texts)) for name, each in found.passes.items()}
        except ValueError as error:
            raise AdversaryFailed(f"the adversary's process answered what cannot be: {error}") from None

    def labelled(self, name: str) -> Labels:
        """Return the labels of the texts in one pass. Raise ValueError for an unknown pass."""
        if name not in self._labels:
            raise ValueError(f"no pass {name!r}; there are {', '.join(self.passes)}")
        return self._labels[name]


class _Heard(Labels):
    """Labels as another process told them: of the texts, by number, in one pass."""

    def __init__(self, told: Labelled, view: View, texts: int) -> None:
        self.atoms, self.antichains = Atoms(()), Antichains()
        atoms = [(name, int.from_bytes(held, "big", signed=True)) for name, held in told.atoms]
        sets = [tuple(int.from_bytes(mask, "big") for mask in masks) for masks in told.sets]
        _insist(atoms == sorted(set(atoms)), "an atom twice")
        for name, held in atoms:
            known = name in view.states and (held == WHENEVER or 0 < held <= evenings.until(view.days - 1))
            _insist(known or bits_of(name) > 0, f"an atom of {name!a}")
        bits = 1 << len(atoms) + len(told.symbols)
        _insist(all(mask < bits for masks in sets for mask in masks), "a mask of unknown atoms")
        _insist(len(told.labels) == texts, "a number of labels that is not that of the texts")
        members = [member for _, of in told.symbols for member in of]
        _insist(all(0 <= each < len(sets) for each in (*told.labels, *members)), "an unknown label")
        self.atoms, self.antichains.sets = Atoms(atoms), sets
        for t, of in told.symbols:
            self.atoms.add(Symbol(t, of))
        self.work = Work(self.atoms.named, self.antichains, view.work)
        self._within, self._told = {}, list(told.labels)

    def priced(self, name: str = "") -> list[int]:
        return self._told


def _insist(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


def _asked(charge: Charge) -> Findings:
    """Start the child, put the question, wait for the answer, and see the child off."""
    command = [sys.executable, "-P", "-m", "attacks.lab.adversary.isolation"]
    away = os.path.abspath(os.sep)
    child = subprocess.Popen(  # noqa: S603 (this interpreter and this module)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=away, env=_environment(), start_new_session=True
    )
    to_child, from_child = _open(child.stdin), _open(child.stdout)
    try:
        send(to_child, charge)
        answer = codec.decode(receive(from_child), Findings | Failed)  # type: ignore[arg-type]  # a union as a type
    except (Malformed, OSError) as error:
        raise AdversaryFailed(_how_it_ended(child, error)) from None
    finally:
        child.kill()
        child.wait()
        from_child.close()
        _close(to_child)
    if isinstance(answer, Failed):
        raise AdversaryFailed(f"the adversary failed in its process: {answer.reason}")
    return answer


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    """Return the pipe. Raise AdversaryFailed if the child was started without it."""
    if pipe is None:
        raise AdversaryFailed("the adversary's process was started without its pipes")
    return pipe


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # what a child that died did not read


def _how_it_ended(child: subprocess.Popen[bytes], error: Exception) -> str:
    """Return how the child ended, or what was wrong with its answer."""
    try:
        code = child.wait(1)
    except subprocess.TimeoutExpired:
        return f"the adversary's process answered what is no answer: {error}"
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"the adversary's process {how} before it answered"


def _environment() -> dict[str, str]:
    """Return the paths of modules; the rest of this environment is left out, except what Windows needs to start."""
    path = os.pathsep.join(os.path.abspath(each) for each in sys.path)
    return {"PYTHONPATH": path} | {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}


def _charge(view: View, scheme: object, attacks: tuple[object, ...], rules: tuple[Rule, ...]) -> Charge:
    modules = [module_of(each).__name__ for each in (scheme, *attacks)]
    return Charge(
        plugins=tuple(_plugin_files()),
        scheme=modules[0],
        attacks=tuple(dict.fromkeys(modules[1:])),
        rules=tuple(name_of(rule.function) for rule in rules),
        days=view.days,
        heard=view.heard,
        states=dict(view.states),
        kinds={name: tuple(map(kind_of, kinds)) for name, kinds in view.kinds.items()},
        warrants=view.warrants,
        guessable=view.guessable,
        set_up=dict(view.set_up),
        set_up_kinds={name: kind_of(kind) for name, kind in view.set_up_kinds.items()},
    )


def _plugin_files() -> Iterator[str]:
    """Yield the files that were loaded as plug-ins: the child loads them in the same way, under the same names."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith(PREFIX) and (file := getattr(module, "__file__", None)):
            yield file


# --- the child's side ---


def _answer(charge: Charge) -> Findings:
    load_files(map(Path, charge.plugins))
    rules = [named(name, importlib.import_module).__rule__ for name in charge.rules]
    scheme, *attacks = map(importlib.import_module, (charge.scheme, *charge.attacks))
    every = {kind for kinds in (*charge.kinds.values(), charge.set_up_kinds.values()) for kind in kinds}
    made = {kind: class_of(kind) for kind in every}
    kinds = {name: tuple(made[kind] for kind in kinds) for name, kinds in charge.kinds.items()}
    born = {name: made[kind] for name, kind in charge.set_up_kinds.items()}
    view = View(
        charge.days,
        charge.heard,
        charge.states,
        kinds,
        charge.warrants,
        guessable=charge.guessable,
        set_up=charge.set_up,
        set_up_kinds=born,
    )
    local = Local(view, scheme, attacks, rules)
    passes = {name: _labelled(local.labelled(name), name, local.texts) for name in local.passes}
    return Findings(tuple(local.texts.values()), dict(local.fired), local.officials, passes, local.refusals)


def _labelled(labels: Labels, name: str, texts: Iterable[int]) -> Labelled:
    """Return the labels of the texts, with only the sets of masks that they and the thresholds need."""
    numbers = labels.priced(name)
    of_text = [numbers[fact] for fact in texts]
    members = [member for symbol in labels.atoms.symbols for member in symbol.members]
    short = {number: at for at, number in enumerate(dict.fromkeys((*of_text, *members)))}
    return Labelled(
        atoms=tuple((atom[0], signed(atom[1])) for atom in labels.atoms.named if isinstance(atom, tuple)),
        symbols=tuple((each.t, tuple(short[member] for member in each.members)) for each in labels.atoms.symbols),
        sets=tuple(tuple(map(unsigned, labels.antichains.sets[number])) for number in short),
        labels=tuple(short[number] for number in of_text),
    )


def serve() -> None:
    """Answer the one question on standard input; what rules print goes to standard error."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    frame = receive(sys.stdin.buffer)
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    try:
        found: Findings | Failed = _answer(codec.decode(frame, Charge))
    except Exception as error:
        found = Failed(" ".join(f"{type(error).__name__}: {error}".split()))
    send(answer, found)


def _outlive_nobody() -> None:
    """End this process when the asking process closes the pipe or dies: then no one waits for an answer."""
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    serve()
