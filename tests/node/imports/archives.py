"""OVAs for tests, honest and hostile, and the disks in them."""

import io
import os
import struct
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

POOL = "aaaaaaaa-0000-4000-8000-00000000000a"
DOMAIN = "aaaaaaaa-0000-4000-8000-00000000000b"


@dataclass(frozen=True)
class OvfDisk:
    file: str
    size: int
    capacity: int
    format: str = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"


def ovf(*disks: OvfDisk, name: str = "guest", system: str = "vmx-10", more: str = "") -> str:
    files = "".join(f'<File ovf:href="{d.file}" ovf:id="f{n}" ovf:size="{d.size}"/>' for n, d in enumerate(disks))
    rows = "".join(
        f'<Disk ovf:diskId="d{n}" ovf:fileRef="f{n}" ovf:capacity="{d.capacity}" ovf:format="{d.format}"/>'
        for n, d in enumerate(disks)
    )
    drives = "".join(
        f"<Item><rasd:AddressOnParent>{n}</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/d{n}</rasd:HostResource>"
        f"<rasd:InstanceID>{n + 100}</rasd:InstanceID><rasd:Parent>99</rasd:Parent>"
        "<rasd:ResourceType>17</rasd:ResourceType></Item>"
        for n in range(len(disks))
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
  xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>{files}</References>
  <DiskSection><Info/>{rows}</DiskSection>
  <NetworkSection><Info/><Network ovf:name="VM Network"/></NetworkSection>
  <VirtualSystem ovf:id="id of {name}"><Info/><Name>{name}</Name>
    <VirtualHardwareSection><Info/>
      <System><vssd:VirtualSystemType>{system}</vssd:VirtualSystemType></System>
      <Item><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
      <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
      <Item><rasd:Address>52:54:00:aa:bb:cc</rasd:Address><rasd:Connection>VM Network</rasd:Connection>
        <rasd:ElementName>Network adapter 1</rasd:ElementName><rasd:ResourceSubType>E1000</rasd:ResourceSubType>
        <rasd:ResourceType>10</rasd:ResourceType></Item>
      <Item><rasd:InstanceID>99</rasd:InstanceID><rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>
        <rasd:ResourceType>6</rasd:ResourceType></Item>{drives}{more}
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>"""


def member(name: str, data: bytes = b"", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, data


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.USTAR_FORMAT) -> Path:
    with tarfile.open(path, "w", format=format) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return path


def ova(path: Path, files: dict[str, bytes], **changes: object) -> Path:
    return tar_of(path, *(member(name, data, **changes) for name, data in files.items()))


def raw_disk(path: Path, size: int = 4 << 20) -> Path:
    """Content that no compression and no hole makes disappear, with a hole in the middle."""
    with path.open("wb") as file:
        file.write(os.urandom(size // 4))
        file.seek(size - size // 8)
        file.write(os.urandom(size // 8))
    return path


def image(source: Path, target: Path, driver: str, *options: str) -> Path:
    words = ["qemu-img", "convert", "-f", "raw", "-O", driver, *options, str(source), str(target)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return target


def stream_vmdk(source: Path, target: Path) -> Path:
    return image(source, target, "vmdk", "-o", "subformat=streamOptimized")


def volume(root: Path, number: int, size: int, driver: str = "raw") -> Path:
    """An existing volume in the layout of storage domains."""
    path = root / POOL / DOMAIN / "images" / image_id(number) / volume_id(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["qemu-img", "create", "-q", "-f", driver, str(path), str(size)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return path


def image_id(number: int) -> str:
    return f"bbbbbbbb-0000-4000-8000-{number:012d}"


def volume_id(number: int) -> str:
    return f"cccccccc-0000-4000-8000-{number:012d}"


def qcow2_header(
    *, version: int = 3, backing: int = 0, size: int = 1 << 20, encryption: int = 0, features: int = 0
) -> bytes:
    """A header alone: what refuses it must not need more."""
    fields = (version, backing, 8, 16, size, encryption, 1, 65536, 131072, 1, 0, 0)
    head = b"QFI\xfb" + struct.pack(">IQIIQIIQQIIQ", *fields)
    return (head + struct.pack(">QQQII", features, 0, 0, 4, 104)).ljust(4096, b"\0")


def vmdk_header(*, capacity: int = 2048, version: int = 1, descriptor: bytes = b"", sectors: int = 20) -> bytes:
    head = b"KDMV" + struct.pack("<IIQQQQ", version, 3, capacity, 128, 1, sectors)
    return head.ljust(512, b"\0") + descriptor.ljust(20 * 512, b"\0")


def identical(first: Path, first_format: str, second: Path, second_format: str) -> bool:
    words = ["qemu-img", "compare", "-f", first_format, "-F", second_format, str(first), str(second)]
    return subprocess.run(words, capture_output=True, timeout=60, check=False).returncode == 0
