"""The agent's configuration: one TOML file and `OVIS_<SECTION>_<KEY>` variables, which win.

Everything that a test must keep to itself is here: addresses, folders, periods, deadlines, host id. A key that nobody
knows is an error, a wrong value names its key, and nothing starts before all of it has been read.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from ovis.wire.tls import TlsFiles

DEFAULT_FILE = Path("/etc/ovis/ovisd.toml")

HOST_ID = r"^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(_\S+)?)?$"
Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(ge=0.001, le=10_000_000)]
"""Neither a loop that never rests nor a wait that never ends."""
Count = Annotated[int, Meta(ge=1)]
Access = Literal["observe", "operate", "administer", "peer"]


class ConfigError(Exception):
    """The configuration cannot be used; the text names file or variable, key and what is wrong."""


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the agent can be called."""

    address: str = "::"
    """Address for TLS; `::` serves IPv4 as well. Empty: no TCP at all."""
    port: Port = 54321
    """0 lets the system choose; the log tells which."""
    socket: Path | None = None
    """Unix socket for the local administrator; default `ovisd.sock` in the run folder."""
    socket_access: dict[str, list[Access]] = {}
    """User names and what they may do there, beside root and the agent's own user, who may do everything."""
    plain_address: str = ""
    """Address for unencrypted, unauthenticated TCP: measurements on loopback only."""
    plain_port: Port = 0


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folder: Path = Path("/etc/ovis/pki")
    """Holds `node-key.pem`, `node.pem` and `ca.pem` unless the three below say otherwise."""
    key: Path | None = None
    certificate: Path | None = None
    ca: Path | None = None

    @property
    def files(self) -> TlsFiles:
        return TlsFiles(
            key=str(self.key or self.folder / "node-key.pem"),
            certificate=str(self.certificate or self.folder / "node.pem"),
            ca=str(self.ca or self.folder / "ca.pem"),
        )


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(pattern=HOST_ID)] = ""
    """UUID of this host, with the suffix that an installer may have added; default: that of the machine's firmware,
    else one that is made once and kept."""
    name: str = ""
    """Default: the machine's host name."""
    fence_agents: Path = Path("/usr/sbin")
    """Folder of the programs fence_*, by which other machines are powered off and on."""


class Hypervisor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    uri: Annotated[str, Meta(min_length=1)] = "qemu:///system"
    """libvirt URI; `simulated:` runs a simulated hypervisor without any VM process."""
    deadline_seconds: Seconds = 30
    acceleration: Literal["probe", "kvm", "tcg"] = "probe"
    """`probe` starts a tiny guest under KVM once and keeps the result."""
    guest_image_folder: Path = Path("/usr/share/ovis/guest")
    """Kernel and initramfs of the tiny guest for that probe."""


class Vms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    allowed_paths: list[Path] = field(default_factory=lambda: [Path("/var/lib/ovis"), Path("/rhev/data-center")])
    """Disks, kernels and media of VMs must lie below one of these, links resolved."""
    sample_seconds: Seconds = 15
    guest_agent_seconds: Seconds = 30
    freeze_seconds: Seconds = 180
    """A guest whose file systems were frozen and that nobody thaws is thawed after this."""
    shutdown_seconds: Seconds = 30
    """How long each polite way of shutting a guest down may take, when the caller does not say."""
    unplug_seconds: Seconds = 30
    """How long a guest may take to give a device up."""
    paused_seconds: Seconds = 80
    """How long a VM that is to be killed rather than resumed may be paused by a failing disk."""
    external_data_seconds: Seconds = 60
    """Between two looks at the TPMs and UEFI variables of VMs."""
    display_address: str = "127.0.0.1"
    """Address at which the graphical consoles of VMs listen when their description does not say."""


