"""Importing this module fills the registry: every module that answers verbs stands here."""

from ovis.node import jobs_verbs as jobs
from ovis.node.host import verbs as host
from ovis.node.vm import verbs as vm

__all__ = ["host", "jobs", "vm"]
