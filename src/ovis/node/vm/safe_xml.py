"""Reading domain XML from callers: nothing is resolved, fetched or expanded, and the size is limited.

A document type can hold entities that grow without end or read files, and libxml2 expands those in attributes even when
told not to resolve entities. No domain XML needs one, so its mere presence is refused, before anything is parsed.

libxml2 compares each attribute of an element with all others: one element of 2 MB holds the agent up for minutes. Expat
does not, so it looks first.

Comments are left out: what lxml calls the text of `<kernel><!-- -->/x</kernel>` is empty, and libvirt reads `/x`.
"""

from __future__ import annotations

from xml.parsers import expat

from lxml import etree

from ovis.node.vm.errors import BadXml

LIMIT = 2 << 20  # a VM with 200 disks has 0.2 MB
ATTRIBUTES = 100  # of one element; libvirt's own have up to 20
ELEMENTS = 20_000  # that VM has 4000; what reads them all takes 0.1 ms an element
XINCLUDE = "http://www.w3.org/2001/XInclude"
QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"


def parse(text: str, field: str) -> etree._Element:
    """The root element. Raises BadXml."""
    root = parse_own(text, field)
    _refuse_options(root, field)
    return root


def parse_own(text: str, field: str) -> etree._Element:
    """As `parse`, for what libvirt or a hook gave us: options for QEMU's command line may be in it. Raises BadXml."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > LIMIT:
        raise BadXml(field, f"the XML has {len(data)} bytes, at most {LIMIT} are read")
    for forbidden in (b"<!DOCTYPE", b"<!ENTITY"):
        if forbidden in data:
            raise BadXml(field, f"a document type or entity ({forbidden.decode()}) is refused")
    _look_over(data, field)
    parser = etree.XMLParser(
        encoding="utf-8",  # whatever the text says of itself
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadXml(field, f"not well-formed XML: {error}") from error
    _refuse(root, field)
    return root


def _look_over(data: bytes, field: str) -> None:
    """Raises BadXml for what would keep libxml2 busy."""
    count = 0

    def start(name: str, attributes: list[str]) -> None:
        nonlocal count
        count += 1
        if count > ELEMENTS:
            raise BadXml(field, f"the XML has more than {ELEMENTS} elements")
        if len(attributes) > 2 * ATTRIBUTES:
            raise BadXml(field, f"line {parser.CurrentLineNumber}: an element has more than {ATTRIBUTES} attributes")

    parser = expat.ParserCreate("utf-8")
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadXml(field, f"not well-formed XML: {error}") from error


def _refuse(root: etree._Element, field: str) -> None:
    for element in root.iter():
        if isinstance(element, etree._Entity):
            raise BadXml(field, f"line {element.sourceline}: the entity {element.name} is refused")
        if isinstance(element.tag, str):
            namespace = etree.QName(element).namespace
            if namespace == XINCLUDE:
                raise BadXml(field, f"line {element.sourceline}: an inclusion of another document is refused")


def _refuse_options(root: etree._Element, field: str) -> None:
    for element in root.iter(f"{{{QEMU}}}*"):
        raise BadXml(field, f"line {element.sourceline}: options for QEMU's command line are refused")


def without_options(text: str, field: str) -> str:
    """The description without what hooks have given QEMU elsewhere: that is not taken from a text. Raises BadXml."""
    if QEMU not in text:
        return text
    root = parse_own(text, field)
    for element in list(root.iter(f"{{{QEMU}}}*")):
        if (holder := element.getparent()) is not None:
            holder.remove(element)
    return text_of(root)


def text_of(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode")
