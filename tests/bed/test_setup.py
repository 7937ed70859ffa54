"""What a set-up writes, read by the programs that it is for."""

import sys
from pathlib import Path

from tests.bed.parts.loop import mapped_disk
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import report

GIB = 1 << 30
DOMAIN = "3a2e5c1e-0000-4000-8000-000000000001"
STEPS = ("udev", "multipath", "lvm")


def setup(*words: str) -> str:
    return run(sys.executable, "-m", "ovis.node.setup", *words)


def test_the_hosts_lvm_sees_no_luns_but_its_own(tmp_path: Path) -> None:
    for name in ("own", "lun"):
        (tmp_path / name).mkdir()
    with mapped_disk(tmp_path / "own", GIB) as disk, mapped_disk(tmp_path / "lun", GIB) as lun:
        run("vgcreate", "system", disk)
        run("vgcreate", DOMAIN, lun)
        run("udevadm", "settle")
        try:
            assert {row["vg_name"] for row in report("vgs")} == {"system", DOMAIN}
            setup("apply", *STEPS)
            assert {row["vg_name"] for row in report("vgs")} == {"system"}
            assert setup("apply", *STEPS).startswith("all is in place")
            run("lvcreate", "-n", "root", "-L", "8M", "--zero", "n", "-y", "system")
        finally:
            setup("undo")
            left = {row["vg_name"] for row in report("vgs")}
            run("vgremove", "-f", "-y", "system", DOMAIN)
    assert left == {"system", DOMAIN}


def test_multipath_reads_its_settings() -> None:
    setup("apply", "multipath", "--without", "lvm")
    try:
        told = run("multipath", "-t")
    finally:
        setup("undo")
    assert "overrides { no_path_retry 4 }" in " ".join(told.split())  # stronger than its table of arrays
    assert 'user_friendly_names "no"' in told
    assert 'skip_kpartx "yes"' in told
