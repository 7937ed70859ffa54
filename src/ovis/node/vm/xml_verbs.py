"""Verbs about the description of a VM. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import XmlChange, XmlChangeKind
from ovis.client.verbs import VMGetXmlDifferenceArgs
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("VM.getXmlDifference")
def vm_get_xml_difference(node: Node, args: VMGetXmlDifferenceArgs) -> list[XmlChange]:
    return [
        XmlChange(kind=XmlChangeKind(change.kind.value), path=change.path, before=change.before, after=change.after)
        for change in node.vms.find(args.vm_id).changes
    ]
