"""The verb that lists background jobs, of whatever kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import HostJobInfo
from ovis.client.verbs import HostGetJobsArgs
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.getJobs")
def host_get_jobs(node: Node, args: HostGetJobsArgs) -> dict[str, HostJobInfo]:
    return {job.id: job.info for job in node.jobs.select(args.job_type, args.job_ids)}
