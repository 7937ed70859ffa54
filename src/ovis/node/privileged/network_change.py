"""A change of networks from beginning to end, and the way back from wherever it stopped.

    checked ─► journal written ─► steps ─► read back ─► followers ─► confirmed ─► running linked ─► journal removed
                     │            (first followers;  up to ROUNDS times)│              └ from here on it is done
                     └───────── any failure, no proof of connection, the agent's death: `before` is made again

Whoever dies in between leaves the journal; the next helper, or ovis-restore-networks at a boot, goes on from it. It all
runs in one thread and blocks: a signal or a lost connection sets `abandoned`, and is looked at between steps.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ovis.node.network.checks import check
from ovis.node.network.errors import USED_NIC, ChangeRuns, NetworkError, NotConfirmed, NotRestored, NotUp, Wrong
from ovis.node.network.follower import Follower
from ovis.node.network.layout import Original, devices, layout
from ovis.node.network.model import Change, Configuration, Switch
from ovis.node.network.plan import plan
from ovis.node.network.state import Kind, State
from ovis.node.network.steps import Step
from ovis.node.network.store import Journal, Store, StoreBusy
from ovis.node.privileged.network_kernel import Kernel
from ovis.node.privileged.virtual_functions import VirtualFunctions

log = logging.getLogger(__name__)

ROUNDS = 5
"""A plan, and what the kernel did beside it; more than two rounds were never seen to be needed."""
_CARDS_SECONDS = 0.2
SYSFS = Path("/sys")


class Abandoned(Exception):
    """Nobody waits for the change any more."""


@dataclass(eq=False)
class Waiting:
    """How the other threads speak to a change."""

    confirmed: threading.Event = field(default_factory=threading.Event)
    abandoned: threading.Event = field(default_factory=threading.Event)
    applied: Callable[[], object] = lambda: None

    def check(self) -> None:
        if self.abandoned.is_set():
            raise Abandoned

    def wait(self, seconds: float) -> None:
        """Until it is confirmed. Raises NotConfirmed, Abandoned."""
        until = time.monotonic() + seconds
        while not self.confirmed.wait(min(0.1, max(until - time.monotonic(), 0))):
            self.check()
            if time.monotonic() >= until:
                what = f"no client reached this host within {seconds:g} s after the change"
                raise NotConfirmed(f"{what}; the former networks are back")


class Changer:
    """The networks of a host as root sees them. Each method takes the lock of the store: ChangeRuns when it is held."""

    def __init__(
        self,
        store: Store,
        kernel: Kernel,
        followers: Iterable[Follower] = (),
        switches: Collection[Switch] = (Switch.LEGACY,),
        functions: VirtualFunctions | None = None,
    ) -> None:
        self._store = store
        self._kernel = kernel
        self._followers = tuple(followers)
        self._switches = switches
        self._functions = functions or VirtualFunctions(SYSFS)

    def change(
        self, change: Change, waiting: Waiting, *, confirm_within: float | None = None, save: bool = False
    ) -> None:
        """Raises NetworkError (see its tree), Abandoned, OSError: everything is as it was, unless NotRestored."""
        with _locked(self._store):
            self._finish()
            now = self._begin_boot()
            state = self._kernel.read()
            check(now, change, state, self._switches)
            wanted = now.changed(change)
            _check_vms(now, wanted, state)
            originals = self._originals(now, wanted, state)
            target = layout(wanted, now, state, originals)
            folder = self._store.write_running(wanted)
            before = state.only(set(target.links))
            self._store.begin(Journal(self._store.boot(), folder, before, save, originals))
            try:
                self._follow(wanted, [follower for follower in self._followers if follower.comes_first])
                self._make(target, waiting)
                self._follow(wanted, self._followers)
                if confirm_within is not None:
                    waiting.applied()
                    waiting.wait(confirm_within)
                waiting.check()
                self._keep(folder, originals)
            except BaseException as error:
                self._undo(before, now, error)
                raise
            self._complete(wanted, save)

    def save(self) -> None:
        """Raises OSError; then what was saved before still counts."""
        with _locked(self._store):
            self._finish()
            self._store.save(self._now())

    def set_virtual_functions(self, card: str, count: int) -> None:
        """Of a network card; counts as a change that is not saved. Raises NetworkError, OSError."""
        with _locked(self._store):
            self._finish()
            now = self._begin_boot()
            self._functions.set(card, count, used=now.nics())
            counts = {**now.virtual_functions, card: count}
            wanted = replace(now, virtual_functions={name: number for name, number in counts.items() if number})
            self._store.link_running(self._store.write_running(wanted))

    def restore(self, *, cards_within: float = 0.0) -> bool:
        """Bring the host to where it belongs: after a boot to what was saved, else out of a change that nobody ended.

        `cards_within`: seconds to wait for cards that the saved networks need. Whether a change was taken back. What
        cannot be made stays away, and the rest comes. Raises NotUp, which says what is missing; OSError.
        """
        with _locked(self._store):
            if self._store.is_of_this_boot():
                undone = self._finish()
                self._look_after_clients()
                return undone
            self._store.end()
            saved = self._store.saved()
            problems = self._functions.restore(saved.virtual_functions)
            state = self._await_cards(saved, cards_within)
            originals = self._originals(Configuration(), saved, state)
            problems += self._bring(layout(saved, Configuration(), state, originals), saved)
            self._keep(self._store.write_running(saved), originals)
            self._store.mark_boot()
            if problems:
                raise NotUp(f"not all networks are up after the boot: {'; '.join(problems[:3])}")
            return False

    # ---

    def _now(self) -> Configuration:
        return self._store.running() if self._store.is_of_this_boot() else Configuration()

    def _begin_boot(self) -> Configuration:
        """The running configuration; after a boot that restored none it is empty."""
        if not self._store.is_of_this_boot():
            self._keep(self._store.write_running(Configuration()), {})
            self._store.mark_boot()
        return self._store.running()

    def _make(self, target: State, waiting: Waiting) -> None:
        """Raises NotUp, Abandoned."""
        left: list[Step] = []
        for _ in range(ROUNDS):
            left = plan(self._kernel.read(), target)
            if not left:
                return
            for step in left:
                waiting.check()
                try:
                    self._kernel.do(step)
                except OSError as error:
                    raise NotUp(f"{step} failed: {error.strerror or error} ({error.filename})") from error
        raise NotUp(f"the kernel does not keep what it was told: {left[0]} ({len(left)} such steps)")

    def _follow(self, configuration: Configuration, followers: Sequence[Follower]) -> None:
        state = self._kernel.read() if followers else State()
        for follower in followers:
            try:
                follower.follow(configuration, state)
            except OSError as error:
                raise NotUp(f"{follower.name}: {error}") from error

    def _keep(self, folder: str, originals: Mapping[str, Original]) -> None:
        """The moment at which the change is done is the link."""
        self._store.keep_originals(originals)
        self._store.link_running(folder)

    def _complete(self, wanted: Configuration, save: bool) -> None:
        if save:
            try:
                self._store.save(wanted)
            except OSError as error:
                self._store.end()
                raise NetworkError(f"the networks run, but could not be saved for the next boot: {error}") from error
        self._store.end()

    def _undo(self, before: State, now: Configuration, cause: BaseException) -> None:
        """Best effort: a step that fails does not keep the others from being done."""
        log.warning("a change of networks is taken back: %s", cause or type(cause).__name__)
        problems = self._bring(before, now)
        self._store.end()
        if problems:
            text = "; ".join(problems[:3])
            log.error("not everything of the former networks is back: %s", text)
            raise NotRestored(f"{cause}; and not everything is as before: {text}") from cause

    def _bring(self, target: State, configuration: Configuration) -> list[str]:
        """As far as it goes. What could not be done."""
        problems = self._make_what_goes(target)
        try:
            self._follow(configuration, self._followers)
        except NetworkError as error:
            problems.append(str(error))
        return problems

    def _make_what_goes(self, target: State) -> list[str]:
        problems: list[str] = []
        for _ in range(ROUNDS):
            try:
                left = plan(self._kernel.read(), target)
            except OSError as error:
                problems = [f"the kernel's state cannot be read: {error}"]
                continue
            if not left:
                return []
            problems = []
            for step in left:
                try:
                    self._kernel.do(step)
                except OSError as error:
                    problems.append(f"{step}: {error.strerror or error}")
        return problems

    def _finish(self) -> bool:
        """A change that somebody died in: done if its folder was linked, else it is taken back. Whether it was."""
        journal = self._store.journal()
        if journal is None or journal.boot != self._store.boot():
            self._store.end()
            return False
        now = self._now()
        if self._store.running_folder() == journal.folder:
            self._complete(now, journal.save)
            return False
        self._undo(journal.before, now, NotConfirmed("its process died in the middle"))
        return True

    def _look_after_clients(self) -> None:
        """DHCP clients that died are started again."""
        now = self._now()
        if any(network.ipv4.dhcp or network.ipv6.dhcp for network in now.networks.values()):
            state = self._kernel.read()
            target = layout(now, now, state)
            clients = {
                name: replace(there, dhcp=link.dhcp)
                for name, link in target.present().items()
                if (there := state.link(name)) is not None
            }
            self._make(State(dict(clients), state.rules), Waiting())

    def _originals(self, now: Configuration, wanted: Configuration, state: State) -> dict[str, Original]:
        kept = self._store.originals() if now.nics() else {}
        fresh = {
            nic: Original(link.mtu, link.is_up, link.ipv6)
            for nic in wanted.nics() - now.nics()
            if (link := state.link(nic)) is not None
        }
        return {nic: original for nic, original in (kept | fresh).items() if nic in wanted.nics() | now.nics()}

    def _await_cards(self, saved: Configuration, seconds: float) -> State:
        until = time.monotonic() + seconds
        while True:
            state = self._kernel.read()
            missing = sorted(nic for nic in saved.nics() if state.link(nic) is None)
            if not missing or time.monotonic() >= until:
                break
            time.sleep(_CARDS_SECONDS)
        if missing:
            log.error("networks on %s stay away: there are no such cards", ", ".join(missing))
        return state


def _check_vms(now: Configuration, wanted: Configuration, state: State) -> None:
    """A bridge that VMs are in is not taken away."""
    ours = devices(now) | devices(wanted)
    for name in sorted(devices(now) - devices(wanted)):
        bridge = state.link(name)
        if bridge is None or bridge.kind is not Kind.BRIDGE:
            continue
        ports = sorted(link.name for link in state.present().values() if link.master == name and link.name not in ours)
        if ports:
            raise Wrong(USED_NIC, f"networks.{name}", f"{', '.join(ports)} of running VMs are connected to it")


def _locked(store: Store) -> _Lock:
    return _Lock(store)


class _Lock:
    def __init__(self, store: Store) -> None:
        self._held = store.locked()

    def __enter__(self) -> None:
        try:
            self._held.__enter__()
        except StoreBusy as error:
            raise ChangeRuns("another change of networks is under way") from error

    def __exit__(self, *what: object) -> None:
        self._held.__exit__(None, None, None)
