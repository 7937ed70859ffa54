"""Running `lvm`, as far as storage domains need it.

Groups of the host itself are readable and nothing else: what changes must be a group named by a UUID. Configuration is
a list of known keys, because lvm's own could name programs to run and files to write.

    reads, activates, refreshes     any host: LVM is told not to write metadata
    changes a group or a disk       tied to a lease: sanlock says that its holder has that of a manager (SDM), and lvm
                                    keeps it held as long as it lives; or the caller says why there is none (`unleased`)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from msgspec import field

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.privileged.rules import GROUP_NAME, device_path, words
from ovis.node.privileged.work import Work

log = logging.getLogger(__name__)

READING = frozenset({"pvs", "vgs", "lvs", "fullreport"})
CHANGING_DEVICES = frozenset({"pvcreate", "pvresize", "pvremove", "pvmove", "pvchange"})
CHANGING_GROUPS = frozenset(
    {
        "vgck",
        "vgcreate",
        "vgextend",
        "vgreduce",
        "vgremove",
        "vgchange",
        "lvcreate",
        "lvextend",
        "lvreduce",
        "lvremove",
        "lvchange",
    }
)

ACTIVATING = frozenset({"lvchange", "vgchange"})
WITHOUT_METADATA = words(
    """
    --activate --ignoreactivationskip --ignoremonitoring --monitor --noudevsync --partial --poll --quiet --refresh
    --sysinit --verbose --yes -K -a -q -v -y -qq -yy
    """
)
"""Options with which those change the kernel's tables on this host and nothing else."""
TRYING = frozenset({"--test", "-t"})
KEPT_OPEN = "LVM_REPORT_FD"
"""lvm closes all open files that it knows nothing of; this one it keeps for reports, and no change writes reports."""

SETTINGS = Path(__file__).with_name("lvm_settings")
"""Has lvm.conf, which is read instead of the host's."""

TAKING_DEVICES = frozenset({"vgcreate", "vgextend", "vgreduce", "lvcreate", "lvextend"})
"""After the group or volume come physical volumes."""

FLAGS = words(
    """
    --abort --all --atomic --binary --foreign --force --ignoreactivationskip --ignoremonitoring
    --ignoreskippedcluster --nohints --nolocking --noheadings --nosuffix --noudevsync --partial --quiet --readonly
    --refresh --removemissing --rows --segments --shared --sysinit --test --unbuffered --unquoted --updatemetadata
    --verbose --yes -f -K -q -t -v -y -qq -ff -yy
    """
)
WITH_VALUE = words(
    """
    --activate --addtag --alloc --allocatable --autobackup --bootloaderareasize --configreport --contiguous
    --dataalignment --dataalignmentoffset --deltag --extents --interval --metadatacopies --metadataignore
    --metadatasize --monitor --name --options --permission --physicalextentsize --poll --pvmetadatacopies
    --readahead --reportformat --select --separator --setautoactivation --setphysicalvolumesize --size --sort --type
    --units --uuid --vgmetadatacopies --wipesignatures --zero -a -A -l -L -n -o -O -p -s -S -u -W -x -Z
    """
)
CONFIG_KEYS = words(
    """
    activation/monitoring activation/read_only_volume_list activation/retry_deactivation activation/udev_rules
    activation/udev_sync allocation/wipe_signatures_when_zeroing_new_lvs backup/archive backup/backup
    devices/disable_after_error_count devices/external_device_info_source devices/filter devices/global_filter
    devices/hints devices/ignore_suspended_devices devices/md_component_detection
    devices/multipath_component_detection devices/obtain_device_list_from_udev devices/preferred_names
    devices/scan devices/scan_lvs devices/use_devicesfile devices/write_cache_state global/locking_type
    global/metadata_read_only global/prioritise_write_locks global/use_lvmlockd global/use_lvmpolld
    global/wait_for_locks report/list_item_separator
    """
)
_PLAIN = re.compile(r"[A-Za-z0-9_.,:/=+@%#!&|*()<>~\"' \[\]{}^-]*")
_NAME = re.compile(r"[A-Za-z0-9+_.][A-Za-z0-9+_.-]*(/[A-Za-z0-9+_.][A-Za-z0-9+_.-]*)?")
_TAG = re.compile(r"@[A-Za-z0-9_+.\-/=!:#&]+")
_DEVICES_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class RunLvm(Request[CommandResult], frozen=True, kw_only=True):
    """`arguments`: subcommand first, long options preferred. `config`: key ("devices/filter") → value.

    `devices`: only these are looked at (--devices). `devices_file`: the name of a file in /etc/lvm/devices; "" none.
    `unleased`: why a change is tied to no lease.
    """

    seconds: ClassVar[float] = 120

    arguments: tuple[str, ...]
    config: dict[str, int | str | list[str]] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    devices_file: str | None = None
    unleased: str = ""

    @property
    def is_tied(self) -> bool:
        return _writes_metadata(self.arguments)


