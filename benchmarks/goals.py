"""The goals of speed and size, each beside what is measured here and now.

  python -m benchmarks.goals              a table: goal, limit, measured, met or by how much it is missed
  python -m benchmarks.goals G2 G5        these only

Exit code 1 where a goal is missed, 3 where one cannot be measured because a package is not installed. Ratios are
medians over interleaved turns of one process, in processor time; the few absolute times hold for the machine on which
they are printed, and no gate reads them. Those marked "of 212 us" are multiples of one multiplication of a point, at
what it took where the goal was set. A further goal is a function that yields rows, in GOALS.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from math import inf
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import NamedTuple

from attacks.experiments.blaze import new_chip
from attacks.kernels.leaf_search import BATCH, first_valid
from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.labelling.labels import Labels
from attacks.lab.costs import counts
from attacks.lab.costs.measure import BASELINE, JobTurns, baseline_of, microseconds
from attacks.lab.costs.peers import PeerMissing, peer
from attacks.lab.costs.timer import beside, clock_ratio, elapsed, ratio
from attacks.lab.costs.workload import Job, Workload
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.evaluation import Evaluation
from attacks.registry import attacks
from benchmarks import directory_proofs, long_play
from benchmarks.multiples import UNIT, at_unit, naive_verify, one_multiplication
from escrow import crypto
from escrow.crypto import Results, Run, running
from escrow.e2ee import ratchet
from escrow.primitives import group, hpke
from escrow.primitives.skipjack import KEY
from escrow.scheme import Scheme
from escrow.schemes.clipper.chip import Chip
from escrow.schemes.clipper.leaf import IV
from escrow.schemes.plain import SCHEME as PLAIN
from escrow.schemes.threshold import Threshold
from escrow.sharing import feldman, shamir

MESSAGES = 1000  # of 100 bytes, in a turn of one-way; members of the group in a turn of fan-out
TURNS = 15
AGENCIES = 3  # to which one ephemeral key serves
SMALL, LARGE = (67, 100), (334, 1000)  # t of n
LONG = 20_000  # texts that the closure opens
LABELS = 1_000_000  # of a key directory
TRIALS = 1 << 16  # of a rogue LEAF: the expected number for a checksum of 16 bits
SEARCH = {True: 0.1, False: 1.0}  # seconds, with numpy and without
PEAK = """
import sys
from resource import RUSAGE_SELF, getrusage
from benchmarks.goals import evaluated
evaluated(int(sys.argv[1]))
print(getrusage(RUSAGE_SELF).ru_maxrss)
"""
HELP = "import sys; from attacks.cli import main; sys.exit(main())", "--help"


class Row(NamedTuple):
    """One goal: `measured` is to be at most `limit`, or at least, where `least` says so. None: it was not measured.

    An infinite limit is none: the row is for information.
    """

    goal: str
    what: str
    limit: float
    measured: float | None
    unit: str
    least: bool = False
    why: str = ""  # it was not measured

    @property
    def met(self) -> bool:
        if self.measured is None:
            return False
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    @property
    def verdict(self) -> str:
        """Met, or by how much of the limit it is missed."""
        if self.measured is None:
            return self.why
        if self.limit == inf:
            return "no goal"
        return "met" if self.met else f"missed by {abs(self.measured / self.limit - 1):.1%}"

    def line(self) -> str:
        bound = "" if self.limit == inf else f"{'≥' if self.least else '≤'} {self.limit:g} {self.unit}"
        measured = "" if self.measured is None else f"{self.measured:.4g}"
        return f"{self.goal:<4} {self.what:<42} {bound:>10} {measured:>7}  {self.verdict}"


def _turns(job: str, messages: int, peers: tuple[str, ...] = ()) -> JobTurns:
    """Take one job under plain, under the baseline, and by other libraries."""
    taken = JobTurns([Workload(PLAIN)], [peer(name) for name in peers], messages)
    for _ in range(TURNS):
        taken.take([(job, "session")])
    return taken


def _over(taken: JobTurns, who: str, base: str, job: str) -> float:
    return taken.times.ratio((who, job, "session"), (base, job, "session"))


def _over_baseline(goal: str, job: str, limit: float, messages: int) -> Row:
    return Row(goal, f"{job} over the baseline", limit, _over(_turns(job, messages), PLAIN.name, BASELINE, job), "x")


def _faster(goal: str, job: str, name: str, limit: float, messages: int) -> Row:
    """How many times as long another library takes."""
    what = f"{job}, as fast as {name}"
    try:
        taken = _turns(job, messages, (name,))
    except PeerMissing as error:
        return Row(goal, what, limit, None, "x", True, str(error))
    return Row(goal, what, limit, _over(taken, name, PLAIN.name, job), "x", True)


# --- the goals ---


def ping_pong() -> Iterator[Row]:
    yield _over_baseline("G1", "ping-pong", 1.10, 600)


def one_way() -> Iterator[Row]:
    yield _over_baseline("G2", "one-way", 1.35, MESSAGES)
    yield _faster("G2", "one-way", "vodozemac", 1.8, MESSAGES)
    yield _faster("G2", "one-way", "DoubleRatchet", 10, MESSAGES // 5)


def set_up() -> Iterator[Row]:
    yield _over_baseline("G3", "set-up", 1.10, 240)
    yield _faster("G3", "set-up", "DoubleRatchet", 2.5, 60)


def sizes() -> Iterator[Row]:
    """Exact, by the same counts that the gate holds; the counters are those of the longest header below 2^21."""
    message = ratchet.Message(bytes(32), 2**21 - 1, 2**21 - 1, b"", bytes(counts.TEXT + crypto.TAG))
    yield Row("G4", "a message longer than its text", 60, len(ratchet.pack(message)) - counts.TEXT, "B")
    kept = max(row.sessions for row in counts.exact(PLAIN) if row.job == "one-way")
    yield Row("G4", "both ends of a session, as stored", 4096, kept, "B")


def fan_out() -> Iterator[Row]:
    taken = _turns("fan-out", MESSAGES)
    milliseconds = taken.times.median((PLAIN.name, "fan-out", "session")) * MESSAGES / 1e3
    yield Row("G5", f"a text to {MESSAGES} members", 5, milliseconds, "ms")
    yield _faster("G5", "fan-out", "vodozemac", 3, MESSAGES // 5)


def envelopes() -> Iterator[Row]:
    """A message key, sealed; the other way is what the library under this one has ready."""
    info, key = b"info", bytes(32)
    try:
        from cryptography.hazmat.primitives import hpke as library
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    except ImportError as error:
        yield Row("G6", "HPKE envelope over the library's", 1.15, None, "x", why=str(error))
        return
    suite = library.Suite(library.KEM.X25519, library.KDF.HKDF_SHA256, library.AEAD.AES_128_GCM)
    publics = [crypto.new_private().public for _ in range(AGENCIES)]
    theirs = X25519PublicKey.from_public_bytes(publics[0])

    def call() -> object:
        return suite.encrypt(key, theirs, info)

    one = ratio(lambda: hpke.seal(publics[0], key, info), call, TURNS, 20)
    yield Row("G6", "HPKE envelope over the library's", 1.15, one, "x")
    shared = ratio(lambda: _one_ephemeral(publics, key, info), call, TURNS, 10)
    limit = 1.15 * (AGENCIES + 1) / (2 * AGENCIES)
    yield Row("G6", f"{AGENCIES} by one ephemeral, over as many calls", round(limit, 3), shared / AGENCIES, "x")


def _one_ephemeral(to: list[bytes], plaintext: bytes, info: bytes) -> list[bytes]:
    """As `jurisdictions` seals, and `envelope` to several agencies."""
    return hpke.DEFAULT.seal_each(to, [plaintext] * len(to), info, hpke.DEFAULT.kem.new_private())


def shamirs() -> Iterator[Row]:
    for (t, n), (splitting, combining), turns in ((SMALL, (0.45, 0.4), TURNS), (LARGE, (25.0, 10.0), 5)):
        shares = dict(enumerate(shamir.split(7, t, n), 1))
        held = {i: shares[i] for i in sorted(shares, key=lambda i: i * 7 % (n + 1))[:t]}
        split = at_unit(partial(shamir.split, 7, t, n), turns)
        yield Row("G7", f"Shamir {t} of {n}, split (of 212 us)", splitting, split, "ms")
        combine = at_unit(partial(_combined_afresh, held), turns)
        yield Row("G7", f"Shamir {t} of {n}, combine (of 212 us)", combining, combine, "ms")


def _combined_afresh(shares: dict[int, int]) -> int:
    """The factors of the interpolation are remembered otherwise."""
    group.lagrange.cache_clear()
    return shamir.combine(shares)


def feldmans() -> Iterator[Row]:
    (t, n), (_, many) = SMALL, LARGE
    shares, commitments = feldman.deal(7, t, n)
    naive = ratio(
        lambda: naive_verify(commitments, n, shares[-1]),
        lambda: feldman.verify_share(commitments, n, shares[-1]),
        TURNS // 3,
    )
    yield Row("G8", f"Feldman {t} of {n}, as fast as naive", 10, naive, "x", True)
    dealt, committed = feldman.deal(7, *LARGE)
    all_ = dict(enumerate(dealt, 1))
    batch = at_unit(lambda: feldman.verify_shares(committed, all_), TURNS // 3)
    yield Row("G8", f"Feldman, {many} shares at once (of 212 us)", 100, batch, "ms")


def dleq() -> Iterator[Row]:
    x, r = group.random_scalars(2)
    public, point, value = group.base(x), group.base(r), group.base(x * r)
    proof = group.dleq_prove(x, public, point, value, b"")
    milliseconds = at_unit(lambda: group.dleq_verify(public, point, value, proof, b""), TURNS, 4)
    yield Row("G9", "DLEQ verified (of 212 us)", 0.68, milliseconds, "ms")
    yield Row("G9", "DLEQ verified, in multiplications", round(0.68 / UNIT, 2), milliseconds / UNIT, "x")


def rogue_leafs() -> Iterator[Row]:
    chip = new_chip()
    for numpy, limit in SEARCH.items():
        what = f"rogue LEAF, 2^16 trials, {'numpy' if numpy else 'plain'}"
        if numpy and find_spec("numpy") is None:
            yield Row("G10", what, limit, None, "s", why="numpy is not installed")
            continue
        expected_search(chip, numpy)
        yield Row("G10", what, limit, median(elapsed(partial(expected_search, chip, numpy)) for _ in range(3)), "s")


def expected_search(chip: Chip, numpy: bool) -> int:
    """All of 2^16 random LEAFs are tried, and half a batch more: what a search draws beyond its last trial."""
    ks, iv, valid = crypto.random_bytes(KEY), crypto.random_bytes(IV), 0
    for _ in range(TRIALS // BATCH):
        drawn = crypto.random_bytes(BATCH * chip.family.make.size)
        valid += first_valid(chip, ks, iv, drawn, numpy=numpy) is not None
    first_valid(chip, ks, iv, drawn[: len(drawn) // 2], numpy=numpy)
    return valid


def closures() -> Iterator[Row]:
    """As benchmarks/test_analysis.py measures: every text opened, beside the baseline of the same conversation."""
    play = long_play.ping_pong(LONG)
    closure = long_play.read(play, list(attacks().values()))
    seconds, baseline = beside(lambda: Closure.run(closure), baseline_of_a_text)
    yield Row("G11", f"closure over the baseline, {LONG} texts", 1.1, seconds / LONG * 1e6 / baseline, "x")
    seconds, baseline = beside(lambda: Labels(closure).label(), baseline_of_a_text)
    yield Row("G11", f"labels over the baseline, {LONG} texts", 0.27, seconds / LONG * 1e6 / baseline, "x")


def baseline_of_a_text() -> float:
    """Return the microseconds that the baseline takes for a text of a ping-pong."""
    return microseconds(baseline_of(Job("ping-pong", "session", 100, lambda: None)))


def help_() -> Iterator[Row]:
    over = clock_ratio(lambda: _process(*HELP), lambda: _process("import click"), TURNS)
    yield Row("G13", "--help over `import click`", 1.35, over, "x")


def _process(*arguments: str) -> float:
    """The processor's time of a fresh interpreter, the system's included."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def matrix() -> Iterator[Row]:
    """The default matrix in one process, its controls too: processor time of a strategy that is played, and memory."""
    limit = 0.45 if group.arithmetic.NAME == "OpenSSL" else 0.7
    command = [sys.executable, "-m", "attacks.cli", "matrix", "--jobs", "1", "--format", "json", "-o", "-", "--quiet"]
    unit, before = elapsed(one_multiplication, 400), getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 (our own)
    after, units = getrusage(RUSAGE_CHILDREN), (unit, elapsed(one_multiplication, 400))
    plays = sum(cell["played"] for cell in json.loads(done.stdout)["cells"])
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    at_unit_ = seconds * UNIT / 1e3 / (sum(units) / 2)
    yield Row("G12", f"a strategy of a cell, by {group.arithmetic.NAME} (of 212 us)", limit, at_unit_ / plays, "s")
    yield Row("G14", "a worker of the matrix", 250, after.ru_maxrss / 1024, "MB")


