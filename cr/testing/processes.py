"""The same work in several processes, and a clean end of all of them."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

T = TypeVar("T")


def in_processes(
    jobs: int, function: Callable[..., T], works: Iterable[tuple[Any, ...]]
) -> Iterator[T]:
    """What `function` makes of each of `works`, as soon as it is done.

    In fresh processes, not forks: each has its own CPUs. They never see a Ctrl-C, which a terminal
    sends to them too: it is for the caller, and ends them. Raises BrokenProcessPool if one of them
    dies.
    """
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        before = set(multiprocessing.active_children())
        old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a new process inherits it
        try:
            futures = [pool.submit(function, *work) for work in works]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old)
        try:
            for done in as_completed(futures):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()
            raise