async def run_lvm(request: RunLvm, work: Work) -> CommandResult:
    """lvm rolls back by itself on SIGTERM where it still can; it gets longer for it than other programs."""
    line = checked(request)
    kept = {"LVM_SYSTEM_DIR": str(SETTINGS)}
    if request.is_tied:
        if work.ties.descriptors:
            manager = await work.ties.of_manager()
            if manager is None:
                raise Refused(f"lvm {line[0]}", "the lease that it is tied to is not, or no longer, that of a manager")
            kept[KEPT_OPEN] = str(manager)
        elif not request.unleased:
            raise Refused(f"lvm {line[0]}", "it changes a volume group and is tied to no lease")
        else:
            log.info("lvm %s under no lease: %s", line[0], request.unleased)
    return await work.run("lvm", *line, grace=10, environment=kept)


def checked(request: RunLvm) -> list[str]:
    """The words after `lvm`. Raises Refused."""
    if not request.arguments:
        raise Refused("lvm", "no subcommand is named")
    command, *rest = request.arguments
    if command not in READING | CHANGING_DEVICES | CHANGING_GROUPS:
        raise Refused(f"lvm {command!r}", "not one of the subcommands for storage domains")
    _check_arguments(command, rest)
    line = [command]
    config = dict(request.config)
    if command in ACTIVATING and not _writes_metadata(request.arguments):
        config["global/metadata_read_only"] = 1
    if config:
        line += ["--config", config_text(config)]
    for device in request.devices:
        line += ["--devices", device_path(device)]
    if request.devices_file is not None:
        if request.devices_file and not _DEVICES_FILE.fullmatch(request.devices_file):
            raise Refused("lvm", f"{request.devices_file!r} is not the name of a devices file")
        line += ["--devicesfile", request.devices_file]
    return line + rest


def _writes_metadata(arguments: Sequence[str]) -> bool:
    """In the group or on a disk. What is not known to be harmless does."""
    if not arguments or arguments[0] in READING or TRYING & {*arguments}:
        return False
    command, *rest = arguments
    options = {_option(word) for word in rest if word.startswith("-")}
    return command not in ACTIVATING or not options or not options <= WITHOUT_METADATA


def _option(word: str) -> str:
    """Its name alone: --activate=y and -ay have the value in one word."""
    if word.startswith("--"):
        return word.partition("=")[0]
    return word if word in FLAGS else word[:2]


def config_text(config: Mapping[str, int | str | Sequence[str]]) -> str:
    """As lvm reads it. Raises Refused for keys that are not known."""
    unknown = sorted(config.keys() - CONFIG_KEYS)
    if unknown:
        raise Refused("lvm", f"the setting {unknown[0]!r} is not allowed")
    return " ".join(f"{key}={_config_value(value)}" for key, value in sorted(config.items()))


def _config_value(value: int | str | Sequence[str]) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        if not value.isprintable():
            raise Refused("lvm", f"the value {value!r} of a setting")
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"[{', '.join(_config_value(item) for item in value)}]"


def _check_arguments(command: str, arguments: Sequence[str]) -> None:
    what = f"lvm {command}"
    named = list(_positional(arguments, what))
    if command in READING:
        for word in named:
            _check_readable(word, what)
        return
    if not named or "--select" in arguments or "-S" in arguments:
        raise Refused(what, "what is changed must be named, one by one")
    groups = named[:0] if command in CHANGING_DEVICES else named[:1] if command in TAKING_DEVICES else named
    for word in groups:
        _check_group(word, what)
    for word in named[len(groups) :]:
        device_path(re.sub(r"(:\d+-\d*)+$", "", word))  # a physical volume, perhaps with its extents: /dev/x:0-99


def _positional(arguments: Sequence[str], what: str) -> Iterator[str]:
    """The words that are no options, the options having been checked."""
    rest = iter(arguments)
    for word in rest:
        if not word.startswith("-"):
            yield word
            continue
        option, equals, value = word.partition("=")
        if option in FLAGS and not equals:
            continue
        if option not in WITH_VALUE:
            if word[:2] in WITH_VALUE and not word.startswith("--") and _PLAIN.fullmatch(word):  # -ay
                continue
            raise Refused(what, f"the option {option!r} is not allowed")
        if not equals:
            try:
                value = next(rest)
            except StopIteration:
                raise Refused(what, f"the option {option!r} lacks its value") from None
        if not _PLAIN.fullmatch(value):
            raise Refused(what, f"the value {value!r} of {option}")


def _check_readable(word: str, what: str) -> None:
    if word.startswith("/dev/"):
        device_path(word)
    elif not (_TAG if word.startswith("@") else _NAME).fullmatch(word):
        raise Refused(what, f"{word!r} is neither a name nor a tag nor a device")


def _check_group(word: str, what: str) -> None:
    """`group`, `group/volume` or `/dev/group/volume`."""
    name = word.removeprefix("/dev/")
    if not _NAME.fullmatch(name) or not GROUP_NAME.fullmatch(name.split("/")[0]):
        raise Refused(what, f"{word!r} does not belong to a storage domain (its volume group's name is no UUID)")
