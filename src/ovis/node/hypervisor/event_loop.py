"""libvirt's own event loop, in a thread of its own, one for the process.

Chosen over `libvirtaio` (libvirt's sockets served by the asyncio loop), because
- libvirtaio calls `loop.add_reader` from whichever thread calls libvirt (its `Callback`/`FDCallback._update`), and ours
  call from pools; asyncio and uvloop promise nothing for that;
- an event implementation is registered once in a process and for ever; an asyncio loop ends (every test has its own);
- keep-alive answers must not wait for a busy asyncio loop.
The thread sleeps in poll() and costs nothing while nothing happens.
"""

import logging
import threading
import time

import libvirt

log = logging.getLogger(__name__)

_lock = threading.Lock()
_started = False


def start() -> None:
    """Safe to repeat. Must come before the first connection is opened."""
    global _started
    with _lock:
        if _started:
            return
        # Without a handler libvirt prints every error to stderr; each is raised to its caller anyway.
        libvirt.registerErrorHandler(lambda *_: None, None)
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_serve, name="libvirt events", daemon=True).start()
        _started = True


def _serve() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError as error:
            log.error("libvirt's event loop failed, going on: %s", error)  # noqa: TRY400 - the trace says nothing more
            time.sleep(0.5)  # never a busy loop, whatever is wrong
