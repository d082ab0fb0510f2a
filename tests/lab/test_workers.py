"""Property: every task has one result; a process stays with its group, and one that is killed loses its own task."""

import os
import signal
import sys
from operator import itemgetter

import pytest

from attacks.lab.runs.workers import _Left, spread

TASKS = ("a1", "a2", "b1", "b2", "c1")


def performed(task):
    """Return the task and who performed it; tasks called after a fault have it."""
    if task == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "failing":
        raise LookupError("there is no such thing")
    return task, os.getpid()


def lost(task):
    return task, None


def test_a_process_stays_with_its_group_then_takes_a_fresh_one_then_helps():
    left = _Left(TASKS, itemgetter(0))
    assert [left.take(None), left.take(None)] == [("a", "a1"), ("b", "b1")]
    assert left.take("a") == ("a", "a2")
    assert left.take("a") == ("c", "c1")
    assert left.take("c") == ("b", "b2")
    assert not left


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_every_task_has_one_result(jobs):
    done = list(spread(performed, TASKS, jobs, lost, itemgetter(0)))
    assert sorted(task for task, _ in done) == sorted(TASKS)
    assert (os.getpid() in {who for _, who in done}) == (jobs == 1)
    assert list(spread(performed, (), jobs, lost)) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_is_killed_loses_its_own_task_only():
    done = dict(spread(performed, ("killed", *TASKS, "killed"), 2, lost))
    assert done.keys() == {"killed", *TASKS}
    assert [task for task, who in done.items() if who is None] == ["killed"]


def test_an_exception_of_a_task_is_raised_here_and_says_where_it_was():
    with pytest.raises(LookupError, match="no such thing") as caught:
        list(spread(performed, ("failing", *TASKS), 2, lost))
    assert "in performed" in "".join(caught.value.__notes__)


def test_a_task_goes_to_another_process_with_what_is_known_when_it_goes():
    known = []

    def ready(task):
        known.append(task)
        return f"{task} of {len(known)}"

    done = {task for task, _ in spread(performed, TASKS, 2, lost, itemgetter(0), ready)}
    assert done == {f"{task} of {at}" for at, task in enumerate(known, 1)}
    assert sorted(known) == sorted(TASKS)
