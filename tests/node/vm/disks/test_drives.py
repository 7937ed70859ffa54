"""Disks, chains and ids as they stand in a domain description."""

from lxml import etree

from ovis.node.vm.disks import drives
from ovis.node.vm.disks.truth import rewrite
from ovis.node.vm.disks.work import NOTHING, Merge, Replica

IMAGE, DOMAIN, POOL = (f"{n}0000000-0000-4000-8000-000000000000" for n in "123")
TOP, BASE = (f"{n}0000000-0000-4000-8000-000000000000" for n in "45")
XML = f"""<domain>
  <metadata><vm xmlns='http://ovirt.org/vm/1.0'>
    <device devtype='disk' name='vda'>
      <imageID>{IMAGE}</imageID><domainID>{DOMAIN}</domainID><poolID>{POOL}</poolID><volumeID>old</volumeID>
      <volumeChain><volumeChainNode><path>/d/base.img</path><volumeID>{BASE}</volumeID></volumeChainNode></volumeChain>
      <custom>kept</custom>
    </device>
    <device devtype='interface' name='vda'/>
    <custom><a>1</a></custom>
  </vm></metadata>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/d/{TOP}' index='4'/>
      <backingStore type='block' index='3'>
        <format type='raw'/><source dev='/d/base.img'/><backingStore/>
      </backingStore>
      <mirror type='file' job='copy' ready='yes'><source file='/e/copy'/></mirror>
      <target dev='vda'/>
    </disk>
    <disk type='file' device='disk'>
      <source file='/d/plain'/><target dev='vdb'/><serial>{IMAGE.upper()}</serial>
    </disk>
    <disk type='file' device='cdrom'><source file='/d/cd'/><target dev='sda'/></disk>
    <disk type='network' device='disk'><source protocol='nbd' name='x'/><target dev='vdc'/></disk>
  </devices>
</domain>"""


def test_chain_ids_and_mirror_are_read() -> None:
    first, second = drives.read(etree.fromstring(XML))
    assert (first.target, first.image_id, first.domain_id, first.pool_id) == ("vda", IMAGE, DOMAIN, POOL)
    assert [(x.path, x.format, x.is_block, x.index, x.volume_id) for x in first.layers] == [
        (f"/d/{TOP}", "qcow2", False, 4, TOP),
        ("/d/base.img", "raw", True, 3, BASE),
    ]
    assert first.place_of(BASE) == 1
    assert first.mirror == drives.Mirror("copy", "/e/copy", is_ready=True)
    assert (second.image_id, second.active.volume_id, second.active.index) == (IMAGE, None, None)


def test_new_layer_is_put_on_top_once() -> None:
    root = etree.fromstring(XML)
    for _ in range(2):
        drives.put_on_top(root, {"vda": "/d/new"})
    first, second = drives.read(root)
    assert first.paths == ("/d/new", f"/d/{TOP}", "/d/base.img")
    assert [layer.format for layer in first.layers] == ["qcow2", "qcow2", "raw"]
    assert second.paths == ("/d/plain",)


def test_metadata_follows_the_chain_and_the_work_and_keeps_the_rest() -> None:
    root = etree.fromstring(XML)
    holder = root.find("metadata")[0]
    found = drives.read(root)
    merge = Merge(id="job", disk="vda", image_id=IMAGE, base="/d/base.img", top=f"/d/{TOP}", is_active=True)
    replica = Replica(disk="vda", source=f"/d/{TOP}", destination="/e/copy", volume_id="copy")
    rewrite(holder, found, NOTHING.with_merge(merge).with_replica(replica))
    text = etree.tostring(holder, encoding="unicode")
    assert text.index(BASE) < text.rindex(TOP)
    assert "/e/copy" in text
    assert '"job"' in text
    rewrite(holder, found, NOTHING)
    text = etree.tostring(holder, encoding="unicode")
    assert "/e/copy" not in text
    assert '"job"' not in text
    assert "<custom>kept</custom>" in text
    assert "<a>1</a>" in text
    assert drives.read(root) == found
