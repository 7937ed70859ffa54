import asyncio
from pathlib import Path, PurePosixPath

from programs import inside

from ovis.node.privileged.host_facts import HostFacts, ReadHostFacts
from ovis.node.privileged.rules import Rules


def told(root: Path) -> HostFacts:
    rules = Rules(
        repository=PurePosixPath("/nowhere"),
        user=0,
        group=0,
        sysfs=PurePosixPath(root, "sys"),
        etc=PurePosixPath(root, "etc"),
    )

    async def main() -> HostFacts:
        async with inside(rules) as helper:
            return await helper.call(ReadHostFacts())

    return asyncio.run(main())


def test_of_each_file_only_the_fact_is_told(tmp_path: Path) -> None:
    contents = {
        "sys/class/dmi/id/product_uuid": "4C4C4544-0042-3510-8053-b4c04f4a3232\n",
        "sys/class/dmi/id/product_serial": "SN 17\n",
        "etc/iscsi/initiatorname.iscsi": "## a comment\nInitiatorName=iqn.2003-01.org.example:one\n",
        "etc/libvirt/qemu.conf": '#vnc_tls = 0\nvnc_password = "hushhush"\n vnc_tls = 1 # for all\n',
    }
    for name, text in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert told(tmp_path) == HostFacts(
        "4C4C4544-0042-3510-8053-b4c04f4a3232", "SN 17", "iqn.2003-01.org.example:one", vnc_tls=True
    )


def test_what_is_not_there_is_empty(tmp_path: Path) -> None:
    assert told(tmp_path) == HostFacts()
