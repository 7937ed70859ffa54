"""A guest with UEFI, Secure Boot and a TPM: what they keep goes where the guest goes, and comes back as it was."""

import base64
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.guest.tiny_guest import TinyGuest
from ovis.client import types
from tests.real.migration_pair import Pair, pair, until

OVMF = Path("/usr/share/OVMF")
FIRMWARE = f"""<loader readonly='yes' secure='yes' type='pflash'>{OVMF}/OVMF_CODE_4M.secboot.fd</loader>
    <nvram template='{OVMF}/OVMF_VARS_4M.ms.fd'>/var/lib/libvirt/qemu/nvram/{{vm_id}}.fd</nvram>
    <kernel>"""
TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"
VARIABLE = "/sys/firmware/efi/efivars/Ovis-0b5e77ed-0000-4000-8000-00000000beef"
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
MOUNT = "mountpoint -q /sys/firmware/efi/efivars || mount -t efivarfs none /sys/firmware/efi/efivars; "
SECRET = b"ovis-tpm"


class Firmware(Pair):
    def description(self, vm_id: str, console: Path) -> str:
        text = (
            super()
            .description(vm_id, console)
            .replace("'MiB'>128<", "'MiB'>256<")
            .replace("memory='128'", "memory='256'")
        )  # with less it does not start Linux
        text = text.replace("<kernel>", FIRMWARE.format(vm_id=vm_id)).replace("<acpi/>", "<acpi/><smm state='on'/>")
        return text.replace("</devices>", f"{TPM}</devices>")

    def variables(self, number: int) -> Path:
        return self.hosts[number].folder / "state" / "qemu" / "nvram" / f"{self.vm_id}.fd"

    def tpm_folder(self, number: int) -> Path:
        return self.hosts[number].folder / "state" / "swtpm" / self.vm_id

    def external(self, kind: str, *, force: bool = False) -> types.VmDataMap:
        with self.client() as node:
            return node.vm.get_external_data(self.vm_id, kind, force_update=force)

    def create(self, **given: object) -> None:
        text = self.description(self.vm_id, self.console)
        with self.client() as node:
            node.vm.create(self.vm_id, types.VmParameters(vm_id=self.vm_id, xml=text, **given))  # type: ignore[arg-type]

    def destroy(self) -> None:
        with self.client() as node:
            node.vm.destroy(self.vm_id)

    # In the guest

    def tpm(self, code: int, handles: tuple[int, ...], parameters: bytes) -> bytes:
        """Send a TPM 2.0 command without a password; its answer. Source: TCG, TPM 2.0 part 3."""
        password = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
        body = b"".join(struct.pack(">I", handle) for handle in handles)
        body += struct.pack(">I", len(password)) + password + parameters
        command = base64.b64encode(struct.pack(">HII", 0x8002, 10 + len(body), code) + body).decode()
        said = self.shell(
            f"exec 3<>/dev/tpm0; echo {command} | base64 -d > /tmp/tpm; dd if=/tmp/tpm bs=4096 >&3 2>/dev/null; "
            "dd bs=4096 count=1 <&3 2>/dev/null | base64"
        )
        return base64.b64decode(said)

    def write_state(self) -> None:
        public = struct.pack(">IHIHH", PLACE, 0x000B, OWNER_MAY, 0, len(SECRET))
        defined = self.tpm(0x12A, (OWNER,), struct.pack(">HH", 0, len(public)) + public)
        assert struct.unpack(">I", defined[6:10]) == (0,), defined
        data = struct.pack(">H", len(SECRET)) + SECRET + struct.pack(">H", 0)
        written = self.tpm(0x137, (OWNER, PLACE), data)
        assert struct.unpack(">I", written[6:10]) == (0,), written
        self.shell(MOUNT + f"printf '\\007\\000\\000\\000variable' > {VARIABLE}")

    def assert_state_is_there(self) -> None:
        assert SECRET in self.tpm(0x14E, (OWNER, PLACE), struct.pack(">HH", len(SECRET), 0))
        assert "variable" in self.shell(MOUNT + f"cat {VARIABLE}")


OWNER, PLACE = 0x40000001, 0x01500001
OWNER_MAY = 0x02060006
"""Written and read by the owner or with the (empty) password, free of the lockout after failures."""


@pytest.fixture(scope="module")
def guest(guest_image: TinyGuest, vhost: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firmware]:
    if not OVMF.is_dir() or shutil.which("swtpm") is None:
        pytest.skip("needs ovmf and swtpm (make setup)")
    folder = tmp_path_factory.mktemp("fw")
    with pair(folder, guest_image, vms="external_data_seconds = 1", kind=Firmware) as both:
        assert isinstance(both, Firmware)
        both.boot()
        both.write_state()
        yield both
        both.clean()


def test_the_guest_was_booted_securely(guest: Firmware) -> None:
    assert guest.shell(MOUNT + f"tail -c 1 {SECURE_BOOT} | od -An -tu1").strip() == "1"


@pytest.mark.parametrize("kind", ["tpm", "nvram"])
def test_state_is_read_whole_and_its_digest_is_told(guest: Firmware, kind: str) -> None:
    first, second = guest.external(kind), guest.external(kind, force=True)
    assert first.x_data
    assert first == second
    until("its digest is told", lambda: getattr(guest.stats(), f"{kind}_hash") == first.hash)
    with guest.client() as node:
        assert node.vm.get_external_data(guest.vm_id, kind, last_hash=first.hash).x_data is None


def test_state_goes_along_with_a_migration(guest: Firmware) -> None:
    source = guest.here
    before = guest.external("nvram")
    guest.migrate()
    guest.arrived()
    guest.assert_counted_on()
    guest.assert_state_is_there()
    assert guest.external("nvram") == before
    assert guest.external("tpm").x_data
    assert not guest.tpm_folder(source).exists(), "secrets of a guest that has left stay here"


def test_state_is_there_after_hibernation(guest: Firmware) -> None:
    files = [guest.folder / "memory", guest.folder / "parameters"]
    for path in files:
        path.touch()
    handle = ",".join(map(str, files))
    with guest.client() as node:
        node.vm.hibernate(guest.vm_id, handle)
    until("it is saved", lambda: guest.status() is types.VmStatus.DOWN)
    guest.destroy()
    assert not guest.tpm_folder(guest.here).exists()
    assert not guest.variables(guest.here).exists()
    with guest.client() as node:
        node.vm.create(guest.vm_id, types.VmParameters(vm_id=guest.vm_id, hiber_vol_handle=handle))
    until("it is up again", lambda: guest.status() is types.VmStatus.UP)
    guest.assert_counted_on()
    guest.assert_state_is_there()


def test_state_outlives_a_power_off_and_is_taken_elsewhere(guest: Firmware) -> None:
    guest.execute("sleep 1; poweroff -f")
    until("it is off", lambda: guest.status() is types.VmStatus.DOWN)
    tpm, nvram = guest.external("tpm", force=True), guest.external("nvram", force=True)
    guest.destroy()
    assert not guest.variables(guest.here).exists()
    guest.here = guest.there
    guest.variables(guest.here).unlink(missing_ok=True)
    guest.create(x_tpmdata=tpm.x_data, x_nvramdata=nvram.x_data)
    until("it is up again", lambda: guest.status() is types.VmStatus.UP)
    guest.until_agent_answers()
    guest.assert_state_is_there()