def memory() -> Iterator[Row]:
    """What a text of threshold takes in a cell: two fresh processes, of which one has more texts in as many days."""
    (few, small), (many, large) = ((texts, int(_output(PEAK, str(texts)))) for texts in (60, 250))
    yield Row("G14", "a text of threshold", 60, (large - small) / (many - few), "KB")


def evaluated(messages: int) -> None:
    """Evaluate one cell of threshold. The results that a run keeps do not count: there is a bound on them."""
    every = attacks()
    Evaluation(Threshold(), tuple(every.values()), default(messages=messages)).cell(every["authority-theft"])


def _output(*arguments: str) -> bytes:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", *arguments], check=True, capture_output=True).stdout  # noqa: S603 (our own)


def growth() -> Iterator[Row]:
    """A large committee; twice as many users; and four times as many days for the same texts."""
    yield Row("G15", "25 agents, 16 texts (of 212 us)", 5, _read(Threshold(n=25), 16) * UNIT / 1e3, "s")
    few, many = (_read(PLAIN, 250, users=users) for users in (48, 96))
    yield Row("G15", "96 users over 48", 2.2, many / few, "x")
    short, long = (_read(Threshold(), 60, days=days) for days in (10, 40))
    yield Row("G15", "40 days over 10, 60 texts", 4, long / short, "x")


