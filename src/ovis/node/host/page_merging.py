"""Host.setKsmTune: the kernel's merging of equal pages, changed by the root helper."""

from __future__ import annotations

from typing import Protocol

from ovis.client.types import KsmTuneParams
from ovis.client.verbs import HostSetKsmTuneArgs
from ovis.node.errors import NodeError
from ovis.node.privileged.client import Root
from ovis.node.privileged.errors import PrivilegedError
from ovis.node.privileged.page_merging import TunePageMerging
from ovis.node.registry import verb


class TuningFailed(NodeError):
    wire_name = "KSMUpdateFailed"

    def __init__(self, problem: str) -> None:
        super().__init__(f"page merging (KSM) could not be tuned: {problem}; some settings may have changed")
        self.problem = problem


class WithRoot(Protocol):
    @property
    def privileged(self) -> Root: ...


@verb("Host.setKsmTune")
async def set_ksm_tune(node: WithRoot, args: HostSetKsmTuneArgs) -> None:
    await tune(node.privileged, args.tuning_params)


async def tune(root: Root, wanted: KsmTuneParams) -> None:
    """What is None stays as it is. Raises TuningFailed."""
    request = TunePageMerging(
        run=wanted.run,  # type: ignore[arg-type]  # the schema knows the range
        pages_to_scan=wanted.pages_to_scan,
        sleep_millisecs=wanted.sleep_millisecs_ms,
        merge_across_nodes=wanted.merge_across_nodes,  # type: ignore[arg-type]
    )
    try:
        (await root.call(request)).check("tuning page merging")
    except FileNotFoundError as error:
        raise TuningFailed(f"this kernel has no {error.filename}") from error
    except (PrivilegedError, OSError) as error:
        raise TuningFailed(str(error)) from error
