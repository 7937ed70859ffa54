"""Importing this module fills the registry: every module that answers verbs stands here."""

from ovis.node import jobs_verbs as jobs
from ovis.node.guest import verbs as guest
from ovis.node.host import verbs as host
from ovis.node.vm import verbs as vm
from ovis.node.vm.migration import verbs as migration

__all__ = ["guest", "host", "jobs", "migration", "vm"]