class Migration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How VMs move to other hosts. `{host}` in an address is the destination as the caller named it."""

    daemon_uri: str = "qemu+tls://{host}/system"
    """libvirt of the destination, as libvirt here reaches it."""
    memory_uri: str = "tcp://{host}"
    """Where the memory goes; `{host}` is the address on the migration network when one was named. Empty: libvirt
    chooses."""
    agent_port: Port = 54321
    """Of the destination's agent, where the caller names none."""
    check_host_name: bool = True
    """Whether the destination's certificate must name the host as it was called."""
    unsafe: bool = False
    """Migrate also with disk caches that libvirt calls unsafe."""
    outgoing_limit: Count = 2
    incoming_limit: Count = 2
    """How many may leave or arrive at once, until a call says otherwise."""
    bandwidth_mib: Annotated[int, Meta(ge=0)] = 0
    """MiB/s for each migration where the caller names no limit; 0: as fast as it goes."""
    retry_seconds: Seconds = 10
    """Before a destination that had reached its limit is asked again."""
    sample_seconds: Seconds = 1
    """Between two looks at a migration that is under way."""
    appear_seconds: Seconds = 120
    """An announced VM of which nothing is seen for so long is given up."""
    patience_seconds: Seconds = 240
    """A migration without progress is given up after it, when its schedule has nothing left."""
    longest_seconds: Seconds = 21600
    """No migration takes longer, waiting for its turn included."""


class Imports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Taking over VMs from OVA archives and other hypervisors."""

    storage_root: Path = Path("/rhev/data-center")
    """Below it lie pools, domains and the volumes that receive the disks; those must also be in `vms.allowed_paths`."""
    ova_paths: list[Path] = field(default_factory=lambda: [Path("/")])
    """OVA archives must lie below one of these."""
    convert_guests: Literal["auto", "never", "always"] = "auto"
    """When virt-v2v makes the guest of an OVA fit for KVM. `auto`: when it comes from another hypervisor and virt-v2v
    is installed; otherwise its disks are copied as they are."""
    at_once: Count = 4
    """Further imports wait for their turn."""


class Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Storage domains. Nothing of it is loaded on a host that uses none."""

    root: Path = Path("/rhev/data-center")
    """Mounts and links of pools lie here, where existing tools look for them."""
    run_folder: Path = Path("/run/vdsm/storage")
    """Links of the volumes in use."""
    user: Annotated[int, Meta(ge=0)] = 36
    group: Annotated[int, Meta(ge=0)] = 36
    """Owner of what is made on file systems, as numbers: all hosts must agree, and existing ones use 36."""
    privileged_socket: Path | None = None
    """Of a helper that is started by the system; none: the agent, as root, starts its own."""
    managed_files: Path = Path("/var/lib/ovis/managed")
    """Files that may be attached as managed volumes, for labs. This and the next: of the agent's own helper."""
    adapter_folder: Path = Path("/usr/libexec/vdsm")
    """Helper programs of storage vendors for managed volumes."""
    io_seconds: Seconds = 60
    """An operation on a file system that takes longer is given up, and its process replaced."""
    check_seconds: Seconds = 10
    """Between two checks of a domain."""
    retry_seconds: Seconds = 30
    """Before storage that could not be reached is tried again."""
    locks: Literal["sanlock", "local"] = "sanlock"
    """`local` trusts that no other host uses the same storage."""
    sanlock_folder: Path | None = None
    """Where sanlock's socket is, if not in its usual place."""
    sanlock_io_seconds: Count = 10
    nfs_options: list[str] = []
    """Added to those of every NFS mount."""
    lvm_filter: list[str] = []
    """Regular expressions of devices; LVM sees no others. Empty: multipath devices."""
    tasks_at_once: Count = 10
    thin_step_mib: Count = 2560
    """By so much a thin disk on block storage grows at least."""
    thin_room_percent: Annotated[int, Meta(ge=1, le=99)] = 80
    """Of a step; a disk with less room than this grows."""
    image_daemon_socket: Path = Path("/run/ovirt-imageio/sock")
    """Where the image transfer daemon takes tickets."""

    @property
    def managed_links(self) -> Path:
        """Links to managed volumes: beside those to volumes in use, as on existing hosts."""
        return self.run_folder.parent / "managedvolumes"

    @property
    def device_links(self) -> tuple[str, ...]:
        """Folders of links to devices that the agent makes, `*` for one name; those of a master's file system, which
        other hosts write, are not among them."""
        return str(self.managed_links), f"{self.run_folder}/*/*", f"{self.root}/mnt/blockSD/*/images/*"


class Hooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scripts of the administrator. A host without them pays nothing."""

    folder: Path = Path("/usr/libexec/vdsm/hooks")
    """One folder for each point is below it."""
    seconds: Seconds = 60
    """For all scripts of a point together, each time."""
    statistics_seconds: Seconds = 10
    """Between two runs of the scripts around the same statistics."""
    launch_folder: Path = Path("/run/vdsm")
    """Where scripts find the launch flags of VMs."""


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Networks that are set up by way of the API."""

    folder: Path = Path("/var/lib/vdsm")
    """Running and saved configurations, where existing tools look for them."""
    resolver: Path = Path("/etc/resolv.conf")
    """DNS servers of a network with the default route are written there. Both: of the agent's own helper."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules that tune page merging, balloons, CPU and disk limits by themselves."""

    enabled: bool = True
    seconds: Seconds = 10
    """Between two runs of the rules. A host without VMs runs none."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    calls: Count = 256
    """Calls that wait at once, all connections together; more are refused."""
    calls_per_connection: Count = 64
    message_bytes: Count = 64 << 20
    connections: Count = 1024


class Tracing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: str = ""
    """OpenTelemetry collector, as http://collector:4318/v1/traces; empty: no traces."""


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    run_folder: Path = Path("/run/ovis")
    state_folder: Path = Path("/var/lib/ovis/node")
    listen: Listen = field(default_factory=Listen)
    tls: Tls = field(default_factory=Tls)
    host: Host = field(default_factory=Host)
    hypervisor: Hypervisor = field(default_factory=Hypervisor)
    vms: Vms = field(default_factory=Vms)
    migration: Migration = field(default_factory=Migration)
    imports: Imports = field(default_factory=Imports)
    storage: Storage = field(default_factory=Storage)
    hooks: Hooks = field(default_factory=Hooks)
    network: Network = field(default_factory=Network)
    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    tracing: Tracing = field(default_factory=Tracing)
    log: Log = field(default_factory=Log)

    @property
    def socket(self) -> Path:
        return self.listen.socket or self.run_folder / "ovisd.sock"


def load(file: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """Read `file` (None: the default file if there is one) and the variables. Raises ConfigError."""
    values = _read(file)
    where = str(file or DEFAULT_FILE)
    _check(values, where)
    for name, text in environment.items():
        place = _place_of(name)
        if place is not None:
            _put(values, place, text)
            _check(values, f"variable {name}")
    return _check(values, where)


def _read(file: Path | None) -> dict[str, Any]:
    path = file or DEFAULT_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if file is None:
            return {}
        raise ConfigError(f"{file}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error


def _check(values: dict[str, Any], where: str) -> Config:
    try:
        return msgspec.convert(values, Config, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        text = str(error).replace("`$.", "`").replace(f"`str` matching regex {HOST_ID!r}", "a UUID")
        raise ConfigError(f"{where}: {text}") from error


def _path(wanted: type, value: Any) -> Any:
    if wanted is not Path:
        raise NotImplementedError
    if not isinstance(value, (str, Path)) or not Path(value).is_absolute():
        raise ValueError(f"{value!r} is not an absolute path")
    return Path(value)


def _place_of(variable: str) -> list[str] | None:
    """`OVIS_LISTEN_PORT` → ["listen", "port"]; None for a variable of another program of Ovis. Raises ConfigError."""
    if not variable.startswith("OVIS_"):
        return None
    words = variable.removeprefix("OVIS_").lower()
    for name, kind in Config.__annotations__.items():
        if words == name:
            return [name]
        section = _SECTIONS.get(kind)
        if section and words.startswith(f"{name}_"):
            key = words.removeprefix(f"{name}_")
            if key not in section.__annotations__:
                raise ConfigError(f"variable {variable}: [{name}] has no key `{key}`")
            return [name, key]
    return None


def _put(values: dict[str, Any], place: list[str], text: str) -> None:
    *sections, key = place
    for section in sections:
        values = values.setdefault(section, {})
    values[key] = _value(text)


def _value(text: str) -> Any:
    """Lists and maps are written as in TOML; everything else is text that the check turns into what it must be."""
    if text[:1] in ("[", "{"):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text


_SECTIONS = {
    c.__name__: c
    for c in (
        Listen,
        Tls,
        Host,
        Hypervisor,
        Vms,
        Migration,
        Imports,
        Storage,
        Hooks,
        Network,
        Policy,
        Limits,
        Tracing,
        Log,
    )
}
