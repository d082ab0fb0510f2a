"""Overhead as text: exact bytes, exact operations beside plain's, and ratios of times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attacks.lab.costs.counts import Exact
from attacks.lab.costs.measure import Overhead, Timed
from attacks.lab.costs.workload import Level
from attacks.report.page import Page, counted

PLAIN = "plain"  # what the others are measured against


def draw_bench(page: Page, bench: Overhead) -> None:
    """Draw the exact counts, then the times, which depend on the machine."""
    jobs = list(dict.fromkeys(each.job for each in bench.exact))
    mailed = [job for job in jobs if any(each.mail for each in bench.exact if each.job == job)]
    _draw_bytes(page, bench, f"Bytes mailed for a text of {bench.text} bytes", mailed, "mail")
    _draw_bytes(page, bench, "of them access fields", mailed, "field")
    _draw_bytes(page, bench, "Bytes asked of the directory and of officials, and answered", jobs, "asked")
    page.heading("Operations, all parties together; of the others what they add to plain's")
    for scheme in bench.schemes:
        page.line(_named(bench, scheme), indent=2)
        page.fields([(job, operations(bench.exact, scheme, job)) for job in jobs], indent=4)
    page.gap()
    _draw_times(page, bench, "session", "plain", "Time of a text, computed at both ends; ratios are to plain")
    _draw_times(page, bench, "session", "floor", "The same; ratios are to the floor, the bare library calls")
    _draw_times(page, bench, "device", "plain", "Time of a text, from device to device; ratios are to plain")
    _draw_peers(page, bench)
    timing = bench.timing
    taken = f"Medians of {counted(timing.repeats, 'turn')} of {counted(timing.messages, 'text')}"
    page.line(f"{taken}, Python {timing.python}, cryptography {timing.cryptography}.")
    if bench.unverified:
        page.line("* from a plug-in or another package, unverified until `escrow-lab check` passes")


def _named(bench: Overhead, scheme: str) -> str:
    return scheme + " *" * (scheme in bench.unverified)


def _draw_bytes(page: Page, bench: Overhead, title: str, jobs: Sequence[str], what: str) -> None:
    by_job = {(each.scheme, each.job): getattr(each, what) for each in bench.exact}
    if not any(by_job[scheme, job] for scheme in bench.schemes for job in jobs):
        return
    page.heading(title)
    rows = [[_named(bench, scheme), *(str(by_job[scheme, job]) for job in jobs)] for scheme in bench.schemes]
    page.table(["scheme", *jobs], rows, range(1, len(jobs) + 1))
    page.gap()


def operations(exact: Sequence[Exact], scheme: str, job: str) -> str:
    """Return the operations of a job: plain's as counts, another scheme's as differences to plain's."""
    mine, plain = (_summed(exact, name, job) for name in (scheme, PLAIN))
    if scheme == PLAIN:
        return ", ".join(f"{name} {times}" for name, times in sorted(mine.items())) or "none"
    changes = {name: mine[name] - plain[name] for name in sorted({*mine, *plain}) if mine[name] != plain[name]}
    return ", ".join(f"{name} {change:+d}" for name, change in changes.items()) or "as plain"


def _summed(exact: Sequence[Exact], scheme: str, job: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in exact:
        if (each.scheme, each.job) == (scheme, job):
            for made in each.operations.values():
                total.update(made)
    return total


def _draw_times(page: Page, bench: Overhead, level: Level, base: str, title: str) -> None:
    rows = {(each.scheme, each.job): each for each in bench.timing.rows if each.level == level}
    jobs = list(dict.fromkeys(job for _, job in rows))
    page.heading(title)
    timed = [[_named(bench, scheme), *(_time(rows[scheme, job], base) for job in jobs)] for scheme in bench.schemes]
    if base == "floor":
        timed.append(["floor", *(f"{bench.timing.floor[job]:.1f} µs" for job in jobs)])
    page.table(["scheme", *jobs], timed, range(1, len(jobs) + 1))
    page.gap()


def _time(row: Timed, base: str) -> str:
    """Return the ratio to `base`, or microseconds if there is none: for plain itself and jobs that plain has not."""
    ratio = row.over_plain if base == "plain" else row.over_floor
    return f"{row.microseconds:.1f} µs" if ratio is None else f"{ratio:.2f}x"


def _draw_peers(page: Page, bench: Overhead) -> None:
    """Draw how many times as long as plain each other library takes, for the jobs that it does."""
    rows = {(each.peer, each.job): each for each in bench.timing.peers}
    if not rows:
        return
    jobs = list(dict.fromkeys(job for _, job in rows))
    page.heading("The same between sessions by other libraries; ratios are to plain here")
    names = list(dict.fromkeys(peer for peer, _ in rows))
    timed = [[peer, *(f"{rows[peer, job].over_plain:.2f}x" for job in jobs)] for peer in names]
    page.table(["library", *jobs], timed, range(1, len(jobs) + 1))
    versions = {package: number for each in bench.timing.peers for package, number in each.versions.items()}
    page.line(", ".join(f"{package} {number}" for package, number in versions.items()))
    page.gap()
