"""Work whose pieces need one another: each is done once what it needs is done, several at a time."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

Tell = Callable[[str], None]


def do_all(names: Sequence[str], needs: Mapping[str, Collection[str]], width: int, do: Callable[[str], None]) -> None:
    """Does each as soon as those of `names` that it needs are done, the first in order before others.

    At most `width` at a time, each in a thread of its own; with one, all in order in this thread. Once one fails no
    other begins; those that have begun end, and the first failure in order is raised.
    """
    if width == 1:
        for name in names:
            do(name)
        return
    with ThreadPoolExecutor(width, thread_name_prefix="stage") as pool:
        _begin_and_wait(names, needs, width, lambda name: pool.submit(do, name))


def _begin_and_wait(
    names: Sequence[str],
    needs: Mapping[str, Collection[str]],
    width: int,
    begin: Callable[[str], Future[None]],
) -> None:
    waiting, running, failed = list(names), dict[Future[None], str](), dict[str, BaseException]()
    while waiting or running:
        open_still = {*waiting, *running.values()}
        ready = [name for name in waiting if not open_still & set(needs[name])]
        for name in [] if failed else ready[: width - len(running)]:
            running[begin(name)] = name
            waiting.remove(name)
        if not running:
            break
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in ended:
            name = running.pop(future)
            if (error := future.exception()) is not None:
                failed[name] = error
    for name in names:
        if name in failed:
            raise failed[name]


class InTurn:
    """Tells what several stages have to tell at the same time as if they came one after the other.

    The first that has not ended tells at once; what those behind it tell is kept until it is their turn.
    """

    def __init__(self, tell: Tell, names: Sequence[str]) -> None:
        self._tell, self._names = tell, list(names)
        self._kept: dict[str, list[str]] = {name: [] for name in names}
        self._ended: set[str] = set()
        self._lock = threading.Lock()

    def of(self, name: str) -> Tell:
        """How that stage tells a line."""
        return lambda line: self._add(name, line)

    def end(self, name: str) -> None:
        """That stage tells no more."""
        with self._lock:
            self._ended.add(name)
            while self._names and self._names[0] in self._ended:
                self._names.pop(0)
                self._flush()

    def close(self) -> None:
        """Tells what is still kept."""
        with self._lock:
            while self._names:
                self._flush()
                self._names.pop(0)

    def _add(self, name: str, line: str) -> None:
        with self._lock:
            self._kept[name].append(line)
            if self._names[:1] == [name]:
                self._flush()

    def _flush(self) -> None:
        """Tells the lines of the stage whose turn it is."""
        if self._names:
            lines = self._kept[self._names[0]]
            while lines:
                self._tell(lines.pop(0))
