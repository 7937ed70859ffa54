from lxml import etree

from ovis.node.vm.xml_difference import Change, ChangeKind, difference

BEFORE = """<domain type='kvm'><memory unit='MiB'>128</memory><on_crash>destroy</on_crash>
  <devices>
    <disk><source file='/a'/><target dev='vda'/></disk>
    <disk><source file='/b'/><target dev='vdb'/></disk>
    <graphics type='vnc' passwd='old'/>
    <seclabel type='none'/>
  </devices></domain>"""


def changes(after: str) -> list[Change]:
    return difference(etree.fromstring(BEFORE), etree.fromstring(after))


def test_order_white_space_and_units_do_not_count() -> None:
    after = """<domain type="kvm"><devices><graphics passwd='old' type='vnc'/>
        <disk><target dev='vdb'/><source file='/b'/></disk><seclabel type='none'/>
        <disk><source file='/a'/><target dev='vda'/></disk></devices>
        <on_crash>
          destroy</on_crash><memory unit='KiB'>131072</memory></domain>"""
    assert changes(after) == []


def test_each_change_has_its_place() -> None:
    after = """<domain type='qemu'><memory unit='MiB'>256</memory><on_crash>restart</on_crash><devices>
        <disk><source file='/c'/><target dev='vda'/></disk>
        <graphics type='vnc' passwd='new'><listen type='address' passwd='x'/></graphics><seclabel type='none'/>
        </devices></domain>"""
    assert changes(after) == [
        Change(ChangeKind.CHANGED, "domain/@type", "kvm", "qemu"),
        Change(ChangeKind.CHANGED, "domain/memory", "134217728 bytes", "268435456 bytes"),
        Change(ChangeKind.CHANGED, "domain/on_crash", "destroy", "restart"),
        Change(ChangeKind.CHANGED, "domain/devices/disk[vda]/source/@file", "/a", "/c"),
        Change(
            ChangeKind.REMOVED, "domain/devices/disk[vdb]", '<disk><source file="/b"/><target dev="vdb"/></disk>'
        ),
        Change(ChangeKind.CHANGED, "domain/devices/graphics[vnc]/@passwd", "(secret)", "(secret)"),
        Change(
            ChangeKind.ADDED,
            "domain/devices/graphics[vnc]/listen[address]",
            after='<listen type="address" passwd="(secret)"/>',
        ),
    ]  # fmt: skip


def test_elements_without_a_name_are_compared_in_order() -> None:
    one, two = "<domain><a>1</a><a>2</a></domain>", "<domain><a>1</a><a>3</a><a>4</a></domain>"
    found = difference(etree.fromstring(one), etree.fromstring(two))
    assert [str(change) for change in found] == ["domain/a#2: 2 -> 3", "domain/a#3: nothing -> <a>4</a>"]
