"""The few facts of a domain description that this package needs itself."""

from dataclasses import dataclass

from lxml import etree

from ovis.node.hypervisor.errors import BadDomainXml


@dataclass(frozen=True)
class Identity:
    id: str | None
    name: str | None


def parse(xml: str) -> etree._Element:
    """Raises BadDomainXml. Entities stay unresolved and nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadDomainXml(str(error)) from error


def identity(xml: str) -> Identity:
    root = parse(xml)
    uuid = (root.findtext("uuid") or "").strip().lower()
    return Identity(uuid or None, (root.findtext("name") or "").strip() or None)
