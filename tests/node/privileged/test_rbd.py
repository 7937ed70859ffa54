"""What rbd is asked, and where the key of Ceph is meanwhile. Ceph itself is not here."""

import asyncio
from pathlib import Path, PurePosixPath

import pytest
from programs import inside, put

from ovis.node.privileged import commands, rbd
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request, Secret
from ovis.node.privileged.rbd import MapRbd, RbdImage, UnmapRbd
from ovis.node.privileged.rules import Rules

IMAGE = RbdImage("pool", "volume-1")
# writes down its arguments and what its files say, and maps an image as the kernel would show it
RBD = """
echo "$@" >> {log}
case "$*" in
*map*--image*) cat "$2" "$4" > {seen}; d={sysfs}/bus/rbd/devices/7; mkdir -p $d
  echo pool > $d/pool; echo > $d/pool_ns; echo volume-1 > $d/name; echo - > $d/current_snap;;
unmap*) rm -r {sysfs}/bus/rbd/devices/7;;
esac
"""


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Devices that were given to the agent: there is no /dev/rbd7."""
    found: list[str] = []
    monkeypatch.setattr(rbd, "hand_over", lambda device, rules: found.append(device))
    return found


class Host:
    def __init__(self, folder: Path, programs: Path) -> None:
        self.log, self.seen, self.sysfs = folder / "log", folder / "seen", folder / "sys"
        put(programs, "rbd", RBD.format(log=self.log, seen=self.seen, sysfs=self.sysfs))

    def call(self, request: Request[CommandResult]) -> CommandResult:
        rules = Rules(PurePosixPath("/"), 0, 0, sysfs=PurePosixPath(self.sysfs))

        async def main() -> CommandResult:
            async with inside(rules) as privileged:
                return await privileged.call(request)

        return asyncio.run(main())


@pytest.fixture
def host(tmp_path: Path, programs: Path) -> Host:
    return Host(tmp_path, programs)


def asked(**changed: object) -> MapRbd:
    values = {"image": IMAGE, "monitors": ["10.0.0.1:6789", "ceph2"], "user": "cinder", "keyring": Secret("QUJD")}
    return MapRbd(**{**values, **changed})  # type: ignore[arg-type]


def test_an_image_is_mapped_once_and_its_key_is_in_no_argument(host: Host, given: list[str]) -> None:
    assert [host.call(asked()).output for _ in range(2)] == [b"/dev/rbd7"] * 2
    (line,) = host.log.read_text().splitlines()
    assert line.split()[4:] == ["--id", "cinder", "map", "--image", "pool/volume-1"]
    assert "QUJD" not in line
    assert host.seen.read_text() == "[global]\nmon_host = 10.0.0.1:6789,ceph2\n[client.cinder]\n\tkey = QUJD\n"
    assert given == ["/dev/rbd7"] * 2


def test_a_whole_keyring_is_taken_as_it_is_and_none_leaves_it_to_ceph(host: Host, given: list[str]) -> None:
    text = "[client.cinder]\n key = QUJD\n"
    host.call(asked(keyring=Secret(text)))
    assert host.seen.read_text().endswith(text)
    host.call(UnmapRbd(image=IMAGE))
    host.call(asked(keyring=None))
    assert "--keyring" not in host.log.read_text().splitlines()[-1]


def test_unmapping_may_be_repeated(host: Host, given: list[str]) -> None:
    host.call(asked())
    assert [host.call(UnmapRbd(image=IMAGE)).status for _ in range(2)] == [0, 0]
    assert host.log.read_text().splitlines()[1:] == ["unmap /dev/rbd7"]


def test_a_host_without_rbd_says_so(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(commands.ENVIRONMENT, "PATH", "/nowhere")
    with pytest.raises(FileNotFoundError):
        host.call(asked())


def test_what_rbd_complains_of_is_told(host: Host, programs: Path) -> None:
    put(programs, "rbd", "echo 'rbd: map failed: (5) Input/output error' >&2; exit 5")
    assert "Input/output error" in host.call(asked()).complaint


@pytest.mark.parametrize(
    "changed",
    [
        {"image": RbdImage("--pool", "x")},
        {"image": RbdImage("p", "a/b")},
        {"monitors": []},
        {"monitors": ["a\nkeyring=/etc/shadow"]},
        {"user": "-x"},
        {"keyring": Secret("\0")},
    ],
)
def test_what_is_no_name_is_refused(host: Host, changed: dict[str, object]) -> None:
    with pytest.raises(Refused):
        host.call(asked(**changed))
    assert not host.log.exists()