def _read(scheme: Scheme, messages: int, users: int = 6, days: int = 10) -> float:
    """Return what a play and its closure take, in multiplications of a point."""
    scenario = default(messages=messages, users=users, days=days)
    with running(Run(None, results=Results())):
        work, base = beside(
            lambda: Analysis(scheme, play(scheme, scenario), list(attacks().values())),
            lambda: elapsed(one_multiplication, 40),
        )
    return work / base


def key_directory() -> Iterator[Row]:
    """Proofs among a million labels. What it takes to build their tree is for information, as are whole lookups."""
    million = directory_proofs.Million(LABELS)
    yield Row("G17", "prefix tree, built", inf, million.built, "s")
    yield Row("G17", "prefix tree and its building, at the peak", inf, million.peak, "MB")
    for kind, size, made, checked, whole in million.proofs():
        most, milliseconds = (inf, inf) if whole else (directory_proofs.most_bytes(LABELS), directory_proofs.LIMIT)
        yield Row("G17", kind, most, size, "B")
        yield Row("G17", f"{kind}, made", milliseconds, made, "ms")
        yield Row("G17", f"{kind}, checked", milliseconds, checked, "ms")


GOALS: dict[str, Callable[[], Iterator[Row]]] = {
    "G1": ping_pong,
    "G2": one_way,
    "G3": set_up,
    "G4": sizes,
    "G5": fan_out,
    "G6": envelopes,
    "G7": shamirs,
    "G8": feldmans,
    "G9": dleq,
    "G10": rogue_leafs,
    "G11": closures,
    "G12": matrix,
    "G13": help_,
    "G14": memory,
    "G15": growth,
    "G17": key_directory,
}


def main(arguments: list[str]) -> int:
    """0: all are met. 1: one is missed. 2: no goal has that name. 3: one could not be measured."""
    chosen = [name for name in GOALS if not arguments or name in arguments]
    if unknown := [name for name in arguments if name not in GOALS]:
        print(f"no goal {unknown[0]}; there are {', '.join(GOALS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in chosen:
        for row in GOALS[name]():
            rows.append(row)
            print(row.line(), flush=True)
    if any(row.measured is None for row in rows):
        return 3
    return int(not all(row.met for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
