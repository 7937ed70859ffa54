"""Types of the node API. Made from the schema by `python -m ovis.generate python`: edit the schema, not this file.

Sizes are bytes and times seconds, whatever travels on the wire; another unit is part of the name. `None` in an optional
member means that it is absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from msgspec import Meta, Struct, field

from ovis.client.choices import NumberChoice, TextChoice
from ovis.client.wire_values import HoldsAnyMember

UInt: TypeAlias = Annotated[int, Meta(ge=0)]


class JobEventStatus(TextChoice):
    """Life of a job, in lower case on the wire: pending, running, then one of done, aborted (by way of aborting) or
    failed.
    """

    PENDING = 'pending'
    # Accepted, but waiting for its turn or for a lock.
    RUNNING = 'running'
    # Doing its work now.
    DONE = 'done'
    # Ended with success; the result can be read until the job is deleted or expires.
    ABORTING = 'aborting'
    # A stop was asked for and the job is cleaning up.
    ABORTED = 'aborted'
    # Ended early because a caller asked for it.
    FAILED = 'failed'
    # Ended without success; the error says why.


class AutoNumaBalancingStatus(NumberChoice):
    """Whether the host kernel moves memory between NUMA nodes on its own to keep it near the CPUs that use it."""

    DISABLED = 0
    # The kernel can balance but the administrator has switched it off.
    ENABLED = 1
    # The kernel balances memory between NUMA nodes.
    UNKNOWN = 2
    # The kernel does not say, usually because it has no such feature.


class BlockDeviceStatus(TextChoice):
    """Whether a block device can be used for a new storage domain, as a dry run of LVM tells."""

    FREE = 'free'
    # LVM would accept the device: nothing on it is in use.
    UNKNOWN = 'unknown'
    # The device was not tested, because the caller asked for no check.
    USED = 'used'
    # LVM refuses the device: it holds a volume group, partitions or is in use.


class FenceNodeAction(TextChoice):
    """What to do with the power of another machine."""

    OFF = 'off'
    # Cut the power without a clean shutdown.
    ON = 'on'
    # Switch the power on; a running machine is not affected.
    REBOOT = 'reboot'
    # Cut the power and switch it on again.
    STATUS = 'status'
    # Only ask if the machine has power.


class FenceNodeOperationStatusResult(TextChoice):
    """What became of a power change that was asked for."""

    INITIATED = 'initiated'
    # The fence agent was started; its outcome is seen by asking for the status.
    SKIPPED = 'skipped'
    # Nothing was done because the fencing policy showed the machine to be alive or needed.


class FenceNodePowerStatusResult(TextChoice):
    """Power state of a machine as its power controller reports it."""

    OFF = 'off'
    # The controller reports that the machine has no power.
    ON = 'on'
    # The controller reports that the machine has power.
    UNKNOWN = 'unknown'
    # The controller gave no clear answer, or power was changed rather than asked for.


class HaMaintenanceMode(TextChoice):
    """Reach of a maintenance mode of the self-hosted engine."""

    GLOBAL = 'GLOBAL'
    # All hosts: nobody starts, restarts or watches the engine VM.
    LOCAL = 'LOCAL'
    # This host alone: it does not run the engine VM, other hosts may.


class HostJobStatus(TextChoice):
    """Life of a background job; aborted, done and failed are final."""

    ABORTED = 'aborted'
    # A client stopped the job before it was complete.
    DONE = 'done'
    # The job completed all its work successfully.
    FAILED = 'failed'
    # The job ended with an error, which the job record carries.
    PENDING = 'pending'
    # The job is accepted and waits to be started.
    RUNNING = 'running'
    # The job is doing its work.


class HostJobType(TextChoice):
    """Part of the agent that runs a background job."""

    STORAGE = 'storage'
    # Work on volumes and storage domains, such as copying data.
    V2V = 'v2v'
    # Import of a VM from a foreign hypervisor or an OVA.
    VIRT = 'virt'
    # Work on a VM, such as sealing a template.


class ImageTicketOps(TextChoice):
    """Direction of transfer that an image ticket permits."""

    READ = 'read'
    # Content may be downloaded from the volume.
    WRITE = 'write'
    # Content may be uploaded to the volume, and read to verify it.


class LoggingLevel(TextChoice):
    """Severity from which on messages are written to the agent's log."""

    CRITICAL = 'CRITICAL'
    # Only failures after which the agent cannot go on.
    CRIT = 'CRIT'
    # Short form of CRITICAL, with the same effect.
    DEBUG = 'DEBUG'
    # Everything, including details meant for developers.
    ERROR = 'ERROR'
    # Failed operations and anything worse.
    INFO = 'INFO'
    # Normal events such as started operations, and anything worse.
    WARNING = 'WARNING'
    # Suspicious conditions and anything worse.
    WARN = 'WARN'
    # Short form of WARNING, with the same effect.


class MOMStatus(TextChoice):
    """State of the service that tunes memory ballooning and page merging on the host."""

    ACTIVE = 'active'
    # The service runs and applies its rules.
    DISABLED = 'disabled'
    # The service is switched off by configuration.
    INACTIVE = 'inactive'
    # The service should run but cannot be reached.


class OSName(TextChoice):
    """Operating system of the host, as far as engines tell systems apart."""

    DEBIAN = 'Debian'
    # Debian or a system derived from it.
    FEDORA = 'Fedora'
    # Fedora in one of its normal editions.
    RHEL = 'RHEL'
    # Red Hat Enterprise Linux or a rebuild such as CentOS Stream.
    RHEV_HYPERVISOR = 'RHEV Hypervisor'
    # The minimal image Red Hat made for its virtualization product.
    O_VIRT_NODE = 'oVirt Node'
    # The minimal image the oVirt project makes for hosts.
    UNKNOWN = 'unknown'
    # A system that was not recognized.


class SecretUsageType(TextChoice):
    """Kind of storage that a libvirt secret opens."""

    CEPH = 'ceph'
    # Login to a Ceph cluster for RBD disks.
    ISCSI = 'iscsi'
    # CHAP password of an iSCSI target that QEMU opens itself.
    VOLUME = 'volume'
    # Passphrase of an encrypted volume.


class SoftwarePackage(TextChoice):
    """Software whose version hosts report, named independently of the distribution's package names."""

    GLUSTERFS = 'glusterfs'
    # Common files of the Gluster file system.
    GLUSTERFS_CLI = 'glusterfs-cli'
    # Command line tool of the Gluster file system.
    GLUSTERFS_GEO_REPLICATION = 'glusterfs-geo-replication'
    # Replication of Gluster volumes to distant sites.
    GLUSTERFS_FUSE = 'glusterfs-fuse'
    # Client that mounts Gluster volumes.
    GLUSTERFS_RDMA = 'glusterfs-rdma'
    # Transport of Gluster over RDMA networks.
    GLUSTERFS_SERVER = 'glusterfs-server'
    # Daemons that serve Gluster bricks.
    KERNEL = 'kernel'
    # The Linux kernel that is running.
    LIBRBD1 = 'librbd1'
    # Library by which QEMU reaches Ceph block images.
    LIBVIRT = 'libvirt'
    # Daemon and library that run the VMs.
    MOM = 'mom'
    # Service that tunes memory ballooning and page merging.
    QEMU_IMG = 'qemu-img'
    # Tool that creates, copies and checks disk images.
    QEMU_KVM = 'qemu-kvm'
    # The emulator in which each VM runs.
    SPICE_SERVER = 'spice-server'
    # Library that serves SPICE consoles.
    VDSM = 'vdsm'
    # The host agent itself, whichever implementation answers.


class THPStates(TextChoice):
    """When the kernel backs memory with transparent huge pages."""

    ALWAYS = 'always'
    # For all memory for which it is possible.
    MADVISE = 'madvise'
    # Only where a program asks for them.
    NEVER = 'never'
    # Not at all: transparent huge pages are off.


class NetworkInterfaceState(TextChoice):
    """Whether the link of a network device is usable."""

    DOWN = 'down'
    # No carrier, or switched off on the host.
    UP = 'up'
    # The link is there and can carry traffic.
    UNKNOWN = 'unknown'
    # Kept for old clients: the device does not tell; answers use up or down.


class ImageMoveOperation(TextChoice):
    """What becomes of the source of a transfer."""

    COPY = 'COPY'
    # The source stays as it is.
    MOVE = 'MOVE'
    # The source is deleted after the copy.
    UNKNOWN = 'UNKNOWN'
    # No choice made; refused in requests.


class syncType(TextChoice):
    """Which volumes of a chain are copied."""

    ALL = 'ALL'
    # The whole chain.
    INTERNAL = 'INTERNAL'
    # All volumes but the leaf, which a running VM may be writing to.
    LEAF = 'LEAF'
    # Only the leaf, the last volume of the chain.


class ImageMoveOperationId(NumberChoice):
    """What becomes of the source of a transfer, as the number that engines send."""

    UNKNOWN = 0
    # No choice made; refused in requests.
    COPY = 1
    # The source stays as it is.
    MOVE = 2
    # The source is deleted after the copy.


class JobStatus(TextChoice):
    """State of a job recorded on its lease, in upper case unlike in job events."""

    PENDING = 'PENDING'
    # Not known to have ended: it waits, runs, or its host died.
    FAILED = 'FAILED'
    # Ended without success.
    SUCCEEDED = 'SUCCEEDED'
    # Ended with success.
    FENCED = 'FENCED'
    # Barred from running: its host will find the status changed and must not go on.


class LeaseMetadataType(TextChoice):
    """Kinds of records a lease may keep."""

    JOB = 'JOB'
    # The lease protects a storage job; the record is a JobMetadata.


class VolumeGroupAttributeAllocation(TextChoice):
    """Rule by which LVM places new extents; letters as in the vgs command."""

    A = 'a'
    # Anywhere: even parallel parts may share a LUN.
    C = 'c'
    # Contiguous: new extents follow the existing ones.
    I = 'i'
    # Inherited from the level above.
    L = 'l'
    # Cling: new extents go to the LUNs already used by the volume.
    N = 'n'
    # Normal: LVM's usual rule; parallel parts go to different LUNs.


class VolumeGroupAttributeClustered(TextChoice):
    """Whether LVM's own cluster locking is on."""

    EMPTY = '-'
    # Off, as for all storage domains: the SPM lock protects the metadata.
    C = 'c'
    # On; such a group is not usable as a storage domain.


class VolumeGroupAttributeExported(TextChoice):
    """Whether the group was exported with vgexport."""

    EMPTY = '-'
    # Not exported; the group is usable.
    X = 'x'
    # Exported; LVM refuses to use the group until it is imported.


class VolumeGroupAttributePartial(TextChoice):
    """Whether LUNs of the group are missing."""

    EMPTY = '-'
    # All LUNs are there.
    P = 'p'
    # At least one LUN cannot be found on this host.


class VolumeGroupAttributePermission(TextChoice):
    """Whether LVM may change the group."""

    R = 'r'
    # Read-only: its metadata is not to be changed.
    W = 'w'
    # Writable, the usual case.


class VolumeGroupAttributeResizeable(TextChoice):
    """Whether LUNs can be added and removed."""

    EMPTY = '-'
    # The set of LUNs is fixed.
    Z = 'z'
    # LUNs can be added and removed, the usual case.


class VolumeGroupState(TextChoice):
    """Whether a volume group is complete on this host."""

    OK = 'OK'
    # All LUNs are there.
    PARTIAL = 'PARTIAL'
    # At least one LUN is missing; the group must not be changed.


class BlockDevicePathState(TextChoice):
    """Whether multipath uses a path."""

    ACTIVE = 'active'
    # The path works and can carry I/O.
    FAILED = 'failed'
    # The last check of the path failed; it carries no I/O.


class BlockDeviceType(TextChoice):
    """Transport by which the host reaches a LUN."""

    FCP = 'FCP'
    # Fibre Channel; also given for all block devices that are not iSCSI.
    MIXED = 'MIXED'
    # Some paths use iSCSI and others do not.
    I_SCSI = 'iSCSI'
    # SCSI over TCP/IP on every path.


class CopyDataEndpointType(TextChoice):
    """Kinds of ends a copy can have."""

    DIV = 'div'
    # A volume, given by domain, image and volume id.
    EXTERNAL = 'external'
    # A volume outside of storage domains, given by URL.


class ImageSharingMethod(TextChoice):
    """How an image travels between a host and an outside store."""

    HTTP = 'http'
    # By HTTP GET or PUT; the host is the client.


class DiskContentType(TextChoice):
    """What the data of a disk is for; a label only, the node handles all the same. Volumes made by other tools may
    carry labels not listed here.
    """

    DATA = 'DATA'
    # Ordinary disk of a VM.
    OVFS = 'OVFS'
    # Store of VM and template descriptions kept by the engine.
    MEMD = 'MEMD'
    # Memory contents saved with a snapshot or a suspended VM.
    MEMM = 'MEMM'
    # VM configuration that belongs to saved memory contents.
    ISOF = 'ISOF'
    # ISO image that VMs use as a CD.
    HEVD = 'HEVD'
    # Disk of the hosted engine's own VM.
    HESD = 'HESD'
    # Sanlock area of the hosted engine.
    HEMD = 'HEMD'
    # Metadata of the hosted engine.
    HECI = 'HECI'
    # Configuration of the hosted engine.
    SCRD = 'SCRD'
    # Scratch disk that a backup writes overwritten blocks to.


class StorageDomainImageClass(TextChoice):
    """The purpose of a domain."""

    BACKUP = 'Backup'
    # Exported VMs and templates, in transit between pools.
    DATA = 'Data'
    # Disks of VMs and templates.
    ISO = 'Iso'
    # CD images only.
    UNKNOWN = 'Unknown'
    # The purpose could not be read from the domain.


class StorageDomainRole(TextChoice):
    """The part a domain plays in its pool."""

    MASTER = 'Master'
    # Carries the pool's metadata, its stored tasks and the SPM lease; one per pool.
    REGULAR = 'Regular'
    # Every other domain, and each domain that is in no pool.


class StorageDomainStatus(TextChoice):
    """The part of a domain in its pool. Both spellings occur: engines send lower case, answers carry a capital."""

    ACTIVE = 'active'
    # In use: hosts monitor the domain and VMs may have disks on it; as sent by engines.
    ACTIVE_ = 'Active'
    # In use: hosts monitor the domain and VMs may have disks on it; as answered.
    ATTACHED = 'attached'
    # A member of the pool but out of use (maintenance); as sent by engines.
    ATTACHED_ = 'Attached'
    # A member of the pool but out of use (maintenance); as answered.
    UNATTACHED = 'unattached'
    # Not a member of any pool; as sent by engines.
    UNATTACHED_ = 'Unattached'
    # Not a member of any pool; as answered.
    UNKNOWN = 'unknown'
    # The state could not be found out; as sent by engines.
    UNKNOWN_ = 'Unknown'
    # The state could not be found out; as answered.


class StorageDomainType(TextChoice):
    """Kind of storage that holds a domain, by name."""

    CIFS = 'CIFS'
    # Windows file share; an old kind that is no longer made.
    FCP = 'FCP'
    # Volume group on Fibre Channel LUNs.
    ISCSI = 'ISCSI'
    # Volume group on iSCSI LUNs.
    LOCALFS = 'LOCALFS'
    # Directory of a single host, usable by that host only.
    NFS = 'NFS'
    # Directory on an NFS export.
    SHAREDFS = 'SHAREDFS'
    # Directory on any other mountable shared file system (POSIX).
    GLUSTERFS = 'GLUSTERFS'
    # Directory on a GlusterFS volume.
    UNKNOWN = 'UNKNOWN'
    # Kind that the node does not know.


class StorageDomainTypeId(NumberChoice):
    """Kind of storage, as the number that engines send."""

    UNKNOWN = 0
    # Kind that is not known; refused in requests.
    NFS = 1
    # Directory on an NFS export.
    FCP = 2
    # Volume group on Fibre Channel LUNs, which need no connection.
    ISCSI = 3
    # Volume group on iSCSI LUNs.
    LOCALFS = 4
    # Directory of a single host.
    POSIXFS = 6
    # Directory on any other mountable shared file system.
    GLUSTERFS = 7
    # Directory on a GlusterFS volume.


class StorageDomainClassId(NumberChoice):
    """The purpose of a domain as engines send it: the number in place of the name."""

    UNKNOWN = 0
    # The purpose is not known; refused when a domain is created.
    DATA = 1
    # Disks of VMs and templates, with leases and snapshots.
    ISO = 2
    # CD images only; the one class that pools may share.
    BACKUP = 3
    # Exported VMs and templates, in transit between pools.


class SpmRole(TextChoice):
    """What part a host plays in the management of its pool."""

    CONTEND = 'Contend'
    # This host is about to take the SPM lease or to hand it back.
    FREE = 'Free'
    # This host is an ordinary member; another host, or none, is SPM.
    SPM = 'SPM'
    # This host holds the master's lease and may change storage metadata.


class StoragePoolStatus(TextChoice):
    """Whether a host has joined the pool."""

    CONNECTED = 'connected'
    # The host is joined to the pool and monitors its domains.
    UNINITIALIZED = 'uninitialized'
    # The host knows the pool but is not joined to it yet.


class StoragePoolUpgradeStatus(TextChoice):
    """What the answer to an upgrade request says."""

    STARTED = 'started'
    # The conversion of the domains has begun and goes on in the background.


class TaskResult(TextChoice):
    """How a task ended."""

    CLEAN_FAILURE = 'cleanFailure'
    # Failed, and undoing its partial effects failed too: leftovers may need an administrator.
    CLEAN_SUCCESS = 'cleanSuccess'
    # Failed or was stopped, and its partial effects were undone.
    SUCCESS = 'success'
    # Did everything it was started for.
    EMPTY = ''
    # Not known yet: the task has not ended.


class TaskState(TextChoice):
    """Coarse state of a task; finer internal states are folded into these."""

    ABORTING = 'aborting'
    # Asked to stop, or failed, and is winding up.
    CLEANING = 'cleaning'
    # Undoing partial effects or recovering after a change of SPM.
    FINISHED = 'finished'
    # Ended; read the outcome, then clear the task.
    INIT = 'init'
    # Made, but not yet waiting for its turn.
    RUNNING = 'running'
    # Waiting for locks or its turn, or at work.
    UNKNOWN = 'unknown'
    # State could not be determined; ask again.


class DiskBackupMode(TextChoice):
    """How a disk is read in a backup."""

    FULL = 'full'
    # All data of the disk is offered.
    INCREMENTAL = 'incremental'
    # Only data changed since the base checkpoint is offered; the rest is marked unchanged.


class DiskType(TextChoice):
    """What backs a disk on the host."""

    FILE = 'FILE'
    # A regular file on a mounted file system.
    BLOCK = 'BLOCK'
    # A block device, such as a logical volume.


class MigrateMethod(TextChoice):
    """How the VM behaves while it is transferred."""

    ONLINE = 'online'
    # The VM runs during the transfer and stands still only for the short switch at the end.


class MigrateMode(TextChoice):
    """Where the VM's state goes."""

    FILE = 'file'
    # Into prepared volumes; the VM is Down afterwards and can be resumed (hibernation).
    REMOTE = 'remote'
    # To another host, where the VM goes on running.


class MigrationStatus(TextChoice):
    """Whether an outgoing migration has ended."""

    DONE = 'done'
    # The migration has ended; the VM runs on the destination.
    IN_PROGRESS = 'in_progress'
    # The migration is still being prepared or transferring.


class VmDisplayType(TextChoice):
    """Graphics of a VM as old clients name them."""

    QXL = 'qxl'
    # SPICE console with the paravirtual QXL video card.
    VNC = 'vnc'
    # VNC console with a simple video card.


class VmStatus(TextChoice):
    """What a VM is doing on this host."""

    DOWN = 'Down'
    # QEMU has ended or never started; the entry stays, with exit code and reason, until destroy.
    MIGRATION_DESTINATION = 'Migration Destination'
    # The VM is arriving from another host; its CPUs do not run here yet.
    MIGRATION_SOURCE = 'Migration Source'
    # The VM runs here while it is being moved to another host.
    PAUSED = 'Paused'
    # The CPUs stand still, by request or because of a disk error; pauseCode tells why.
    POWERING_DOWN = 'Powering down'
    # The guest has been asked to shut down and has not ended yet.
    POWERING_UP = 'Powering up'
    # QEMU runs, but the guest system has not been seen working yet.
    REBOOT_IN_PROGRESS = 'RebootInProgress'
    # The guest is restarting.
    RESTORING_STATE = 'Restoring state'
    # The VM is being resumed from saved memory.
    SAVING_STATE = 'Saving State'
    # The VM stands still while its memory is written to a volume.
    UP = 'Up'
    # The VM runs, and the guest agent has answered or start-up time is over.
    WAIT_FOR_LAUNCH = 'WaitForLaunch'
    # The VM is accepted; disks are being prepared and QEMU has not started yet.


class VmTicketConflictAction(TextChoice):
    """What setting a new console password does to a client that is connected already."""

    DISCONNECT = 'disconnect'
    # The old client is cut off when a new one connects.
    FAIL = 'fail'
    # The call fails and the connected client stays.
    KEEP = 'keep'
    # The connected client stays, and the new password holds for further ones.


class VmType(TextChoice):
    """Technology that runs a VM."""

    KVM = 'kvm'
    # QEMU with the kernel's hardware virtualization, or with emulation where that is switched off.


class XmlChangeKind(TextChoice):
    """What happened to a part of a domain description."""

    ADDED = 'added'
    # It was not there before.
    REMOVED = 'removed'
    # It is not there any more.
    CHANGED = 'changed'
    # Its value is another one.


class SharedDriveType(TextChoice):
    """Whether several VMs may use the same drive at the same time."""

    EXCLUSIVE = 'exclusive'
    # One VM at a time; the VM takes the lease of the volume while it runs.
    NONE_ = 'none'
    # No promise and no lease: the caller makes sure that the drive is used once.
    SHARED = 'shared'
    # Several VMs may open the drive for writing; caches are off and snapshots impossible.
    TRANSIENT = 'transient'
    # The disk takes writes into a throw-away layer that is dropped when the VM ends.


class VmBalloonDeviceModel(TextChoice):
    """Hardware model of the memory balloon."""

    NONE_ = 'none'
    # The VM gets no balloon; its memory cannot be changed by the host.
    VIRTIO = 'virtio'
    # Paravirtual balloon; it needs a virtio driver in the guest.


class VmBalloonDeviceType(TextChoice):
    """Kinds of balloon devices."""

    MEMBALLOON = 'memballoon'
    # Balloon that grows and shrinks inside the guest's memory.


class VmBootMode(TextChoice):
    """Kind of device a VM boots from first; letters as in QEMU's -boot option."""

    A = 'a'
    # Boots from the floppy drive.
    C = 'c'
    # Boots from the first hard disk.
    D = 'd'
    # Boots from the CD drive.
    N = 'n'
    # Boots over the network (PXE).


class VmChannelDeviceType(TextChoice):
    """What a channel is connected to on the host."""

    SPICEVMC = 'spicevmc'
    # The SPICE server, for clipboard and display resizing.
    UNIX = 'unix'
    # A Unix socket that the host's agent opens to speak with a guest agent.
    VIRTIO_SERIAL = 'virtio-serial'
    # A bare virtio-serial port without a fixed peer.


class VmConsoleDeviceType(TextChoice):
    """Hardware a text console appears as in the guest."""

    SERIAL = 'serial'
    # Emulated serial port; works from firmware on, with any guest.
    VIRTIO = 'virtio'
    # Paravirtual console; needs a virtio driver in the guest.


class VmControllerDeviceType(TextChoice):
    """Buses a controller can offer."""

    CCID = 'ccid'
    # Smart card reader on USB.
    FDC = 'fdc'
    # Floppy disk controller.
    IDE = 'ide'
    # IDE bus for disks and CD drives; only on the older PC machine type.
    SATA = 'sata'
    # SATA bus for disks and CD drives.
    SCSI = 'scsi'
    # SCSI bus, normally paravirtual (virtio-scsi).
    USB = 'usb'
    # USB host controller.
    VIRTIO_SERIAL = 'virtio-serial'
    # Paravirtual bus for channels and consoles.


class VmDeviceAddressType(TextChoice):
    """Kinds of places on which a guest device can be."""

    DRIVE = 'drive'
    # Position on a disk controller: controller, bus and unit.
    PCI = 'pci'
    # PCI address: domain, bus, slot and function.
    VIRTIO_SERIAL = 'virtio-serial'
    # Port of a virtio-serial controller.
    USB = 'usb'
    # Bus and port of a USB controller.
    CCW = 'ccw'
    # Channel subsystem address of an IBM Z guest.


class VmDeviceType(TextChoice):
    """Kinds of devices a VM can have."""

    BALLOON = 'balloon'
    # Memory balloon, through which the host reclaims guest memory.
    CHANNEL = 'channel'
    # Byte channel between host and guest.
    CONSOLE = 'console'
    # Text console of the guest.
    CONTROLLER = 'controller'
    # Controller for a bus such as USB or SCSI.
    DISK = 'disk'
    # Disk, CD drive or floppy drive.
    GRAPHICS = 'graphics'
    # Server for the graphical console (SPICE or VNC).
    HOSTDEV = 'hostdev'
    # Physical or mediated device of the host handed to the guest.
    INTERFACE = 'interface'
    # Network interface card.
    MEMORY = 'memory'
    # Pluggable memory module.
    RNG = 'rng'
    # Source of random numbers for the guest.
    TPM = 'tpm'
    # Trusted platform module.
    SMARTCARD = 'smartcard'
    # Smart card reader that passes cards of the user on.
    SOUND = 'sound'
    # Sound card emulated for the guest.
    VIDEO = 'video'
    # Graphics adapter emulated for the guest.
    LEASE = 'lease'
    # Lock on shared storage that the VM holds while it runs.
    WATCHDOG = 'watchdog'
    # A watchdog timer that acts when the guest stops feeding it.
    REDIR = 'redir'
    # A channel through which a console client passes its own USB devices.


class VmDiskDeviceFormat(TextChoice):
    """Data format of a drive's volume."""

    COW = 'cow'
    # QCOW2: grows as the guest writes and can lie above a base volume.
    RAW = 'raw'
    # Plain bytes, exactly as the guest sees them.


class VmDiskDeviceInterface(TextChoice):
    """Bus over which the guest reaches a drive."""

    FDC = 'fdc'
    # Floppy controller; only for floppy drives.
    IDE = 'ide'
    # IDE, emulated; slow, at most four drives.
    SCSI = 'scsi'
    # SCSI, normally on a virtio-scsi controller.
    VIRTIO = 'virtio'
    # Paravirtual block device (virtio-blk).
    SATA = 'sata'
    # SATA port of an AHCI controller.
    USB = 'usb'
    # USB mass storage.


class VmDiskDeviceType(TextChoice):
    """How a guest sees a drive."""

    CDROM = 'cdrom'
    # Read-only drive with a changeable medium.
    DISK = 'disk'
    # Hard disk with fixed content.
    FLOPPY = 'floppy'
    # Floppy drive with a changeable medium.
    LUN = 'lun'
    # SCSI device whose commands pass through to the LUN behind it.


class VmGraphicsDeviceType(TextChoice):
    """Protocols of a graphical console."""

    SPICE = 'spice'
    # SPICE: display, sound, USB and clipboard over several channels.
    VNC = 'vnc'
    # VNC: display and keyboard over one connection.


class VmInterfaceDeviceModel(TextChoice):
    """Network hardware a guest can see."""

    E1000 = 'e1000'
    # Intel gigabit card for PCI; drivers in nearly every guest.
    E1000E = 'e1000e'
    # Intel gigabit card for PCI Express.
    I82551 = 'i82551'
    # Older Intel 100 Mbit card, 82551.
    I82557B = 'i82557b'
    # Older Intel 100 Mbit card, 82557B.
    I82559ER = 'i82559er'
    # Older Intel 100 Mbit card, 82559ER.
    NE2K_PCI = 'ne2k_pci'
    # NE2000 clone on PCI, 10 Mbit.
    PCNET = 'pcnet'
    # AMD PCnet card, 100 Mbit.
    PV = 'pv'
    # Paravirtual card; older name for virtio.
    RTL8139 = 'rtl8139'
    # Realtek 100 Mbit card, for old guests.
    VIRTIO = 'virtio'
    # Paravirtual card (virtio-net); fastest, needs a virtio driver.
    IGB = 'igb'
    # Emulated Intel 82576 gigabit card, which offers virtual functions.


class VmInterfaceDeviceType(TextChoice):
    """Ways a network card is connected on the host."""

    BRIDGE = 'bridge'
    # A tap device in the bridge of the host network.
    HOSTDEV = 'hostdev'
    # A virtual function of a host card, given to the guest directly.
    NETWORK = 'network'
    # A network that libvirt manages on this host.
    USER = 'user'
    # User-mode networking of QEMU: outgoing connections only, no privileges needed.


class VmMemoryDeviceType(TextChoice):
    """Kinds of memory modules."""

    MEMORY = 'memory'
    # Ordinary module (DIMM).


class VmRngDeviceModel(TextChoice):
    """Hardware models of a random number device."""

    VIRTIO = 'virtio'
    # Paravirtual generator (virtio-rng).


class VmRngDeviceSource(TextChoice):
    """Where the host takes random numbers from."""

    HWRNG = 'hwrng'
    # The host's hardware generator, /dev/hwrng.
    RANDOM = 'random'
    # The host kernel's pool, /dev/random.


class VmRngDeviceType(TextChoice):
    """Kinds of random number devices."""

    VIRTIO = 'virtio'
    # Paravirtual device on the virtio bus.


class VmSmartcardDeviceMode(TextChoice):
    """Where the card of a virtual reader is."""

    HOST = 'host'
    # A card in a reader of the host.
    PASSTHROUGH = 'passthrough'
    # A card at the user's machine, reached over the console connection.


class VmSmartcardDeviceProtocol(TextChoice):
    """How a remote smart card is reached."""

    SPICEVMC = 'spicevmc'
    # Over the smart card channel of SPICE.


class VmSmartcardDeviceType(TextChoice):
    """Kinds of smart card readers."""

    SMARTCARD = 'smartcard'
    # Reader on the USB smart card bus (CCID).


class VmSoundDeviceType(TextChoice):
    """Sound hardware a guest can see."""

    AC97 = 'ac97'
    # Intel AC'97 codec, for older guests.
    ES1370 = 'es1370'
    # Ensoniq AudioPCI card.
    HDA = 'hda'
    # Intel High Definition Audio.
    ICH6 = 'ich6'
    # High Definition Audio of the Intel ICH6 chipset.
    PCSPK = 'pcspk'
    # Beeper of the PC.
    SB16 = 'sb16'
    # Creative Sound Blaster 16 on ISA.


class VmTpmDeviceMode(TextChoice):
    """What backs a trusted platform module."""

    PASSTHROUGH = 'passthrough'
    # The host's own chip, usable by one VM only.
    EMULATOR = 'emulator'
    # A software TPM (swtpm) that runs beside the VM.


class VmTpmDeviceModel(TextChoice):
    """Interface of the module toward the guest."""

    TPM_TIS = 'tpm-tis'
    # Memory-mapped interface of the TPM 1.2 era (TIS).
    TPM_CRB = 'tpm-crb'
    # Command Response Buffer interface, for TPM 2.0 guests.
    TPM_SPAPR = 'tpm-spapr'
    # TPM interface of POWER guests.


class VmTpmDeviceType(TextChoice):
    """Kinds of security modules."""

    TPM = 'tpm'
    # Trusted platform module.


class VmVideoDeviceType(TextChoice):
    """Graphics hardware a guest can see."""

    CIRRUS = 'cirrus'
    # Cirrus Logic GD5446; small resolutions, very old guests.
    NONE_ = 'none'
    # No graphics adapter; libvirt is kept from adding one.
    QXL = 'qxl'
    # Paravirtual adapter made for SPICE.
    STD = 'std'
    # Standard VGA with VESA modes.
    VMWARE = 'vmware'
    # VMware SVGA II.
    VGA = 'vga'
    # Standard VGA card with VESA modes, the most widely supported one.
    BOCHS = 'bochs'
    # Bochs display: like VGA without its legacy registers, for UEFI guests.
    VIRTIO = 'virtio'
    # Paravirtual graphics card, for guests with a virtio driver.


class VmWatchdogDeviceAction(TextChoice):
    """What happens to the VM when its watchdog expires."""

    DUMP = 'dump'
    # The guest's memory is written to a file on the host.
    NONE_ = 'none'
    # Nothing but a report in the statistics.
    PAUSE = 'pause'
    # The VM is paused.
    POWEROFF = 'poweroff'
    # The VM is switched off at once.
    RESET = 'reset'
    # The VM is reset at once, as with the reset button.
    SHUTDOWN = 'shutdown'
    # The guest is asked to shut down; a hung guest will not obey.


class VmWatchdogDeviceModel(TextChoice):
    """Watchdog hardware a guest can see."""

    IB700 = 'IB700'
    # iBASE 700 on ISA.
    I6300ESB = 'i6300esb'
    # Intel 6300ESB on PCI; supported by most guests.


class VmWatchdogDeviceType(TextChoice):
    """Kinds of watchdog cards."""

    WATCHDOG = 'watchdog'
    # A timer the guest has to reset regularly.


class BlockJobType(TextChoice):
    """What a block operation does to the chain of volumes."""

    COMMIT = 'commit'
    # Data moves from upper volumes down into a base volume.
    COPY = 'copy'
    # Data is mirrored to another place while the VM runs.
    PULL = 'pull'
    # Data moves from base volumes up into the leaf.
    UNKNOWN = 'unknown'
    # The operation is none of the others.


class GuestSessionState(TextChoice):
    """Whether somebody uses the guest's desktop."""

    ACTIVE = 'Active'
    # A user works at the desktop.
    LOCKED = 'Locked'
    # A user is logged in, the screen is locked.
    LOGGED_OFF = 'LoggedOff'
    # Nobody is logged in.
    UNKNOWN = 'Unknown'
    # The guest agent has not told, or there is none.
    USER_LOGGED_ON = 'UserLoggedOn'
    # A user is logged in; whether the session is active is not known.


class JobType(TextChoice):
    """Family of a VM's job."""

    BLOCK = 'block'
    # Operation on a disk, run by QEMU.
    UNKNOWN = 'unknown'
    # None of the known families.


class VmExitCode(TextChoice):
    """Names for the numbers in ExitedVmStats.exitCode."""

    ERROR = 'ERROR'
    # Number 1: the VM ended by a failure; exitReason tells which.
    NORMAL = 'NORMAL'
    # Number 0: the VM ended as somebody intended.


class VmExitReason(TextChoice):
    """Names for the numbers in ExitedVmStats.exitReason."""

    ADMIN_SHUTDOWN = 'admin shutdown'
    # Number 6: shut down through the API.
    DESTROYED_ON_STARTUP = 'destroyed on startup'
    # Number 10: destroyed while it was still being started.
    GENERIC_ERROR = 'generic error'
    # Number 1: a failure with no closer description.
    LIBVIRT_DOMAIN_MISSING = 'libvirt domain missing'
    # Number 9: after the agent's restart libvirt no longer knew the VM.
    LIBVIRT_START_FAILED = 'libvirt start failed'
    # Number 3: libvirt or QEMU refused to start it.
    LOST_QEMU_CONNECTION = 'lost qemu connection'
    # Number 2: the QEMU process ended or crashed.
    MIGRATION_FAILED = 'migration failed'
    # Number 8: an incoming migration broke off.
    MIGRATION_SUCCEEDED = 'migration succeeded'
    # Number 4: it runs on another host now.
    SAVE_STATE_SUCCEEDED = 'save state succeeded'
    # Number 5: its memory is saved to storage (suspended).
    SUCCESS = 'success'
    # Number 0: ended without anything to remark.
    USER_SHUTDOWN = 'user shutdown'
    # Number 7: shut down from within the guest.
    HOST_SHUTDOWN = 'host shutdown'
    # The host was shut down.
    POST_COPY_MIGRATION_FAILED = 'post-copy migration failed'
    # The migration failed after the guest had already moved.
    DESTROYED_ON_REBOOT = 'destroyed on reboot'
    # The guest rebooted while the VM was set to end in that case.
    DESTROYED_ON_PAUSE_TIMEOUT = 'destroyed on pause timeout'
    # The VM stayed paused by an I/O error for longer than its resume policy allows.


class WatchdogEventAction(TextChoice):
    """What was done to a VM whose watchdog expired."""

    DESTROY = 'destroy'
    # The VM was switched off.
    IGNORE = 'ignore'
    # Nothing was done.
    LOG = 'log'
    # The expiry was only written to the log.
    PAUSE = 'pause'
    # The VM was paused.
    RESET = 'reset'
    # The VM was reset.
    SHUTDOWN = 'shutdown'
    # The guest was asked to shut down.


class Qcow2BitmapInfoFlags(TextChoice):
    """State of a dirty bitmap."""

    IN_USE = 'in-use'
    # The bitmap was not saved cleanly, or a running VM owns it; its contents cannot be trusted.
    AUTO = 'auto'
    # The bitmap records changes whenever the volume is opened for writing.


class Qcow2Compat(TextChoice):
    """Version of the qcow2 format. It is text: 1.1 is not a number here."""

    V0_10 = '0.10'
    # The old format (version 2), without dirty bitmaps; used on domain formats before 4.
    V1_1 = '1.1'
    # The present format (version 3).


class QemuImageFormat(TextChoice):
    """Format of an image as qemu-img names it."""

    RAW = 'raw'
    # Plain bytes of the disk, without header.
    QCOW2 = 'qcow2'
    # Grows on demand, can have a parent and dirty bitmaps.


class VolumeAllocation(TextChoice):
    """When a volume gets its space."""

    PREALLOCATED = 'PREALLOCATED'
    # All space is taken when the volume is made.
    SPARSE = 'SPARSE'
    # Space is taken as data is written (thin).


class VolumeFormat(TextChoice):
    """How a volume stores its data."""

    COW = 'COW'
    # qcow2: grows on demand and can have a parent.
    RAW = 'RAW'
    # Plain bytes of the disk, without header or parent.


class VolumeLegality(TextChoice):
    """Mark of usability in a volume's metadata."""

    FAKE = 'FAKE'
    # Stand-in for a template that is not in this domain; has metadata but no data. Only on export domains.
    ILLEGAL = 'ILLEGAL'
    # Must not be used: it is being filled, merged or deleted, or that failed.
    LEGAL = 'LEGAL'
    # Sound, may be used by VMs.


class VolumeRole(TextChoice):
    """Part of a volume in its chain."""

    INTERNAL = 'INTERNAL'
    # Layer below others; only read.
    LEAF = 'LEAF'
    # Last layer, the one that a VM writes to.
    SHARED = 'SHARED'
    # Template: read by the disks that build on it, never written.


class VolumeStatus(TextChoice):
    """State of a volume as derived from its metadata."""

    ILLEGAL = 'ILLEGAL'
    # The metadata is readable and marks the volume as not to be used.
    INVALID = 'INVALID'
    # The metadata or the volume itself cannot be read.
    OK = 'OK'
    # The metadata is readable and the volume may be used.


class VolumeFormatId(NumberChoice):
    """How a volume stores its data, as the number that engines send."""

    UNKNOWN = 3
    # No choice made: the format of the source is kept.
    COW = 4
    # qcow2: grows on demand and can have a parent.
    RAW = 5
    # Plain bytes of the disk, without header or parent.


class VolumeAllocationId(NumberChoice):
    """When a volume gets its space, as the number that engines send."""

    UNKNOWN = 0
    # No choice made: the allocation of the source is kept.
    PREALLOCATED = 1
    # All space is taken when the volume is made.
    SPARSE = 2
    # Space is taken as data is written.


class VolumeRoleId(NumberChoice):
    """Part of a volume in its chain, as the number that engines send."""

    SHARED = 6
    # Template: read by the disks that build on it, never written.
    INTERNAL = 7
    # Layer below others; only read.
    LEAF = 8
    # Last layer of a chain, the one that a VM writes to.


class HostDeviceAddress:
    """Where a device sits on its bus; the form depends on whether it is a PCI, SCSI or USB device."""

    __slots__ = ()


class NetInfoNetwork:
    """A network as it is on the host; the field bridged tells which of the two forms it has."""

    __slots__ = ()


class ImageSharingMethodArgs:
    """Where data is fetched from or sent to; HTTP is the only way there is."""

    __slots__ = ()


class LeaseMetadata:
    """Content of a lease's data block; one form so far, told by its type field."""

    __slots__ = ()


class CopyDataEndpoint:
    """One end of a copy."""

    __slots__ = ()


class StorageDomainCreateArguments:
    """Where a new domain is placed, by kind of storage. Kept for reading older descriptions: on the wire the place is
    plain text.
    """

    __slots__ = ()


class MigrationStats:
    """State of an outgoing migration: a share of the way while it runs, the standstill of the guest when it has ended."""

    __slots__ = ()


class ScratchDisk:
    """Place for old data that the guest overwrites while a backup is read; file or block device, told apart by the
    type field.
    """

    __slots__ = ()


class SnapshotDriveInfo:
    """One disk in a snapshot: the volume it uses now and the volume it shall use afterwards. Disks on storage domains,
    LUNs by GUID and devices by UUID have a form each.
    """

    __slots__ = ()


class VmInfoObject:
    """One entry of a VM list: the whole definition, just the identifier, or identifier and status, depending on what
    the caller asked for.
    """

    __slots__ = ()


class vmUpdateDeviceParams:
    """A device of a running VM and its wanted state: an interface named by alias, a console named by type, or a device
    as XML.
    """

    __slots__ = ()


class DriveSpec:
    """Says what backs a drive: a volume of a storage domain, a multipath device, generated content (payload), a path
    on the host, or the medium of a CD drive. The members present tell which one is meant.
    """

    __slots__ = ()


class DriveSpecCdrom(DriveSpec):
    """Names one CD drive of a VM and the medium to put into it, by path or by volume."""

    __slots__ = ()


class VmDevice:
    """Any device of a VM; deviceType tells which kind it is."""

    __slots__ = ()


class VmDeviceAddress:
    """Place of a device on one of the guest's buses. Keeping it keeps the device names in the guest stable."""

    __slots__ = ()


class VmJobInfo:
    """A running job of a VM; only block operations exist."""

    __slots__ = ()


class VmStats:
    """Report about one VM: the short form when status is Down, the long form otherwise."""

    __slots__ = ()


class JobEvent(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """State of a job as announced by the host. Unlike Host.getJobs it carries no progress."""

    # Human-readable summary of what the job works on; may be empty.
    description: str
    # Why the job failed, as code and message. Absent unless the status is failed.
    error: ErrorInfo | None = None
    # Identifies the job; chosen by the caller of the verb that started it.
    id: UUID
    # Kind of work, such as storage, v2v or virt; same words as in Host.getJobs.
    job_type: str
    # State just entered; absent means unknown and the receiver asks Host.getJobs.
    status: JobEventStatus | None = None


class MigrationProgress(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How far the memory of a migrating VM has been transferred, seen from the source host."""

    # How long the VM stood still at the switch-over, known only at the end; absent before. [ms]
    downtime_ms: float | None = field(name="downtime", default=None)
    # True once the VM runs on the target while memory is still being fetched; from then on it cannot go back.
    postcopy: bool = field(default_factory=lambda: False)
    # Share of the work done; may stand still or fall while the guest changes memory quickly. [percent]
    progress_percent: float = field(name="progress")


class VmStatusChange(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What changed in a VM. Fields that are absent did not change; the values mean the same as in VM.getStats."""

    # Address of the client connected to the console; empty when nobody is connected.
    client_ip: str | None = field(name="clientIp", default=None)
    # Processor time QEMU spent outside the guest (kernel and emulation) since the last sample; 100 is one full
    # core. [percent]
    cpu_sys_percent: float | None = field(name="cpuSys", default=None)
    # Processor time the guest itself used since the last sample; 100 is one full core. [percent]
    cpu_user_percent: float | None = field(name="cpuUser", default=None)
    # All graphical consoles of the VM with address and ports; replaces the four single display fields.
    display_info: list[VmDisplayInfo] | None = field(name="displayInfo", default=None)
    # Address on which the first console listens; 0 means all addresses. Kept for old clients, see displayInfo.
    display_ip: str | None = field(name="displayIp", default=None)
    # Unencrypted TCP port of the first console; -1 when there is none. Kept for old clients, see displayInfo.
    display_port: int | None = field(name="displayPort", default=None)
    # TLS port of the first console; -1 when there is none. Kept for old clients, see displayInfo.
    display_secure_port: int | None = field(name="displaySecurePort", default=None)
    # Kind of the first console: qxl for SPICE, or vnc. Kept for old clients, see displayInfo.
    display_type: VmDisplayType | None = field(name="displayType", default=None)
    # Time since the VM was started on its first host, migrations included. [s]
    elapsed_time: UInt | None = field(name="elapsedTime", default=None)
    # Set when the VM is down: 0 for a regular end, 1 for an error.
    exit_code: int | None = field(name="exitCode", default=None)
    # Set when the VM is down: why, in words for the administrator.
    exit_message: str | None = field(name="exitMessage", default=None)
    # Set when the VM is down: number of the reason, see VmExitReason (for example 4 migration succeeded, 7 shut
    # down by its user).
    exit_reason: int | None = field(name="exitReason", default=None)
    # Changes whenever the VM's definition or devices change; a new value tells the engine to read them again.
    hash: int | None = None
    # 0 while QEMU's monitor answers, -1 when it has not for some time (often because of hanging storage).
    monitor_response: int | None = field(name="monitorResponse", default=None)
    # Why the VM is paused: NOERR (on request), ENOSPC (volume full), EIO (I/O error), EOTHER (anything else).
    pause_code: str | None = field(name="pauseCode", default=None)
    # The VM's state after the change; always sent.
    status: VmStatus
    # How far the guest set its hardware clock from UTC; negative when behind. Reused at the next start. [s]
    time_offset: int | None = field(name="timeOffset", default=None)
    # Length of the interval to which the CPU quota applies; 0 when no limit is set. [us]
    vcpu_period_us: int | None = field(name="vcpuPeriod", default=None)
    # Processor time each virtual CPU may use in one period; -1 is unlimited, 0 means not set. [us]
    vcpu_quota_us: int | None = field(name="vcpuQuota", default=None)
    # Set when an I/O error paused the VM: alias, name and path of the disk that failed.
    ioerror: StringMap | None = None


class BlockDeviceInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A multipath block device as the host sees it, typically a LUN of a disk array."""

    # Size of the device in bytes. [bytes]
    capacity: UInt
    # How the device is reached; mixed when its paths differ.
    devtype: BlockDeviceType
    # Largest range in bytes that one discard request may cover; 0 means the device cannot discard. [bytes]
    discard_max_bytes: UInt
    # Whether discarded blocks read as zeroes (1) or not (0); always 0 on current kernels.
    discard_zeroes_data: Annotated[int, Meta(ge=0, le=1)] | None = None
    # Firmware revision the device states; empty when it states none.
    fwrev: str
    # Multipath identifier of the device (its WWID), not a UUID, such as 36001405b2c3d4e5f.
    guid: str = field(name="GUID")
    # Smallest block in bytes the device can address, usually 512 or 4096. [bytes]
    logicalblocksize: UInt
    # Whether the device holds a partition table; absent when not examined.
    partitioned: bool | None = None
    # iSCSI sessions leading to the device; empty for Fibre Channel.
    pathlist: list[IscsiSessionInfo]
    # All paths to the device with their state, whatever the transport.
    pathstatus: list[BlockDevicePathInfo]
    # Smallest block in bytes the device writes without a read-modify-write cycle. [bytes]
    physicalblocksize: UInt
    # Product name the device states in its SCSI inquiry data.
    product_id: str = field(name="productID")
    # Size in bytes of the LVM physical volume on the device; absent when it carries none. [bytes]
    pvsize: UInt | None = None
    # LVM identifier of the physical volume on the device; empty when it carries none.
    pv_uuid: str = field(name="pvUUID")
    # Serial number the device states; empty when it states none.
    serial: str
    # Whether LVM could take the device for a new volume group.
    status: BlockDeviceStatus
    # Vendor name the device states in its SCSI inquiry data.
    vendor_id: str = field(name="vendorID")
    # LVM identifier of the volume group the device belongs to; empty when it belongs to none.
    vg_uuid: str | None = field(name="vgUUID", default=None)


class BulkIoTunePolicy(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Disk throttling of one VM: what is allowed and what is set."""

    # Limits in force for each disk at present; absent or empty when no disk is throttled.
    current_values: list[VmDiskDeviceTuneParams] | None = None
    # Guaranteed and maximum limits for each disk; absent or empty when the VM has no policy.
    policy: list[VmDiskDeviceTuneLimits] | None = None


class ConnectorInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a storage driver outside the host must know to export a managed block volume to this host."""

    # Whether volumes can be attached through a local driver instead of a network protocol.
    do_local_attach: bool | None = None
    # Host name under which the storage side registers this machine.
    host: str | None = None
    # iSCSI initiator name (IQN) of the host; absent when iSCSI is not set up.
    initiator: str | None = None
    # IP address from which the host reaches the storage.
    ip: str | None = None
    # Whether the host combines several paths to a volume by multipath.
    multipath: bool | None = None
    # Operating system family of the host, such as linux.
    os_type: str | None = None
    # Machine architecture of the host, such as x86_64.
    platform: str | None = None


class CpuCoreStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Load of one host CPU between the last two samples."""

    # Share of time in percent in which this CPU did nothing. [percent]
    cpu_idle_percent: float = field(name="cpuIdle")
    # Share of time in percent this CPU spent in the kernel. [percent]
    cpu_sys_percent: float = field(name="cpuSys")
    # Share of time in percent this CPU spent in user programs, guests included. [percent]
    cpu_user_percent: float = field(name="cpuUser")
    # Number of the NUMA node this CPU belongs to.
    node_index: UInt = field(name="nodeIndex")


class CpuInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Place of one host CPU (hardware thread) in the processor topology."""

    # Number of the physical core, unique within its socket and die.
    core_id: int
    # Number of the CPU as the kernel counts hardware threads.
    cpu_id: int
    # Number of the die within its socket; 0 on processors with a single die.
    die_id: int
    # Number of the NUMA node the CPU belongs to.
    numa_cell_id: int
    # Number of the processor package that holds the CPU.
    socket_id: int


class DeviceQoSParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Traffic shaping for one network on a host interface."""

    # Shaping rules that apply to the network's traffic.
    host_qos: HostQoSParams = field(name="hostQos")
    # VLAN tag the rules apply to; -1 means untagged traffic.
    vlan: int = field(default_factory=lambda: -1)


class ExternalDiskInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A disk of a VM on a foreign hypervisor or in an OVA."""

    # Path or name under which the source knows the disk; absent for disks without one.
    alias: str | None = None
    # Space in bytes the disk occupies at the source; absent when the source does not tell. [bytes]
    allocation: UInt | None = None
    # Size of the disk in bytes as its VM sees it; absent when the source does not tell. [bytes]
    capacity: UInt | None = None
    # Device name inside the foreign VM's definition, such as sda; absent in an OVA.
    dev: str | None = None
    # Kind of device, such as disk or cdrom; absent when the source does not tell.
    type: str | None = None


class ExternalDiskParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Existing volume that receives one disk of an imported VM; the order in the list follows the disks of the source."""

    # Image the target volume belongs to.
    image_id: UUID = field(name="imageID")
    # Volume the disk content is written to; it must be large enough.
    volume_id: UUID = field(name="volumeID")


class ExternalNetworkInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A network card of a VM on a foreign hypervisor or in an OVA."""

    # Bridge or network name at the source; absent when the card is not bridged.
    bridge: str | None = None
    # Name the source uses for the card; absent when it has none.
    dev: str | None = None
    # Hardware address of the card; absent when it is assigned only at start.
    mac_addr: str | None = field(name="macAddr", default=None)
    # Emulated card model, such as e1000 or virtio; absent when the source does not tell.
    model: str | None = None
    # How the card is connected at the source, such as bridge, network or interface.
    type: str


class ExternalVmInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A VM on a foreign hypervisor or in an OVA, with what an import needs to know."""

    # Whether the disks are fully allocated or sparse; absent when unknown.
    allocation: VolumeAllocation | None = None
    # Disks of the VM in the order the source lists them.
    disks: list[ExternalDiskInfo] = field(default_factory=lambda: [])
    # Format the disks would be imported in; absent when the importer decides.
    format: VolumeFormat | None = None
    # Kind of console, such as vnc or spice; absent when the VM has none.
    graphics: str | None = None
    # Whether the VM has snapshots, which an import does not preserve; absent when unknown.
    has_snapshots: bool | None = None
    # Memory of the VM in bytes. [bytes]
    mem_size: UInt = field(name="memSize")
    # Network cards of the VM in the order the source lists them.
    networks: list[ExternalNetworkInfo] = field(default_factory=lambda: [])
    # Number of virtual CPUs of the VM.
    smp: UInt
    # Whether the VM runs at the source; a running VM must be shut down before an import.
    status: VmStatus
    # Emulated video card; absent when the source does not tell.
    video: str | None = None
    # Path of the image with Windows virtio drivers to use; absent for none.
    virtio_iso_path: str | None = None
    # Identity of the VM at the source; absent when the source, like an OVA, has none.
    vm_id: UUID | None = field(name="vmId", default=None)
    # Name of the VM at the source, needed to import it.
    vm_name: str = field(name="vmName")


class ExternalVmParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What to import and where to: the foreign VM and the volumes for its disks."""

    # Target volumes, one for each disk of the VM in the source's order; an import without disks is refused.
    disks: list[ExternalDiskParams] = field(default_factory=lambda: [])
    # Storage domain that holds the target volumes.
    domain_id: UUID = field(name="domainID")
    # Format of the target volumes; absent means raw.
    format: VolumeFormat | None = None
    # Storage pool the domain belongs to; the host must be connected to it.
    pool_id: UUID = field(name="poolID")
    # Compatibility level of qcow2 targets, 0.10 or 1.1; absent leaves it to the importer.
    qcow2_compat: str | None = None
    # Path on the host of an image with Windows virtio drivers to install; absent for none.
    virtio_iso_path: str | None = None
    # Name of the VM as the foreign hypervisor lists it.
    vm_name: str = field(name="vmName")


class FcHba(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A Fibre Channel adapter of the host."""

    # Adapter model and driver description; empty when the driver does not tell.
    model: str | None = None
    # World wide node name of the adapter, 16 hexadecimal digits.
    wwnn: str
    # World wide port name of the adapter, which the storage side uses to permit access.
    wwpn: str


class FenceNodeResult(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Outcome of a fencing call; which field matters depends on the action."""

    # Set for on, off and reboot: whether the change was started or skipped.
    operation_status: FenceNodeOperationStatusResult = field(name="operationStatus", default_factory=lambda: FenceNodeOperationStatusResult('initiated'))
    # Set for status: the power state the controller reports.
    power: FenceNodePowerStatusResult = field(default_factory=lambda: FenceNodePowerStatusResult('unknown'))


class FencingPolicy(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Signs of life of the target under which a power change is skipped. All conditions given are tested, and any one
    that holds prevents the change.
    """

    # Gluster identity of the target, needed by the two Gluster conditions; absent when it serves no Gluster bricks.
    gluster_server_uuid: UUID | None = field(name="glusterServerUuid", default=None)
    # Whether to skip while bricks on the target are still up.
    skip_fencing_if_gluster_bricks_up: bool = field(name="skipFencingIfGlusterBricksUp", default_factory=lambda: False)
    # Whether to skip when taking the target away would cost a Gluster volume its quorum.
    skip_fencing_if_gluster_quorum_not_met: bool = field(name="skipFencingIfGlusterQuorumNotMet", default_factory=lambda: False)
    # Domains and the target's host id in each: the change is skipped while the target renews any of these leases.
    # Absent means no test.
    storage_domain_host_id_map: HostIdMap | None = field(name="storageDomainHostIdMap", default=None)


class HardwareInformation(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Identity of the machine from its firmware tables. Each field is absent when the firmware leaves it out."""

    # Product family the maker assigns the machine to.
    system_family: str | None = field(name="systemFamily", default=None)
    # Maker of the machine, or of the hypervisor when the host is itself a VM.
    system_manufacturer: str | None = field(name="systemManufacturer", default=None)
    # Model name the maker gives the machine.
    system_product_name: str | None = field(name="systemProductName", default=None)
    # Serial number the maker gave this machine.
    system_serial_number: str | None = field(name="systemSerialNumber", default=None)
    # Identity the firmware states, usually unique but on cheap boards sometimes shared.
    system_uuid: str | None = field(name="systemUUID", default=None)
    # Version or revision of the model, in the maker's own format.
    system_version: str | None = field(name="systemVersion", default=None)


class HbaInventory(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Storage adapters and initiators of the host."""

    # Fibre Channel adapters; empty when the host has none.
    fc: list[FcHba] = field(name="FC")
    # iSCSI initiators, in practice the single software initiator.
    i_scsi: list[IscsiHba] = field(name="iSCSI")


class HookScriptInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Identifies the content of a hook script, so that differing hosts can be spotted."""

    # Digest of the script file in hexadecimal digits; empty when the file could not be read.
    checksum: str


class HostBandwidthParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Outgoing traffic limits of a network in the terms of the kernel's HFSC scheduler."""

    # Link share: weight by which spare bandwidth is divided among networks.
    ls: BandwidthCurve
    # Real time: bandwidth guaranteed at any load; absent means no guarantee.
    rt: BandwidthCurve | None = None
    # Upper limit: bandwidth the network never exceeds; absent means no limit.
    ul: BandwidthCurve | None = None


class HostDevice(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A device of the host that libvirt knows."""

    # Facts about the device; which ones depends on its kind.
    params: HostDeviceParams


class HostDeviceParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Facts about a host device. Fields that make no sense for its kind, or that the kernel does not tell, are absent."""

    # Position on the bus; absent for devices that are neither PCI, SCSI nor USB.
    address: HostDeviceAddress | None = None
    # Alignment in bytes of a persistent memory device's usable area; absent for other devices. [bytes]
    align_size: UInt | None = None
    # Path of the block device node, such as /dev/sdb, for SCSI disks.
    block_path: str | None = None
    # Kind of device in libvirt's terms, such as pci, usb_device, scsi, net or nvdimm.
    capability: str
    # Path of the device node of a persistent memory device, such as /dev/pmem0.
    device_path: str | None = None
    # Size in bytes of a persistent memory device. [bytes]
    device_size: UInt | None = None
    # Kernel driver bound to the device; absent when none is bound.
    driver: str | None = None
    # Name of the network interface, such as eth0, of a device of kind net; absent for others.
    interface: str | None = None
    # Whether the device can be given to a VM; bridges, for instance, cannot.
    is_assignable: bool
    # Mode of a persistent memory namespace, such as fsdax or devdax; absent for other devices.
    mode: str | None = None
    # Number of the NUMA node nearest to the device; absent when the platform does not tell.
    numa_node: int | None = None
    # Libvirt name of the device this one hangs on; absent for the root of the tree.
    parent: str | None = None
    # Product name from the device or the hardware database; absent when unknown.
    product: str | None = None
    # Product number as hexadecimal text, such as 0x1521; absent when the bus has none.
    product_id: str | None = None
    # Path of the SCSI generic node, such as /dev/sg2, needed to pass the device through.
    udev_path: str | None = None
    # Vendor name from the device or the hardware database; absent when unknown.
    vendor: str | None = None
    # Vendor number as hexadecimal text, such as 0x8086; absent when the bus has none.
    vendor_id: str | None = None
    # Number of the IOMMU group; all its devices must go to the same VM. Absent without an IOMMU.
    iommu_group: UInt | None = None
    # Mediated device types a card offers, keyed by type name, with title and free instances; absent when it offers
    # none.
    mdev: Any | None = None
    # For an SR-IOV virtual function: libvirt name of the physical function it comes from.
    physfn: str | None = None
    # Greatest number of SR-IOV virtual functions the card can offer; absent on cards without SR-IOV.
    totalvfs: UInt | None = None


class HostedEngineStatus(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """State of the high availability service that runs the engine inside a VM."""

    # Whether the service is alive on this host and reports fresh data.
    active: bool
    # Whether this host is set up to run the engine VM; when false the other fields mean nothing.
    configured: bool
    # Whether the service is suspended on all hosts.
    global_maintenance: bool = field(name="globalMaintenance")
    # Whether this host is barred from running the engine VM.
    local_maintenance: bool = field(name="localMaintenance")
    # Suitability of this host to run the engine VM, from 0 (unfit) to 3400 (best).
    score: Annotated[int, Meta(ge=0, le=3400)]


class HostJobInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """State of a background job of this host."""

    # What the job does, in words for an administrator.
    description: str
    # Why the job failed; absent unless the status is failed.
    error: ErrorInfo | None = None
    # Identity of the job, chosen by the caller that started it.
    id: UUID
    # Which part of the agent runs the job.
    job_type: HostJobType
    # Share of the work done in percent; absent while unknown. [percent]
    progress_percent: Annotated[int, Meta(ge=0, le=100)] | None = field(name="progress", default=None)
    # Where the job is between waiting and ended.
    status: HostJobStatus


class HostQoSParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Traffic shaping of a network on the host."""

    # Limits for traffic that leaves the host; absent means unshaped. Incoming traffic cannot be shaped.
    out: HostBandwidthParams | None = None


class HostStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Measurements of the host from the latest periodic sample. Rates cover the time between the last two samples."""

    # Anonymous memory in bytes that the kernel has backed with transparent huge pages. [bytes]
    anon_huge_pages: UInt = field(name="anonHugePages")
    # Seconds since 1970 (UTC) at which the host booted; 0 when unknown. [s]
    boot_time: UInt = field(name="bootTime", default_factory=lambda: 0)
    # Share of time in percent in which the host's CPUs did nothing, averaged over all CPUs. [percent]
    cpu_idle_percent: float = field(name="cpuIdle")
    # One-minute load average: mean number of tasks running or waiting to run.
    cpu_load: float = field(name="cpuLoad")
    # Load of each single CPU; absent until two samples exist.
    cpu_statistics: CpuCoreStatsMap | None = field(name="cpuStatistics", default=None)
    # Share of time in percent spent in the kernel, averaged over all CPUs. [percent]
    cpu_sys_percent: float = field(name="cpuSys")
    # Kernel time of the agent's own process in percent of one CPU. [percent]
    cpu_sys_vdsmd_percent: float = field(name="cpuSysVdsmd")
    # Share of time in percent spent in user programs and guests, averaged over all CPUs. [percent]
    cpu_user_percent: float = field(name="cpuUser")
    # User time of the agent's own process in percent of one CPU. [percent]
    cpu_user_vdsmd_percent: float = field(name="cpuUserVdsmd")
    # Host clock in UTC, formatted like 2024-05-31T12:00:00 GMT.
    date_time: str = field(name="dateTime")
    # Free space on the host's own directories that the agent needs; absent until a sample exists.
    disk_stats: PathStatsMap | None = field(name="diskStats", default=None)
    # Seconds since the agent started. [s]
    elapsed_time: float = field(name="elapsedTime")
    # Same as the score in haStats, for old clients; 0 when the hosted engine is not set up.
    ha_score: int = field(name="haScore", default_factory=lambda: 0)
    # State of the high availability service of the hosted engine.
    ha_stats: HostedEngineStatus = field(name="haStats")
    # Number of VMs that are arriving from other hosts.
    incoming_vm_migrations: UInt = field(name="incomingVmMigrations")
    # Share of one CPU in percent that the kernel's page merging thread uses; absent when not known. [percent]
    ksm_cpu_percent: UInt | None = field(name="ksmCpu", default=None)
    # Whether equal pages are merged across NUMA nodes; absent when not known.
    ksm_merge_across_nodes: bool | None = field(name="ksmMergeAcrossNodes", default=None)
    # Number of pages the merging thread examines before each pause; absent when not known.
    ksm_pages: int | None = field(name="ksmPages", default=None)
    # Whether same-page merging runs; absent when not known.
    ksm_state: bool | None = field(name="ksmState", default=None)
    # Memory in bytes that is free or can be freed at once, caches included. [bytes]
    mem_free: int = field(name="memFree")
    # Memory in bytes of VMs that currently shares merged pages; absent when not known. [bytes]
    mem_shared: int | None = field(name="memShared", default=None)
    # Share of the host's memory in percent that is in use. [percent]
    mem_used_percent: UInt = field(name="memUsed")
    # State of the service that tunes ballooning and page merging.
    mom_status: MOMStatus = field(name="momStatus")
    # Multipath devices with failed paths; devices in good health are left out.
    multipath_health: MultipathHealthMap = field(name="multipathHealth", default_factory=lambda: {})
    # Whether the running network configuration differs from the saved one and would be lost at reboot.
    net_config_dirty: bool = field(name="netConfigDirty")
    # Counters of each network interface; absent until two samples exist.
    network: HostNetworkInterfaceStatsMap | None = None
    # Free memory of each NUMA node; absent until a sample exists.
    numa_node_mem_free: NumaNodeMemoryStatsMap | None = field(name="numaNodeMemFree", default=None)
    # Number of VMs that are leaving for other hosts.
    outgoing_vm_migrations: UInt = field(name="outgoingVmMigrations")
    # Incoming packets dropped on all interfaces together since boot; absent until two samples exist.
    rx_dropped: UInt | None = field(name="rxDropped", default=None)
    # Result of the latest check of each monitored storage domain; empty when none is monitored.
    storage_domains: StorageDomainVitalsMap = field(name="storageDomains")
    # Unused swap space in bytes. [bytes]
    swap_free: int = field(name="swapFree")
    # Swap space in bytes, used or not; 0 when the host has none. [bytes]
    swap_total: int = field(name="swapTotal")
    # When the kernel uses transparent huge pages; absent until a sample exists.
    thp_state: THPStates | None = field(name="thpState", default=None)
    # Outgoing packets dropped on all interfaces together since boot; absent until two samples exist.
    tx_dropped: UInt | None = field(name="txDropped", default=None)
    # Imports from foreign hypervisors that run or have not been deleted; absent when there are none.
    v2v_jobs: V2VJobs | None = field(name="v2vJobs", default=None)
    # Number of VMs with status Up.
    vm_active: int = field(name="vmActive")
    # Number of VMs the host knows, whatever their status, those that ended but were not yet removed included.
    vm_count: int = field(name="vmCount")
    # Number of VMs that arrive or leave; the two separate counters replace it.
    vm_migrating: int = field(name="vmMigrating")


class ImageTicket(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Permission to transfer the content of one volume through the image transfer daemon of this host."""

    # Name offered to a browser that downloads the image; absent for none.
    filename: str | None = None
    # Directions of transfer the ticket permits.
    ops: list[ImageTicketOps]
    # Number of bytes from the start of the volume that may be accessed. [bytes]
    size: UInt
    # Seconds after which the ticket expires, counted from now and anew after each finished request. [s]
    timeout: UInt
    # Where the daemon finds the data: a file: or nbd:unix: URL on this host.
    url: str
    # Random identity of the ticket, which also serves the client as its password.
    uuid: UUID
    # Whether the daemon reports changed areas of an incremental backup instead of allocated ones; absent means no.
    dirty: bool | None = None
    # Seconds without any request after which connections are closed; absent means the daemon's default. [s]
    inactivity_timeout: UInt | None = None
    # Whether zeroes may be stored as unallocated space; absent means no.
    sparse: bool | None = None
    # Name of the transfer in the engine, which the daemon writes to its log; absent for none.
    transfer_id: str | None = None


class ImageTicketInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A ticket as the image transfer daemon knows it at present."""

    # Whether a transfer under this ticket is going on at this moment.
    active: bool
    # Name offered to a browser that downloads the image; absent for none.
    filename: str | None = None
    # Directions of transfer the ticket permits.
    ops: list[ImageTicketOps]
    # Number of bytes from the start of the volume that may be accessed. [bytes]
    size: UInt
    # Seconds granted when the ticket was added; each finished request lets them run anew. [s]
    timeout: int
    # Bytes transferred so far; absent for a ticket that permits both directions. [bytes]
    transferred: UInt | None = None
    # Where the daemon finds the data: a file: or nbd:unix: URL on this host.
    url: str
    # Random identity of the ticket, which also serves the client as its password.
    uuid: UUID


class KsmTuneParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Settings of the kernel's same-page merging. A setting that is left out keeps its value."""

    # 1 merges pages of different NUMA nodes, 0 only within a node. It can change only while no page is merged.
    merge_across_nodes: Annotated[int, Meta(ge=0, le=1)] | None = None
    # Number of pages examined before each pause; more finds equal pages faster and costs more CPU.
    pages_to_scan: Annotated[int, Meta(ge=0)] | None = None
    # 0 stops merging but keeps merged pages, 1 runs it, 2 stops it and separates all merged pages.
    run: Annotated[int, Meta(ge=0, le=2)] | None = None
    # Pause in milliseconds between two scans. [ms]
    sleep_millisecs_ms: Annotated[int, Meta(ge=0)] | None = field(name="sleep_millisecs", default=None)


class MultipathStatus(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Condition of the paths to one multipath device."""

    # Kernel names of the paths that fail, such as sdc.
    failed_paths: list[str]
    # Number of paths that still work; 0 means the device is unreachable. Absent when not known.
    valid_paths: Annotated[int, Meta(ge=0)] | None = None


class NumaNode(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A NUMA node of the host: CPUs and the memory near to them."""

    # Numbers of the CPUs in this node; empty for a node with memory only.
    cpus: list[UInt]
    # Huge pages reserved in this node for each page size; absent when the kernel does not tell.
    hugepages: NumaNodeHugePagesMap | None = None
    # Memory in bytes that belongs to this node. [bytes]
    total_memory: UInt = field(name="totalMemory")


class NumaNodeHugePages(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Huge pages of one size in a NUMA node."""

    # Number of pages of this size reserved in the node, used or free.
    total_pages: UInt = field(name="totalPages")


class NumaNodeHugePagesStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Use of huge pages of one size in a NUMA node."""

    # Number of pages of this size in the node that nobody uses at present.
    free_pages: UInt = field(name="freePages")


class NumaNodeMemoryStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Use of memory in one NUMA node."""

    # Free huge pages for each page size; absent when the kernel does not tell.
    hugepages: NumaNodeHugePagesStatsMap | None = None
    # Free memory of the node in bytes. [bytes]
    mem_free: UInt = field(name="memFree")
    # Share of the node's memory in percent that is in use. [percent]
    mem_percent: Annotated[int, Meta(ge=0, le=100)] = field(name="memPercent")


class OsVersion(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Operating system of the host and its version."""

    # Family of the system, which engines use to choose package names.
    name: OSName
    # Full name and version as the system shows them to people; absent when it states none.
    pretty_name: str | None = None
    # Package release part of the version; empty when the system has none.
    release: str
    # Version number of the system, such as 9 or 12.5.
    version: str


class PathStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Space on the file system that holds a directory."""

    # Free space in bytes that the agent could still use. [bytes]
    free: UInt


class PCIAddress(Struct, HostDeviceAddress, kw_only=True, frozen=True, omit_defaults=True):
    """Position of a PCI device; the numbers are decimal, unlike the usual hexadecimal notation."""

    # Bus number within the PCI domain.
    bus: Annotated[int, Meta(ge=0, le=255)]
    # Number of the PCI domain, 0 on most machines.
    domain: UInt
    # Function within the device, 0 for devices with a single function.
    function: Annotated[int, Meta(ge=0, le=7)]
    # Device number on the bus.
    slot: Annotated[int, Meta(ge=0, le=31)]


class SCSIAddress(Struct, HostDeviceAddress, kw_only=True, frozen=True, omit_defaults=True):
    """Position of a SCSI device in the four numbers the kernel shows as host:bus:target:lun."""

    # Channel of the adapter the device is attached to.
    bus: UInt
    # Number the kernel gave the SCSI adapter.
    host: UInt
    # Logical unit number of the device within its target.
    lun: UInt
    # Target number of the device on its channel.
    target: UInt


class SecretInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A secret that libvirt keeps in memory and QEMU uses to open storage."""

    # Remark shown when secrets are listed; absent for none. It must not reveal the secret.
    description: str | None = None
    # The secret itself, base64 encoded.
    password: str
    # Name that ties the secret to its purpose, as a VM's disk definition refers to it.
    usage_id: str = field(name="usageID")
    # Kind of storage the secret is for.
    usage_type: SecretUsageType = field(name="usageType")
    # Identity under which libvirt and disk definitions know the secret.
    uuid: UUID


class SELinuxStatus(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Mandatory access control (SELinux) of the host."""

    # 1 when SELinux enforces its rules, 0 when it only logs violations, -1 when it is off.
    mode: Annotated[int, Meta(ge=-1, le=1)]


class SoftwarePackageInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Installed version of one piece of software."""

    # Package release, the part after the version; empty when the packaging has none.
    release: str
    # Version number the authors of the software gave it.
    version: str


class Tlv(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One item of an LLDP announcement: type, length and value."""

    # Name of the item type, such as Port Description.
    name: str
    # Number of the organization that defined the item; absent for items of the base standard.
    oui: UInt | None = None
    # Values of the item by name, decoded to text.
    properties: StringMap
    # Number the organization gave its item; absent for items of the base standard.
    subtype: UInt | None = None
    # Number of the item type; 127 marks an item defined by an organization.
    type: Annotated[int, Meta(ge=0, le=127)]


class USBAddress(Struct, HostDeviceAddress, kw_only=True, frozen=True, omit_defaults=True):
    """Position of a USB device; the device number changes each time it is plugged in."""

    # Number of the USB bus, counted by the kernel.
    bus: UInt
    # Number of the device on its bus, given when it was plugged in.
    device: UInt


class V2VJobInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """State of an import from a foreign hypervisor or an OVA."""

    # What the import does at present, in words for an administrator.
    description: str
    # Identity of the job; absent where the surrounding map already states it.
    id: UUID | None = None
    # Share in percent of the disk being copied; it starts again with each disk. [percent]
    progress_percent: Annotated[int, Meta(ge=0, le=100)] = field(name="progress")
    # One of starting, copying_disk, done, aborted or error.
    status: str


class VdsmCapabilities(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a host has and can do. An engine decides from it which clusters the host fits in and which features it may
    use there.
    """

    # What runs guest code: kvm (the processor itself) or tcg (software emulation, much slower). Decided by starting
    # a real guest, not by the presence of /dev/kvm.
    acceleration: str | None = None
    # Why that acceleration is used: what was tried and what came of it.
    acceleration_reason: str | None = field(name="accelerationReason", default=None)
    # Names of optional features beyond the cluster level, such as libgfapi_supported; empty for none.
    additional_features: list[str] = field(name="additionalFeatures")
    # Whether the kernel balances memory between NUMA nodes by itself.
    auto_numa_balancing: AutoNumaBalancingStatus = field(name="autoNumaBalancing")
    # Whether incremental backup of running VMs works with the installed libvirt and QEMU; absent means no.
    backup_enabled: bool | None = field(name="backupEnabled", default=None)
    # Bonds of network cards as they are now, keyed by bond name.
    bondings: NetInfoBondMap
    # Random identity of this boot, which changes at every reboot; absent when unknown.
    boot_uuid: str | None = None
    # Network bridges as they are now, keyed by bridge name.
    bridges: NetInfoBridgeMap
    # Cluster compatibility versions this host can take part in, such as 4.7.
    cluster_levels: list[str] = field(name="clusterLevels")
    # How managed block volumes can be exported to this host; absent when it does not support them.
    connector_info: ConnectorInfo | None = None
    # Number of physical CPU cores, or of hardware threads when the host is configured to count those.
    cpu_cores: UInt = field(name="cpuCores")
    # CPU features and the CPU models (with the prefix model_) that VMs can use, separated by commas.
    cpu_flags: str = field(name="cpuFlags")
    # Name of the processor as its maker states it.
    cpu_model: str = field(name="cpuModel")
    # Number of processor packages in the host.
    cpu_sockets: UInt = field(name="cpuSockets")
    # Clock rate of the first CPU in MHz at the moment of asking; absent when the machine does not tell. [MHz]
    cpu_speed_mhz: float | None = field(name="cpuSpeed", default=None)
    # Number of hardware threads over all cores.
    cpu_threads: UInt = field(name="cpuThreads")
    # Place of every CPU in sockets, dies, cores and NUMA nodes; absent when the host does not report it.
    cpu_topology: list[CpuInfo] | None = field(name="cpuTopology", default=None)
    # Storage domain format versions the host can use; absent on hosts that predate the report.
    domain_versions: list[int] | None = None
    # Machine types VMs can be started with, such as pc-q35-rhel9.4.0.
    emulated_machines: list[str] = field(name="emulatedMachines")
    # Whether the host's cryptography runs in FIPS mode.
    fips_enabled: bool = field(name="fipsEnabled", default_factory=lambda: False)
    # Memory in bytes to set aside for each VM beyond the memory of its guest. [bytes]
    guest_overhead: UInt = field(name="guestOverhead")
    # Storage adapters and initiators of the host.
    hba_inventory: HbaInventory = field(name="HBAInventory")
    # Hook scripts installed on the host, by hook point.
    hooks: HookScriptInfoMap = field(default_factory=lambda: {})
    # Whether devices can be passed through to VMs, which requires an active IOMMU.
    hostdev_passthrough: bool = field(name="hostdevPassthrough")
    # Whether this host is set up to run the engine inside a VM.
    hosted_engine_deployed: bool = field(name="hostedEngineDeployed", default_factory=lambda: False)
    # Huge page sizes that the kernel offers; absent when none or unknown. [bytes]
    hugepages: list[UInt] | None = None
    # iSCSI qualified name (IQN) of this host; empty when iSCSI is not set up, absent when the agent may not read
    # it.
    iscsi_initiator_name: str | None = field(name="ISCSIInitiatorName", default=None)
    # Whether a crashed kernel would be dumped: 1 yes, 0 no, -1 unknown.
    kdump_status: Annotated[int, Meta(ge=-1, le=1)] = field(name="kdumpStatus")
    # Command line the running kernel was booted with; absent when unknown.
    kernel_args: str | None = field(name="kernelArgs", default=None)
    # Whether the processor runs guest code itself: a guest has run under KVM here.
    kvm_enabled: bool = field(name="kvmEnabled")
    # Network interface over which the asking client reached the host; absent when it cannot be told.
    last_client_iface: str | None = field(name="lastClientIface", default=None)
    # Whether snapshots of a running VM can be merged; current hosts always can.
    live_merge: bool = field(name="liveMerge", default_factory=lambda: False)
    # Whether snapshots of a running VM can be taken; current hosts always can.
    live_snapshot: bool = field(name="liveSnapshot", default_factory=lambda: False)
    # Memory of the host in bytes, as far as the kernel can use it. [bytes]
    mem_size: UInt = field(name="memSize")
    # IP addresses of the DNS servers the host asks, in order of preference.
    nameservers: list[str]
    # Whether VMs on this host can run VMs themselves; absent when unknown.
    nested_virtualization: bool | None = field(name="nestedVirtualization", default=None)
    # Whether the running network configuration differs from the saved one and would be lost at reboot.
    net_config_dirty: bool = field(name="netConfigDirty")
    # Networks set up by the engine as they are now, keyed by network name.
    networks: NetInfoNetworkMap
    # Physical network cards as they are now, keyed by card name.
    nics: NetInfoNicMap
    # Cost of memory access between the NUMA nodes; empty when the platform has no NUMA.
    numa_node_distance: NumaNodeDistanceMap = field(name="numaNodeDistance")
    # CPUs and memory of each NUMA node.
    numa_nodes: NumaNodeMap = field(name="numaNodes")
    # Numbers of the CPUs that are online, separated by commas.
    online_cpus: str = field(name="onlineCpus")
    # Operating system of the host and its version.
    operating_system: OsVersion = field(name="operatingSystem")
    # Whether the host is set up as an OVN chassis for networks of an external provider.
    ovn_configured: bool = field(name="ovnConfigured", default_factory=lambda: False)
    # Versions of the software that matters for virtualization, keyed by its name.
    packages2: SoftwarePackageInfoMap
    # Whether the running kernel is a real-time build; absent when unknown.
    realtime_kernel: bool | None = field(name="realtimeKernel", default=None)
    # Memory in bytes kept for the host itself and not available to VMs. [bytes]
    reserved_mem: UInt = field(name="reservedMem")
    # Random number sources of the host that VMs may draw from.
    rng_sources: list[VmRngDeviceSource] = field(name="rngSources")
    # Whether SELinux is on and enforcing.
    selinux: SELinuxStatus
    # Package release of the agent; absent when it does not run from a package.
    software_revision: str | None = None
    # Version of the agent, such as 0.1.0; capabilities, not this, tell what it can.
    software_version: str
    # Block sizes usable for each storage type; absent means 512 bytes only.
    supported_block_size: SupportedBlockSizeMap | None = None
    # Engine versions this host declares to work with, such as 4.5.
    supported_engines: list[str] = field(name="supportedENGINEs")
    # Whether IPv6 is enabled on the host.
    supports_i_pv6: bool = field(name="supportsIPv6")
    # Frequency of the CPU's time stamp counter in Hz, as text; empty when unknown.
    tsc_frequency: str = field(name="tscFrequency", default_factory=lambda: '')
    # Whether the CPU can scale the time stamp counter for guests that moved here from CPUs with another frequency.
    tsc_scaling: bool = field(name="tscScaling", default_factory=lambda: False)
    # Lasting identity of the host, from its configuration or else from the firmware; a UUID with any suffix the
    # installer added.
    uuid: str
    # Numbers of the CPUs the agent's process is pinned to; absent or empty means not pinned.
    vdsm_to_cpus_affinity: list[int] | None = field(name="vdsmToCpusAffinity", default=None)
    # Name of the agent's release, shown to people only.
    version_name: str
    # VLAN interfaces as they are now, keyed by interface name.
    vlans: NetInfoVlanMap
    # Kinds of VMs the host can run, in practice kvm alone.
    vm_types: list[VmType] = field(name="vmTypes")
    # Whether VNC consoles on this host are encrypted with TLS; absent when the agent may not read QEMU's settings.
    vnc_encrypted: bool | None = field(name="vncEncrypted", default=None)
    # Whether a migration can send memory without copying it first, which saves CPU on fast networks.
    zerocopy_migrations: bool = field(default_factory=lambda: False)


class BandwidthCurve(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A rate over time as traffic shapers (HFSC) describe it: rate m1 for the first d microseconds of a backlog, m2
    afterwards.
    """

    # How long the first rate applies; absent or 0: the second rate applies from the start. [us]
    d_us: UInt | None = field(name="d", default=None)
    # Rate during the first part of the curve; absent: as m2. [bit/s]
    m1_bits_per_second: int | None = field(name="m1", default=None)
    # Lasting rate after the first part of the curve. [bit/s]
    m2_bits_per_second: int = field(name="m2")


class HostNetworkInterfaceStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Counters of one network device of the host, as the kernel keeps them since the device was made. Rates are the
    difference of two answers by sampleTime.
    """

    # Device name in the kernel, such as eth0 or bond0.100.
    name: str
    # Amount of data received so far. [bytes]
    rx: UInt
    # Packets received intact but thrown away, for example for want of buffers.
    rx_dropped: UInt = field(name="rxDropped")
    # Packets received damaged or lost by the device.
    rx_errors: UInt = field(name="rxErrors")
    # When the counters were read, seconds since 1970 UTC with fraction. [s]
    sample_time: float = field(name="sampleTime")
    # Link speed in megabits (10^6 bits) per second; sum of active ports for bonds, 0 when unknown or down. [Mbit/s]
    speed_mbits_per_second: UInt = field(name="speed")
    # Whether the link carries traffic.
    state: NetworkInterfaceState
    # Amount of data sent so far. [bytes]
    tx: UInt
    # Packets to be sent that were thrown away before reaching the wire.
    tx_dropped: UInt = field(name="txDropped")
    # Packets the device failed to send.
    tx_errors: UInt = field(name="txErrors")


class HostNetworkStatistics(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Traffic counters of all network devices of the host and totals."""

    # Counters by device; virtual devices of VMs are not included.
    network: HostNetworkInterfaceStatsMap
    # Received packets thrown away, summed over all devices.
    rx_dropped: UInt = field(name="rxDropped")
    # Packets thrown away before sending, summed over all devices.
    tx_dropped: UInt = field(name="txDropped")


class Lldp(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What the switch at the other end of a cable tells about itself by LLDP."""

    # Whether the host listens for LLDP on this device; false also when the service is missing.
    enabled: bool
    # Announced facts in the order received; empty when nothing was heard yet.
    tlvs: list[Tlv]


class NetInfoBond(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A bond (several network devices used as one) as it is on the host now."""

    # Port that carries the traffic in active-backup mode; empty in other modes or when all are down.
    active_slave: str
    # First IPv4 address; empty when there is none.
    addr: str
    # Whether the IPv4 address comes from a DHCP server.
    dhcpv4: bool | None = None
    # Whether an IPv6 address comes from a DHCPv6 server.
    dhcpv6: bool | None = None
    # IPv4 gateway reached by this device; empty or absent when there is none.
    gateway: str | None = None
    # MAC address in use, six bytes in hexadecimal with colons.
    hwaddr: str
    # All IPv4 addresses, each with prefix length such as 192.0.2.5/24.
    ipv4addrs: list[str]
    # Whether the host's IPv4 default route goes through this device; absent when not determined.
    ipv4defaultroute: bool | None = None
    # All IPv6 addresses except link-local ones, each with prefix length.
    ipv6addrs: list[str]
    # Whether IPv6 addresses are taken from router advertisements (SLAAC); absent when not determined.
    ipv6autoconf: bool | None = None
    # IPv6 gateway reached by this device; empty or :: when there is none.
    ipv6gateway: str
    # Largest IP packet sent in one piece. [bytes]
    mtu: UInt
    # IPv4 netmask of the first address in dotted form; empty when there is none.
    netmask: str
    # Bonding driver options that differ from the driver's defaults, such as mode and miimon; key is the option's
    # name.
    opts: StringMap
    # Traffic limits set on this device, one entry for each VLAN; absent when none are set.
    qos: list[DeviceQoSParams] | None = None
    # Names of the network devices that make up the bond.
    slaves: list[str]
    # Kind of virtual switch that owns it: legacy (Linux bridge) or ovs (Open vSwitch); absent means legacy.
    switch: str | None = None


class NetInfoBridgedNetwork(Struct, NetInfoNetwork, kw_only=True, frozen=True, omit_defaults=True):
    """A bridge, or a network that VMs can join through a bridge, as it is on the host now."""

    # First IPv4 address of the host on this network; empty when there is none.
    addr: str
    # True for a network with a bridge; absent when plain bridges are described.
    bridged: bool | None = None
    # Whether the IPv4 address comes from a DHCP server.
    dhcpv4: bool | None = None
    # Whether an IPv6 address comes from a DHCPv6 server.
    dhcpv6: bool | None = None
    # IPv4 gateway of the host on this network; empty or absent when there is none.
    gateway: str | None = None
    # Limits on the host's own traffic in this network; absent when none are set.
    host_qos: HostQoSParams | None = field(name="hostQos", default=None)
    # Device that carries the host's address, here the bridge; absent when plain bridges are described.
    iface: str | None = None
    # All IPv4 addresses, each with prefix length such as 192.0.2.5/24.
    ipv4addrs: list[str]
    # Whether the host's IPv4 default route goes through this network; absent when not determined.
    ipv4defaultroute: bool | None = None
    # All IPv6 addresses except link-local ones, each with prefix length.
    ipv6addrs: list[str]
    # Whether IPv6 addresses are taken from router advertisements (SLAAC); absent when not determined.
    ipv6autoconf: bool | None = None
    # IPv6 gateway of the host on this network; empty or :: when there is none.
    ipv6gateway: str
    # Largest IP packet sent in one piece. [bytes]
    mtu: UInt
    # IPv4 netmask of the first address in dotted form; empty when there is none.
    netmask: str
    # Settings of the bridge as the kernel names them, such as forward_delay; key is the setting's name. Absent when
    # not read.
    opts: StringMap | None = None
    # Devices joined to the bridge: the uplink and interfaces of running VMs.
    ports: list[str]
    # Whether the bridge takes part in the spanning tree protocol: on or off.
    stp: str
    # Kind of virtual switch: legacy (Linux bridge) or ovs (Open vSwitch); absent means legacy.
    switch: str | None = None


class NetInfoBridgelessNetwork(Struct, NetInfoNetwork, kw_only=True, frozen=True, omit_defaults=True):
    """A network used by the host itself only; VMs cannot join it since it has no bridge."""

    # Always false, which tells this form from the bridged one.
    bridged: bool
    # Device that carries the network: a nic, a bond or a VLAN device on one of them.
    interface: str
    # The same device as interface, under the name newer clients read.
    iface: str | None = None
    # First IPv4 address of the host on this network; empty when there is none.
    addr: str | None = None
    # IPv4 netmask of the first address in dotted form; empty when there is none.
    netmask: str | None = None
    # IPv4 gateway of the host on this network; empty or absent when there is none.
    gateway: str | None = None
    # All IPv4 addresses, each with prefix length such as 192.0.2.5/24.
    ipv4addrs: list[str] | None = None
    # All IPv6 addresses except link-local ones, each with prefix length.
    ipv6addrs: list[str] | None = None
    # IPv6 gateway of the host on this network; empty or :: when there is none.
    ipv6gateway: str | None = None
    # Whether the host's IPv4 default route goes through this network; absent when not determined.
    ipv4defaultroute: bool | None = None
    # Whether the IPv4 address comes from a DHCP server.
    dhcpv4: bool | None = None
    # Whether an IPv6 address comes from a DHCPv6 server.
    dhcpv6: bool | None = None
    # Largest IP packet sent in one piece. [bytes]
    mtu: UInt | None = None
    # Kind of virtual switch: legacy (Linux) or ovs (Open vSwitch); absent means legacy.
    switch: str | None = None


class NetInfoNic(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A physical network device (or a virtual function used like one) as it is on the host now."""

    # First IPv4 address; empty when there is none.
    addr: str
    # Whether the IPv4 address comes from a DHCP server.
    dhcpv4: bool | None = None
    # Whether an IPv6 address comes from a DHCPv6 server.
    dhcpv6: bool | None = None
    # IPv4 gateway reached by this device; empty or absent when there is none.
    gateway: str | None = None
    # MAC address in use; a port of a bond shows the address of the bond.
    hwaddr: str
    # All IPv4 addresses, each with prefix length such as 192.0.2.5/24.
    ipv4addrs: list[str]
    # Whether the host's IPv4 default route goes through this device; absent when not determined.
    ipv4defaultroute: bool | None = None
    # All IPv6 addresses except link-local ones, each with prefix length.
    ipv6addrs: list[str]
    # Whether IPv6 addresses are taken from router advertisements (SLAAC); absent when not determined.
    ipv6autoconf: bool | None = None
    # IPv6 gateway reached by this device; empty or :: when there is none.
    ipv6gateway: str
    # Largest IP packet sent in one piece. [bytes]
    mtu: UInt
    # IPv4 netmask of the first address in dotted form; empty when there is none.
    netmask: str
    # MAC address burned into the device; given only while it is a port of a bond.
    permhwaddr: str | None = None
    # Traffic limits set on this device, one entry for each VLAN; absent when none are set.
    qos: list[DeviceQoSParams] | None = None
    # Link speed in megabits (10^6 bits) per second; 0 when unknown or the link is down. [Mbit/s]
    speed_mbits_per_second: int = field(name="speed")


class NetInfoVlan(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A VLAN device (tagged traffic of another device) as it is on the host now."""

    # First IPv4 address; empty when there is none.
    addr: str
    # Whether the IPv4 address comes from a DHCP server.
    dhcpv4: bool | None = None
    # Whether an IPv6 address comes from a DHCPv6 server.
    dhcpv6: bool | None = None
    # Device whose tagged traffic this one carries: a nic or a bond.
    iface: str
    # All IPv4 addresses, each with prefix length such as 192.0.2.5/24.
    ipv4addrs: list[str]
    # Whether the host's IPv4 default route goes through this device; absent when not determined.
    ipv4defaultroute: bool | None = None
    # All IPv6 addresses except link-local ones, each with prefix length.
    ipv6addrs: list[str]
    # IPv6 gateway reached by this device; empty or :: when there is none.
    ipv6gateway: str
    # Largest IP packet sent in one piece. [bytes]
    mtu: UInt
    # IPv4 netmask of the first address in dotted form; empty when there is none.
    netmask: str
    # The 802.1Q tag of its packets.
    vlanid: Annotated[int, Meta(ge=0, le=4094)]


class SetupNetworkBondAttributes(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How one bond shall be: complete wish, not a change; what is left out takes its default. With remove set, all
    else is ignored.
    """

    # MAC address the bond shall have; absent: that of a port, kept over changes of an existing bond.
    hwaddr: str | None = None
    # Names of the devices to be joined; needed unless the bond is to be removed. Ports not named any more are
    # released.
    nics: list[str] | None = None
    # Bonding driver options as words key=value with spaces between, such as mode=4 miimon=100; absent: the driver's
    # defaults.
    options: str | None = None
    # True: the bond is taken apart and its ports are free again. Absent: false.
    remove: bool | None = None
    # Kind of virtual switch: legacy (Linux) or ovs (Open vSwitch); absent: legacy. Must be the same for all in a
    # call.
    switch: str | None = None


class SetupNetworkNetAttributes(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How one network shall be: complete wish, not a change; what is left out takes its default. With remove set, all
    else is ignored.
    """

    # Bond that carries the network; excludes nic. With neither, the network is internal to the host.
    bonding: str | None = None
    # Source of the IPv4 address: dhcp, or none for the static address given here (if any). Absent: none.
    bootproto: str | None = None
    # Custom properties for hook scripts and special settings such as bridge_opts and ethtool_opts; key is the
    # property's name.
    custom: StringMap | None = None
    # True: the host's default route goes through this network; at most one in a call. Absent: false.
    default_route: bool | None = field(name="defaultRoute", default=None)
    # True: an IPv6 address is asked of a DHCPv6 server. Absent: false.
    dhcpv6: bool | None = None
    # IPv4 gateway within the subnet of ipaddr; absent: none.
    gateway: str | None = None
    # Limits on the host's own traffic in this network. Absent: none, and earlier ones are removed.
    host_qos: HostQoSParams | None = field(name="hostQos", default=None)
    # Static IPv4 address of the host without prefix; needs netmask or prefix. Absent: none, or by DHCP.
    ipaddr: str | None = None
    # Static IPv6 address of the host with prefix length, such as 2001:db8::5/64. Absent: none.
    ipv6addr: str | None = None
    # True: IPv6 addresses are taken from router advertisements (SLAAC). Absent: false.
    ipv6autoconf: bool | None = None
    # IPv6 gateway for the static address; absent: none.
    ipv6gateway: str | None = None
    # Addresses of DNS servers for the host, most preferred first; used on the default route's network. Absent:
    # present ones stay.
    nameservers: list[str] | None = None
    # IPv4 netmask of ipaddr in dotted form, such as 255.255.255.0; excludes prefix.
    netmask: str | None = None
    # Network device that carries the network; excludes bonding. Absent: none.
    nic: str | None = None
    # True: the network is taken off the host. Absent: false.
    remove: bool | None = None
    # Kind of virtual switch: legacy (Linux bridge) or ovs (Open vSwitch); absent: legacy. Must be the same for all
    # in a call.
    switch: str | None = None
    # The 802.1Q tag of the network's packets, a number from 0 to 4094 as text. Absent or empty: untagged.
    vlan: str | None = None
    # True: made with a bridge so that VMs can join. False: for the host's own traffic only.
    bridged: bool = field(default_factory=lambda: True)
    # Largest IP packet sent in one piece; the devices below get at least as much. [bytes]
    mtu: UInt = field(default_factory=lambda: 1500)
    # Prefix length of ipaddr, in place of netmask. Absent: netmask is used.
    prefix: Annotated[int, Meta(ge=0, le=32)] | None = None
    # Whether the bridge runs the spanning tree protocol: yes, on or true, else no, off or false. Absent: no.
    stp: str | None = field(name="STP", default=None)


class SetupNetworkOptions(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How a change of networks is made safe."""

    # True: the change is undone unless a client reaches the host afterwards.
    connectivity_check: bool = field(name="connectivityCheck", default_factory=lambda: True)
    # How long to wait for a client to reach the host before undoing the change. [s]
    connectivity_timeout: Annotated[int, Meta(ge=0)] = field(name="connectivityTimeout", default_factory=lambda: 4)
    # True: a change that worked is also stored for the next boot, as by Host.setSafeNetworkConfig.
    commit_on_success: bool = field(name="commitOnSuccess", default_factory=lambda: False)


class VdsmNetworkCapabilities(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The whole network state of the host as found in the kernel at the time of the call."""

    # All bonds, also those made by others than the agent.
    bondings: NetInfoBondMap
    # All bridges of the host, also those made by others than the agent.
    bridges: NetInfoBridgeMap
    # Addresses of the DNS servers the host asks, most preferred first; empty when none are set.
    nameservers: list[str]
    # True while the present configuration is not stored for the next boot (see Host.setSafeNetworkConfig).
    net_config_dirty: bool = field(name="netConfigDirty")
    # Networks set up by way of this node's API.
    networks: NetInfoNetworkMap
    # All physical network devices; those hidden by configuration are left out.
    nics: NetInfoNicMap
    # Whether the host's kernel has IPv6 switched on.
    supports_i_pv6: bool = field(name="supportsIPv6")
    # All VLAN devices, also those made by others than the agent.
    vlans: NetInfoVlanMap


class ImageSharingMethodArgsHttp(Struct, ImageSharingMethodArgs, kw_only=True, frozen=True, omit_defaults=True):
    """An HTTP address for the transfer of image data."""

    # HTTP headers to send along, such as an access token; absent means none.
    headers: StringMap | None = None
    # Address to read from with GET, or to write to with PUT.
    url: str


class PreparedImageInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Where a prepared disk can be opened."""

    # Absolute path on this host of the prepared volume: a file, or a device on block storage.
    path: str


class IscsiHba(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """An iSCSI initiator of the host."""

    # Name by which targets know this host (iqn....), from the host's iSCSI settings.
    initiator_name: str = field(name="InitiatorName")


class IscsiSessionInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """An iSCSI session of the host that leads to a LUN."""

    # IP address or name of the portal that the session is connected to.
    connection: str
    # Name of the iSCSI interface record the session uses, normally default.
    initiatorname: str | None = None
    # Name of the target.
    iqn: str
    # CHAP secret of the session, masked or absent in answers.
    password: str | None = None
    # TCP port of the portal, as text.
    port: str
    # Target portal group tag of the session, as text.
    portal: str | None = None
    # CHAP user of the session; absent without CHAP.
    username: str | None = None


class ExternalLeaseStatus(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Who holds a lease, as read from storage."""

    # Content of the lease's data block; absent when nothing was ever stored there.
    metadata: LeaseMetadata | None = None
    # Number of hosts that hold the lease: 0 when free, 1 when held (more only for shared use).
    owners: UInt
    # Sanlock's counter for the lease, raised each time it is acquired.
    version: UInt


class JobMetadata(Struct, LeaseMetadata, kw_only=True, frozen=True, omit_defaults=True):
    """The record a lease keeps about the job it protects, so that every host can learn how the job ended."""

    # When the record was first written, seconds since 1970 UTC. Absent in requests: the host fills it in. [s]
    created: UInt | None = None
    # Counter that changes with every status; a job or fence with an older value is refused.
    generation: UInt
    # Hardware id of the host that wrote the record last; absent in requests and not always a UUID.
    host_hardware_id: str | None = None
    # The job this lease protects.
    job_id: UUID
    # How the job stands, as far as it was recorded.
    job_status: JobStatus
    # When the record was last changed, seconds since 1970 UTC. Absent in requests: the host fills it in. [s]
    modified: UInt | None = None
    # Kind of record; decides the meaning of the other fields.
    type: LeaseMetadataType


class Lease(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Names one lease on a storage domain."""

    # Identifier of the lease, unique in its domain; for a VM's lease the id of the VM.
    lease_id: UUID
    # Storage domain on which the lease is kept.
    sd_id: UUID


class LeaseInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Where a lease lies on storage."""

    # Identifier of the lease, unique in its domain.
    lease_id: UUID
    # Where in the file or logical volume the lease begins, a multiple of the domain's alignment. [bytes]
    offset: UInt
    # File or logical volume (xleases) that holds all leases of the domain.
    path: str
    # Storage domain on which the lease is kept.
    sd_id: UUID


class PhysicalVolumeInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One LUN of a volume group, as LVM and multipath see it on this host."""

    # Size of the physical volume as LVM uses it. [bytes]
    capacity: UInt
    # Size of the LUN itself; greater than capacity after the LUN has grown. [bytes]
    devcapacity: UInt | None = None
    # Transport by which the host reaches the LUN.
    devtype: BlockDeviceType | None = None
    # Firmware revision the storage reports; may be empty.
    fwrev: str | None = None
    # Multipath identifier (WWID) of the LUN.
    guid: str = field(name="GUID")
    # iSCSI sessions that lead to the LUN; empty for Fibre Channel.
    pathlist: list[IscsiSessionInfo] | None = None
    # SCSI disks that multipath joins to the LUN, with their states.
    pathstatus: list[BlockDevicePathInfo] | None = None
    # Product name the storage reports.
    product_id: str | None = field(name="productID", default=None)
    # LVM's id of the physical volume, in LVM's own grouping of characters.
    pv_uuid: str = field(name="pvUUID")
    # Serial number of the LUN; may be empty.
    serial: str | None = None
    # Vendor name the storage reports.
    vendor_id: str | None = field(name="vendorID", default=None)
    # LVM's id of the group to which the physical volume belongs.
    vg_uuid: str = field(name="vgUUID")


class VolumeGroupAttributes(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Attribute letters of a volume group, one field per position of LVM's attribute text."""

    # Rule for placing new extents.
    allocation: VolumeGroupAttributeAllocation
    # Whether LVM's own cluster locking is on.
    clustered: VolumeGroupAttributeClustered
    # Whether the group is blocked by an export.
    exported: VolumeGroupAttributeExported
    # Whether LUNs of the group are missing on this host.
    partial: VolumeGroupAttributePartial
    # Whether the group may be changed.
    permission: VolumeGroupAttributePermission
    # Whether LUNs can be added or removed.
    resizeable: VolumeGroupAttributeResizeable


class VolumeGroupInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A volume group and, where asked for, its LUNs."""

    # Attribute letters as LVM reports them.
    attr: VolumeGroupAttributes | None = None
    # Name of the group; the id of its storage domain where there is one.
    name: str
    # LUNs of the group; absent in lists of many groups.
    pvlist: list[PhysicalVolumeInfo] | None = None
    # Whether all LUNs of the group are there.
    state: VolumeGroupState
    # Kind of storage domain that the LUNs allow: iSCSI or Fibre Channel; 0 when mixed or not known.
    type: StorageDomainTypeId | None = None
    # Space not given to any logical volume. [bytes]
    vgfree: UInt
    # Space of all LUNs together. [bytes]
    vgsize: UInt
    # LVM's id of the group, in LVM's own grouping of characters.
    vg_uuid: str = field(name="vgUUID")


class ManagedVolumeAttachement(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What the driver on the host reported when it attached the volume."""

    # Path of a configuration file made for this connection (Ceph RBD); absent for other kinds.
    conf: str | None = None
    # Name of the volume's multipath device; present for iSCSI and Fibre Channel.
    multipath_id: str | None = None
    # Device file as found by the driver; it may change at the next attach.
    path: str
    # World-wide name of the SCSI disk; absent when the volume is not a SCSI device.
    scsi_wwn: str | None = None
    # Kind of device; block for all present drivers.
    type: str


class ManagedVolumeConnection(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How a host reaches a managed volume, as produced by the storage system's driver. The host passes it on without
    interpreting most of it.
    """

    # Name of the vendor's helper program to use on the host; absent: the host's own driver for the transport.
    adapter: str | None = None
    # Driver's own values, such as portal, target and LUN or pool and volume name; may contain credentials and
    # nested lists.
    data: Any
    # Transport: iscsi, fibre_channel, rbd, local or another one the helper knows.
    driver_volume_type: str


class ManagedVolumeInformation(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A managed volume as remembered by this host."""

    # What the driver reported; absent while the volume is being attached or after a crash in between.
    attachment: ManagedVolumeAttachement | None = None
    # The connection given when attaching, without passwords and keys; absent in the answer of attach_volume.
    connection_info: ManagedVolumeConnection | None = None
    # Whether the device is present on the host right now; absent in the answer of attach_volume.
    exists: bool | None = None
    # Stable link to the device that VMs should use, equal on all hosts; absent when attached without a domain.
    managed_path: str | None = None
    # Device file on this host; use managed_path where it is given. Absent until attached.
    path: str | None = None
    # Identifier of the volume at the storage system.
    vol_id: str


class NBDServerConfig(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Which volume an NBD server offers and in what way."""

    # True: clients see the whole disk through its backing volumes. False: only what this volume itself holds.
    backing_chain: bool = field(default_factory=lambda: True)
    # Dirty bitmap to offer along with the data, for incremental backup; needs a qcow2 volume, readonly and the
    # backing chain. Absent: none.
    bitmap: UUID | None = None
    # True: written blocks of zeros become holes instead of being stored (with discard also freed).
    detect_zeroes: bool = field(default_factory=lambda: False)
    # True: clients may free blocks on the storage. Ignored for a read-only server.
    discard: bool = field(default_factory=lambda: False)
    # Image (disk) the volume belongs to.
    img_id: UUID
    # True: clients can only read. Required for volumes shared as templates.
    readonly: bool = field(default_factory=lambda: False)
    # Storage domain on which the volume lies.
    sd_id: UUID
    # The volume to be served, prepared on this host.
    vol_id: UUID


class OvaDisk(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A disk to be written: the volume whose content a guest would see, prepared on this host and written by nobody."""

    # Name for people; absent: the image id.
    alias: str | None = None
    # Storage domain on which the volume lies.
    domain_id: UUID = field(name="domainID")
    # Format of the volume; it is never guessed from the content.
    format: VolumeFormat
    # Image (disk) the volume belongs to.
    image_id: UUID = field(name="imageID")
    # Bus over which the guest reaches the disk.
    interface: VmDiskDeviceInterface = field(default_factory=lambda: VmDiskDeviceInterface('virtio'))
    # Storage pool the domain belongs to.
    pool_id: UUID = field(name="poolID")
    # The volume; its parents are read with it.
    volume_id: UUID = field(name="volumeID")


class OvaNic(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A network card in the description of an archive."""

    # MAC address; absent leaves it to the importer.
    mac_addr: str | None = field(name="macAddr", default=None)
    # virtio, e1000, e1000e or rtl8139.
    model: str = field(default_factory=lambda: 'virtio')
    # Network that it is plugged into; absent: none.
    network: str | None = None


class OvaVm(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A VM as an archive describes it."""

    # Number of virtual CPUs.
    cpus: Annotated[int, Meta(ge=1, le=4096)]
    # Words for people.
    description: str | None = None
    # At most 64; the guest boots from the first one.
    disks: list[OvaDisk]
    # Memory, a multiple of 1 MiB. [bytes]
    memory: Annotated[int, Meta(ge=1048576)]
    # Name of the VM, up to 255 characters.
    name: str
    # Network cards, at most 64.
    nics: list[OvaNic] = field(default_factory=lambda: [])
    # Its id; absent: a new one.
    vm_id: UUID | None = field(name="vmID", default=None)


class PolicyDecision(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One value that is other than what is."""

    # What is set, such as balloon_target (KiB) or ksm_run.
    control: str
    # Target name of the disk whose limits they are.
    disk: str | None = None
    # The word host, or the id of a VM.
    target: str
    # The new value: a number, a word, or an object of disk limits.
    value: Any


class PolicyInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The policy in force."""

    # What went wrong at the last run; empty when nothing did.
    failure: str
    # True: they are the rules that Ovis comes with.
    is_default: bool = field(name="isDefault")
    # Object of the variables that were given, by name.
    parameters: Any
    # Complete text of the rules.
    rules: str


class PolicyOutcome(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What rules would do."""

    # All of them, the host's first.
    decisions: list[PolicyDecision]
    # What the rules print, and guests that they leave out, with the reason.
    said: list[str]


class CopyDataDIVEndpoint(Struct, CopyDataEndpoint, kw_only=True, frozen=True, omit_defaults=True):
    """A volume on a storage domain that a job works on, with a guard against stale requests."""

    # Expected generation of the volume; when it differs the job fails before changing anything. Absent checks
    # nothing.
    generation: Annotated[int, Meta(ge=0, le=999)] | None = None
    # Disk to which the volume belongs.
    img_id: UUID
    # Storage domain that holds the disk.
    sd_id: UUID
    # Volume the job reads or changes.
    vol_id: UUID
    # Tells this kind of end from others in a copy: div.
    endpoint_type: CopyDataEndpointType = field(default_factory=lambda: CopyDataEndpointType('div'))


class BlockDevicePathInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One path of a multipath device: one SCSI disk of the host that leads to the LUN."""

    # Size of the LUN as seen through this path; paths that disagree need a rescan. [bytes]
    capacity: UInt | None = None
    # Number of the LUN at its target.
    lun: UInt
    # Kernel name of the SCSI disk, for instance sdb.
    physdev: str
    # Whether multipath uses the path.
    state: BlockDevicePathState
    # Transport that the path runs over.
    type: BlockDeviceType


class CopyDataExternalEndpoint(Struct, CopyDataEndpoint, kw_only=True, frozen=True, omit_defaults=True):
    """An end of a copy outside of storage domains, for instance a managed block volume served over NBD."""

    # True lets qemu-img create the target; false writes into a target that exists.
    create: bool = field(default_factory=lambda: True)
    # Data format at this end: raw or cow.
    format: str
    # Expected counter value in the lease's data; the copy is refused when another job has raised it.
    generation: UInt
    # True promises that the target reads as zeros, so that holes need not be written.
    is_zero: bool = field(default_factory=lambda: False)
    # External lease held while the copy runs, so that no second job touches the volume.
    lease: Lease
    # Whether the target is sparse, so that runs of zeros may stay unallocated; the declared spelling is kept.
    sprase: bool = field(default_factory=lambda: False)
    # Where the data is, in qemu-img's words, for instance an nbd: URL or a device path.
    url: str
    # Tells this kind of end from a volume: external.
    endpoint_type: CopyDataEndpointType = field(default_factory=lambda: CopyDataEndpointType('external'))


class ErrorInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Why something failed: number and explanation, as in the error of a direct call."""

    # Number from the error table.
    code: int
    # Explanation for people, in English.
    message: str


class SubchainInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Two neighbouring volumes of a disk that become one: the data of top goes down into base."""

    # Expected generation of the base volume, a guard against running a stale request; absent checks nothing.
    base_generation: UInt | None = None
    # Lower volume, which receives the data and stays.
    base_id: UUID
    # Disk to which both volumes belong.
    img_id: UUID
    # Storage domain that holds the disk.
    sd_id: UUID
    # Upper volume, whose data is merged down; afterwards it is no longer needed.
    top_id: UUID


class LeaseDump(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One sanlock record as found on the storage: a lease, or a host's slot in the lockspace."""

    # Generation of the owner, raised each time its host joins the lockspace anew.
    gen: UInt
    # Lockspace that the record belongs to; its name is the domain's id.
    lockspace: str
    # Version of the lease, raised each time it is acquired. Absent for lockspace slots.
    lver: UInt | None = None
    # Place of the record from the start of its file or volume, in bytes. [bytes]
    offset: UInt
    # Host number of the owner, or of the host whose slot this is; 0 for none.
    own: Annotated[int, Meta(ge=0, le=2000)]
    # Name of the lease, usually a volume's or VM's id, or SDM for the SPM lease; for a lockspace slot the name of
    # the host.
    resource: str
    # Owner's monotonic clock in seconds when it last renewed; 0 when the lease is free. [s]
    timestamp: UInt


class StorageDomainCreateArgumentsBlock(Struct, StorageDomainCreateArguments, kw_only=True, frozen=True, omit_defaults=True):
    """Place of a new block domain."""

    # LVM's id of the volume group that was made for the domain (letters and digits in dashed groups).
    vg_uuid: str = field(name="vgUUID")


class StorageDomainCreateArgumentsLocal(Struct, StorageDomainCreateArguments, kw_only=True, frozen=True, omit_defaults=True):
    """Place of a new domain on a directory of this host."""

    # Absolute path of the directory, as in the storage connection.
    remote_path: str = field(name="remotePath")


class StorageDomainCreateArgumentsNfs(Struct, StorageDomainCreateArguments, kw_only=True, frozen=True, omit_defaults=True):
    """Place of a new domain on an export or mounted file system."""

    # What was mounted, such as server:/export, exactly as in the storage connection.
    remote_path: str = field(name="remotePath")


class StorageDomainDeviceMoveParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Which LUN of a block domain shall be emptied, and where its data goes."""

    # Multipath GUIDs of LUNs of the same domain that take the data. When absent or empty, any LUN of the domain
    # with free space is used.
    dst_guids: list[str] | None = None
    # Multipath GUID of the LUN that is emptied.
    guid: str
    # Block domain to which the LUNs belong.
    sd_id: UUID


class StorageDomainDump(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Everything that a domain's metadata says, read in one go."""

    # Leases of the SPM and of the volumes; only in a full dump of a domain that uses sanlock.
    leases: list[LeaseDump] | None = None
    # Slots of the hosts in the lockspace; only in a full dump of a domain that uses sanlock.
    lockspace: list[LeaseDump] | None = None
    # Facts about the domain itself.
    metadata: StorageDomainInfo
    # All volumes of the domain, broken ones too.
    volumes: VolumesDumpMap
    # Leases that the engine made for VMs; absent on formats without them (before 4).
    xleases: XleasesDumpMap | None = None


class StorageDomainFileStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One file on a domain."""

    # Time of the file's last change, in seconds since 1970; the fraction of a second is there on the wire. Absent
    # when the file could not be examined. [s]
    ctime: float | None = None
    # Length of the file in bytes; absent when it could not be examined. [bytes]
    size: UInt | None = None
    # 0 for a usable file, otherwise the error number that examining it met.
    status: int | None = None


class StorageDomainInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a domain's metadata says about it."""

    # Distance between leases on the domain, in bytes: 1, 2, 4 or 8 MiB. Absent on formats before 5. [bytes]
    alignment: int | None = None
    # Size of the smallest write, 512 or 4096 bytes. Absent on formats before 5. [bytes]
    block_size: int | None = None
    # What the domain is for.
    class_: StorageDomainImageClass = field(name="class")
    # Lease version of the pool's SPM; -1 unless this is the master of the pool that this host is connected to.
    lver: Annotated[int, Meta(ge=-1)]
    # Version of the master; 0 unless this is the master of the pool that this host is connected to.
    master_ver: int
    # Multipath GUID of the LUN that holds the domain's metadata volume; block domains only.
    metadata_device: str | None = field(name="metadataDevice", default=None)
    # Human-readable domain name; empty when none was given.
    name: str
    # Pools that the domain belongs to: none or one, several only for an ISO domain.
    pool: list[UUID]
    # Whether the domain is its pool's master.
    role: StorageDomainRole
    # Host number of the pool's SPM; -1 unless this is the master of the pool that this host is connected to.
    spm_id: Annotated[int, Meta(ge=-1, le=2000)]
    # Kind of storage that holds the domain.
    type: StorageDomainType
    # Id of the described domain.
    uuid: UUID
    # Metadata format of the domain, 0 to 5.
    version: int
    # Multipath GUID of the LUN that holds the LVM metadata area in use; block domains only.
    vg_metadata_device: str | None = field(name="vgMetadataDevice", default=None)
    # Where a file domain lies, such as server:/export; absent for block domains.
    remote_path: str | None = field(name="remotePath", default=None)
    # Health of the volume group: OK, PARTIAL when LUNs are missing, or UNKNOWN; absent for file domains.
    state: str | None = None
    # LVM's id of the domain's volume group, in dashed groups; absent for file domains.
    vguuid: str | None = None


class StorageDomainReduceParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Which LUN shall leave a block domain."""

    # Multipath GUID of the LUN that is emptied and taken out of the volume group.
    guid: str
    # Block domain that gives up the LUN.
    sd_id: UUID


class StorageDomainStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The size of a domain and the state of its LVM metadata. On file domains the fields named mda are fixed: 0 and
    true.
    """

    # Bytes that new disks can still take. [bytes]
    diskfree: int
    # Size of the whole domain in bytes. [bytes]
    disktotal: int
    # Unused bytes of the LVM metadata area; 0 for file domains. [bytes]
    mdafree: int | None = None
    # Bytes that the LVM metadata area has in all; 0 for file domains. [bytes]
    mdasize: int | None = None
    # True when the LVM metadata area has enough free room; false is a warning that no more volumes may fit soon.
    mdathreshold: bool | None = None
    # True when the LVM metadata area is as large as a domain needs it to be.
    mdavalid: bool | None = None


class StorageDomainVitals(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The last result of this host's regular check of a domain. All values come from memory."""

    # True when this host holds its slot in the domain's lockspace, so that leases work.
    acquired: bool
    # True for the result of a check; false until the first check of a new domain has ended, when the other values
    # mean nothing.
    actual: bool = field(default_factory=lambda: True)
    # Error number of the failed check, 0 when the domain is in order.
    code: int
    # How long reading the domain's metadata took, in seconds; 0 when it failed. [s]
    delay: float
    # How long ago the last check ended, in seconds. [s]
    last_check: float = field(name="lastCheck")
    # True when the last check found the domain readable and sound.
    valid: bool
    # Metadata format of the domain; -1 while it is not known.
    version: Annotated[int, Meta(ge=-1)]


class XleaseDump(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One entry in the domain's table of VM leases."""

    # Place of the lease from the start of the lease volume or file, in bytes. [bytes]
    offset: UInt
    # True when a change of the lease was begun and not ended, so it needs repair.
    updating: bool


class ConnectionRefParameters(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How to reach one piece of storage. The domainType of the call decides which fields matter: types 2 and 3 the
    iSCSI ones, 1 those of NFS, 4 the path, 6 and 7 those of mountable file systems. Existing engines send every key
    of every kind, unused ones empty.
    """

    # Caller's id of the connection, repeated in the answer; all zeros or absent when it is not stored yet, as for a
    # one-time check.
    id: UUID | None = None
    # Where the storage is: server:/path (NFS), the first column of fstab (other file systems), the absolute path of
    # a directory (local), name or IP address of the portal (iSCSI). Older names for it are export, spec and path.
    connection: str | None = None
    # NFS: the documented name for connection.
    export: str | None = None
    # Mountable file systems: the documented name for connection, such as /dev/sdb1 or server:/volume.
    spec: str | None = None
    # Local directory: the documented name for connection.
    path: str | None = None
    # NFS version, such as 3, 4 or 4.2, or auto for the best that both sides know. When absent, version 3 is taken.
    protocol_version: str | None = None
    # NFS: the documented name for protocol_version.
    version: str | None = None
    # How long the NFS client waits before it repeats a request, in tenths of a second, as in the mount option
    # timeo. When absent, the node's default of 100 (ten seconds) applies. [ds]
    timeout_ds: UInt | None = field(name="timeout", default=None)
    # How many times the NFS client repeats a request before it reports a failure. When absent, the node's default
    # of 3 applies.
    retrans: UInt | None = None
    # File system type for mount -t, such as ceph or glusterfs.
    vfs_type: str | None = None
    # The documented name for vfs_type.
    vfstype: str | None = None
    # Further mount options, separated by commas, added after the node's own.
    mnt_options: str | None = None
    # Mountable file systems: the documented name for mnt_options.
    options: str | None = None
    # iSCSI: name of the target (iqn...., eui.... or naa....).
    iqn: str | None = None
    # iSCSI: TCP port of the portal; 3260 when absent.
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    # iSCSI: target portal group tag, the group of portals at the target that share a session; 1 when absent.
    tpgt: int | None = None
    # iSCSI: CHAP user; absent or empty logs in without CHAP.
    user: str | None = None
    # iSCSI: CHAP secret that goes with user.
    password: str | None = None
    # iSCSI: name of the interface record on the host to use; absent means the default one.
    iface_name: str | None = field(name="ifaceName", default=None)
    # iSCSI: network device of the host the session is bound to; absent leaves it to routing.
    net_iface_name: str | None = field(name="netIfaceName", default=None)


class ConnectStorageServerStatus(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The outcome for one storage connection."""

    # Id of the connection as given in the request; all zero when the caller has not stored it yet.
    id: UUID
    # Error number from the error table, 0 when the connection is up (or down, after a disconnect).
    status: int


class SpmStatus(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The SPM role of the answering host, and the SPM recorded in the master domain."""

    # Host number recorded as SPM; -1 when none is.
    spm_id: Annotated[int, Meta(ge=-1, le=2000)] = field(name="spmId")
    # Lease version of the recorded SPM, raised each time the role is taken; -1 when none is recorded.
    spm_lver: Annotated[int, Meta(ge=-1)] = field(name="spmLver")
    # Role of the answering host itself.
    spm_status: SpmRole = field(name="spmStatus")


class StoragePoolDomainAlert(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A warning about one domain of the pool."""

    # Error number of the warning, such as 613 for an LVM metadata area that is nearly full.
    code: int
    # The warning in words, for logs and people.
    message: str


class StoragePoolDomainInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One domain of a pool as seen by the answering host."""

    # Warnings about the domain; empty when all is well.
    alerts: list[StoragePoolDomainAlert] | None = None
    # Unused bytes of the domain; absent while the domain cannot be read. [bytes]
    diskfree: int | None = None
    # Size of the domain in bytes; absent while the domain cannot be read. [bytes]
    disktotal: int | None = None
    # Directory that holds the ISO files, for an ISO domain; empty for all others.
    isoprefix: str | None = None
    # Part that the domain plays in the pool.
    status: StorageDomainStatus
    # Metadata format of the domain; -1 while it cannot be read.
    version: int | None = None


class StoragePoolFullInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A pool together with all its domains."""

    # The domains of the pool by their id.
    dominfo: StoragePoolDomainInfoMap
    # Facts about the pool as a whole.
    info: StoragePoolInfo


class StoragePoolInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Facts about a pool, read from the master domain's metadata."""

    # All domains with their status, as id:Status pairs joined by commas.
    domains: str
    # Directory with the ISO files of the pool's ISO domain; empty when the pool has none.
    isoprefix: str | None = None
    # Lease version of the SPM, raised each time a host takes the role; -1 when none is recorded.
    lver: Annotated[int, Meta(ge=-1)]
    # Domain that is the pool's master.
    master_uuid: UUID
    # Version of the master, raised each time the role moves to another domain.
    master_ver: int
    # Human-readable pool name; empty when none was given.
    name: str
    # Whether the answering host is joined to the pool.
    pool_status: StoragePoolStatus
    # Host number recorded as SPM; -1 when none is.
    spm_id: Annotated[int, Meta(ge=-1, le=2000)]
    # Kind of storage of the master domain; other domains may differ.
    type: StorageDomainType
    # Metadata format of the master domain.
    version: int


class UpdateVmDefinition(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The description of one VM to store on a domain."""

    # Ids of the VM's images, joined by commas; empty for a VM without disks.
    imglist: str = field(default_factory=lambda: '')
    # OVF document as XML text that describes the VM.
    ovf: str
    # VM that the description belongs to.
    vm: UUID


class TaskDetails(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Everything the host tells about one task, as listed for the whole host."""

    # 0 while all is well, else the error code the task ended with (see the error table).
    code: int
    # Identifier of the task, unique in the pool.
    id: UUID
    # Last step reached, or the error in words once the task failed.
    message: str
    # How far the task is.
    state: TaskState
    # Group of the task: spm for work of the pool's manager, empty for others. Used to select tasks.
    tag: str
    # Outcome; empty until the task has ended.
    task_result: TaskResult = field(name="taskResult")
    # Name of the operation that started the task, such as copyImage.
    verb: str


class TaskInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a task was started for."""

    # Identifier of the task, unique in the pool.
    id: UUID
    # Name of the operation that started the task, such as copyImage.
    verb: str


class TaskStatus(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How far a task is and how it ended."""

    # 0 while all is well, else the error code the task ended with (see the error table).
    code: int
    # Last step reached, or the error in words once the task failed.
    message: str
    # Identifier of the task, unique in the pool.
    task_id: UUID = field(name="taskID")
    # Outcome; empty until the task has ended.
    task_result: TaskResult = field(name="taskResult")
    # How far the task is.
    task_state: TaskState = field(name="taskState")


class BackupConfig(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a backup shall contain and how it is linked to checkpoints. Also stored with a checkpoint, to rebuild it
    later.
    """

    # Identifier chosen by the caller, used for stop_backup and backup_info.
    backup_id: UUID
    # Moment the checkpoint was created, in seconds since 1970 UTC; needed only when a checkpoint is redefined from
    # this data. [s]
    creation_time: UInt | None = None
    # Disks in the backup; at least one.
    disks: list[BackupDisk]
    # Checkpoint since which changes are wanted (incremental backup); absent makes a full backup.
    from_checkpoint_id: UUID | None = None
    # Newest checkpoint that exists before this backup; becomes the parent of the new one. Absent when there is
    # none.
    parent_checkpoint_id: UUID | None = None
    # True fails the backup when the guest's file systems cannot be frozen; false goes on without freezing.
    require_consistency: bool = field(default_factory=lambda: False)
    # Checkpoint to create at the moment of the backup; absent creates none, so no later backup can build on this
    # one.
    to_checkpoint_id: UUID | None = None


class BackupDisk(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One disk in a backup."""

    # Whether this disk is read in full or by changes only; absent follows the backup as a whole.
    backup_mode: DiskBackupMode | None = None
    # True if changes of this disk are tracked from the new checkpoint on; needs a qcow2 volume.
    checkpoint: bool
    # Image of the disk.
    img_id: UUID
    # Prepared place for old data that the guest overwrites during the backup; absent lets the host use a local
    # temporary file.
    scratch_disk: ScratchDisk | None = None
    # Storage domain that holds the image.
    sd_id: UUID
    # Active (newest) volume of the image.
    vol_id: UUID


class BackupInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A running backup as seen from outside."""

    # libvirt XML of the checkpoint; absent when none was created or asked for.
    checkpoint: str | None = None
    # NBD address of each disk, keyed by image identifier, such as nbd:unix:/run/...:exportname=vda.
    disks: StringMap


class BlockScratchDisk(Struct, ScratchDisk, kw_only=True, frozen=True, omit_defaults=True):
    """A block device (logical volume) that takes data overwritten during a backup."""

    # Storage domain of the scratch volume; needed to extend it while the backup runs.
    domain_id: UUID | None = field(name="domainID", default=None)
    # Image of the scratch volume; absent for a device outside the storage domains.
    image_id: UUID | None = field(name="imageID", default=None)
    # Path of the prepared block device on this host.
    path: str
    # Kind of scratch disk, here block; lower case on the wire, unlike the values of DiskType.
    type: str
    # Volume used as scratch space; absent for a device outside the storage domains.
    volume_id: UUID | None = field(name="volumeID", default=None)


class Checkpoint(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A backup checkpoint to define again: either libvirt's own XML, or the data from which the XML can be built."""

    # Backup data to build the checkpoint from; used when there is no XML.
    config: BackupConfig | None = None
    # Identifier of the checkpoint, the to_checkpoint_id of the backup that made it.
    id: UUID
    # Description kept from start_backup or dump_checkpoint; preferred over the backup data.
    xml: str | None = None


class CheckpointInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Description of one backup checkpoint."""

    # libvirt XML (domaincheckpoint) that redefine_checkpoints accepts.
    checkpoint: str


class CheckpointsResponse(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How far a change of several checkpoints came."""

    # Checkpoints for which the work was done, in order; shorter than the request after an error.
    checkpoint_ids: list[UUID]
    # Why the work stopped early; absent when all checkpoints were handled.
    error: ErrorInfo | None = None


class ConvergenceAction(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One measure to make a live migration come to an end."""

    # setDowntime allows a longer pause at the end, postcopy switches the VM over at once, abort gives up.
    name: str
    # Arguments of the measure: for setDowntime the allowed pause in milliseconds, otherwise empty.
    params: list[str]


class ConvergenceItem(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A measure together with the moment when it is due."""

    # The measure to take when the limit is passed.
    action: ConvergenceAction
    # Count of iterations without progress after which the measure is taken; -1 means at the next one after the
    # preceding item.
    limit: int


class ConvergenceSchedule(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Plan for a live migration that does not converge because the guest changes memory faster than it is sent."""

    # Measures taken at the beginning, before any iteration.
    init: list[ConvergenceAction]
    # Measures taken one after another while the migration makes no progress, in the order given.
    stalling: list[ConvergenceItem]


class DrivePayload(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Contents for a CD or floppy that the host makes itself when the VM starts, instead of an existing image."""

    # The files that the made medium contains.
    vm_payload: DriveVmPayload = field(name="vmPayload")


class DriveVmPayload(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Files of a medium made by the host, such as cloud-init or sysprep data."""

    # Contents of each file, base64 encoded, keyed by its path on the medium; may hold passwords of the guest.
    file: StringMap
    # Label of the medium, such as config-2; absent takes the one that cloud-init looks for.
    vol_id: str | None = field(name="volId", default=None)


class FileScratchDisk(Struct, ScratchDisk, kw_only=True, frozen=True, omit_defaults=True):
    """A file that takes data overwritten during a backup."""

    # Storage domain of the scratch volume; absent for a file outside the storage domains.
    domain_id: UUID | None = field(name="domainID", default=None)
    # Image of the scratch volume; absent for a file outside the storage domains.
    image_id: UUID | None = field(name="imageID", default=None)
    # Path of the prepared file on this host.
    path: str
    # Kind of scratch disk, here file; lower case on the wire, unlike the values of DiskType.
    type: str
    # Volume used as scratch space; absent for a file outside the storage domains.
    volume_id: UUID | None = field(name="volumeID", default=None)


class GuestNumaNode(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One NUMA node that the guest sees: a set of virtual CPUs with their own memory."""

    # Virtual CPUs of the node as a list of numbers, such as 0,1,2,3.
    cpus: str
    # Part of the VM's memory that belongs to the node. [bytes]
    memory: int
    # Number of the node inside the guest, counted from 0.
    node_index: int = field(name="nodeIndex")


class HotplugDiskParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The disk to attach or detach. Either the device XML or the drive fields must be given; the XML wins."""

    # The disk as device fields, from callers that do not send XML.
    drive: VmDiskDevice | None = None
    # The same VM as in the call; repeated by old clients and otherwise ignored.
    vm_id: UUID | None = field(name="vmId", default=None)
    # Domain XML that holds the disk element and its metadata.
    xml: str | None = None


class HotplugMemoryParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The memory module to add or remove. Either the device XML or the memory fields must be given; the XML wins."""

    # New minimum that ballooning must leave to the VM once the module is in use; absent keeps the present one.
    # [bytes]
    mem_guaranteed_size: UInt | None = field(name="memGuaranteedSize", default=None)
    # The module as device fields, from callers that do not send XML.
    memory: VmMemoryDevice | None = None
    # The same VM as in the call; repeated by old clients and otherwise ignored.
    vm_id: UUID | None = field(name="vmId", default=None)
    # libvirt XML of the memory device.
    xml: str | None = None


class HotplugNicParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The network interface to attach or detach. Either the device XML or the nic fields must be given; the XML wins."""

    # The interface as device fields, from callers that do not send XML.
    nic: VmInterfaceDevice | None = None
    # The same VM as in the call; repeated by old clients and otherwise ignored.
    vm_id: UUID | None = field(name="vmId", default=None)
    # Domain XML that holds the interface element and its metadata.
    xml: str | None = None


class MemNode(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Binds the memory of one guest NUMA node to NUMA nodes of the host."""

    # Host NUMA nodes that provide the memory, as a list such as 0-1,3.
    nodeset: str
    # Number of the guest NUMA node, counted from 0.
    vm_node_index: UInt = field(name="vmNodeIndex")


class MigratedStats(Struct, MigrationStats, kw_only=True, frozen=True, omit_defaults=True):
    """Outcome of an outgoing migration that has ended."""

    # How long the guest stood still while it was switched over. [ms]
    downtime_ms: UInt = field(name="downtime")
    # State of the migration, here done.
    status: MigrationStatus
    # The VM that has been migrated.
    vm_id: UUID = field(name="vmId")


class MigrateParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Destination, limits and methods of one migration. Only the destination is needed; everything else has a default
    set on the host.
    """

    # True gives the migration up when a disk of the VM reports an I/O error; false goes on.
    abort_on_error: bool = field(name="abortOnError", default_factory=lambda: True)
    # True slows the guest's CPUs down when the migration makes no progress; absent means false.
    auto_converge: bool | None = field(name="autoConverge", default=None)
    # True sends only the differences of memory pages that change again and again; absent means false.
    compressed: bool | None = None
    # Address of the destination that console clients are told to move to; absent keeps the destination's own
    # choice.
    console_address: str | None = field(name="consoleAddress", default=None)
    # Measures for a migration that stalls; absent lengthens the allowed pause step by step.
    convergence_schedule: ConvergenceSchedule | None = field(name="convergenceSchedule", default=None)
    # For every virtual CPU, in order, the CPUs of the destination it may run on; absent leaves the pinning
    # unchanged.
    cpusets: list[str] | None = None
    # Agent of the destination host as host or host:port, an IPv6 address in brackets; for mode file the path of the
    # memory volume.
    dst: str | None = None
    # Path of the volume that takes the VM's configuration; used for mode file only.
    dstparams: str | None = None
    # Address of the destination for the memory transfer itself, when a migration network is used; absent uses the
    # address in dst.
    dstqemu: str | None = None
    # True tells the guest agent before and after the migration so that programs inside can prepare.
    enable_guest_events: bool = field(name="enableGuestEvents", default_factory=lambda: False)
    # True encrypts the memory transfer with TLS; both hosts need migration certificates.
    encrypted: bool = field(default_factory=lambda: False)
    # How many migrations the destination may receive at the same time, above 0; absent keeps its present limit.
    incoming_limit: UInt | None = field(name="incomingLimit", default=None)
    # Ceiling for the transfer speed; 0 or absent uses the limit set on the host. [MiB/s]
    max_bandwidth_mib_per_second: int | None = field(name="maxBandwidth", default=None)
    # How the VM behaves during the transfer; only online exists.
    method: MigrateMethod = field(default_factory=lambda: MigrateMethod('online'))
    # Whether the VM goes to another host or into volumes.
    mode: MigrateMode = field(default_factory=lambda: MigrateMode('remote'))
    # For every guest NUMA node, in order, the NUMA nodes of the destination that provide its memory; absent leaves
    # them unchanged.
    numa_nodesets: list[str] | None = field(name="numaNodesets", default=None)
    # How many migrations this host may send at the same time, above 0; absent keeps the present limit.
    outgoing_limit: UInt | None = field(name="outgoingLimit", default=None)
    # Count of connections used at once for the memory transfer; absent or 0 uses a single one.
    parallel: UInt | None = None
    # True sends memory through the connection of the libvirt daemons instead of straight between the QEMU
    # processes.
    tunneled: bool = field(default_factory=lambda: False)
    # The same VM as in the call; repeated by old clients and otherwise ignored.
    vm_id: UUID | None = field(name="vmId", default=None)
    # True lets the kernel send memory pages without copying them; needs parallel connections and no encryption.
    zerocopy: bool = field(default_factory=lambda: False)
    # The two volumes for mode file, instead of dst and dstparams.
    hiber_vol_handle: HibernationVolumeHandle | None = field(name="hiberVolHandle", default=None)


class MigratingStats(Struct, MigrationStats, kw_only=True, frozen=True, omit_defaults=True):
    """State of an outgoing migration that is under way."""

    # Share of the memory already transferred; never falls, even when the guest changes memory again. [percent]
    progress_percent: Annotated[int, Meta(ge=0, le=100)] = field(name="progress")
    # State of the migration, here in_progress.
    status: MigrationStatus
    # The VM that is being migrated.
    vm_id: UUID = field(name="vmId")


class MigrationCreateState(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Answer of the destination when it is ready to receive a VM."""

    # Always 0: libvirt chooses the port of the transfer.
    migration_port: int = field(name="migrationPort")
    # The VM as the destination has entered it, with status Migration Destination.
    params: VmDefinition


class MigrationParameters(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Limits that may be changed while a migration runs."""

    # New ceiling for the transfer speed; absent keeps the present one. [MiB/s]
    max_bandwidth_mib_per_second: int | None = field(name="maxBandwidth", default=None)


class NumaTune(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How the VM's memory is placed on the NUMA nodes of the host."""

    # Placement for single guest NUMA nodes; absent applies the common placement to all.
    memnodes: list[MemNode] | None = None
    # libvirt placement mode: strict (only these nodes), preferred (these first) or interleave (spread evenly).
    mode: str = field(default_factory=lambda: 'interleave')
    # Host NUMA nodes for the whole VM, as a list such as 0-1,3; absent allows all nodes.
    nodeset: str | None = None


class ScreenshotResponse(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A picture of a VM's display."""

    # The picture's bytes in the named encoding.
    data: str
    # How the bytes are written as text; always base64.
    encoding: str
    # Format of the decoded picture, such as image/png or image/x-portable-pixmap.
    mime_type: str


class SnapshotGUIDDriveInfo(Struct, SnapshotDriveInfo, kw_only=True, frozen=True, omit_defaults=True):
    """A disk in a snapshot that is a whole LUN, named by its multipath GUID."""

    # Multipath GUID of the device in use now; not a UUID but a string such as 36001405...
    base_guid: str = field(name="baseGUID")
    # Multipath GUID of the device to use after the snapshot.
    guid: str = field(name="GUID")


class SnapshotUUIDDriveInfo(Struct, SnapshotDriveInfo, kw_only=True, frozen=True, omit_defaults=True):
    """A disk in a snapshot that is a block device named by the UUID that blkid reports."""

    # UUID of the device in use now, in the spelling of its file system or volume manager.
    base_uuid: str = field(name="baseUUID")
    # UUID of the device to use after the snapshot, spelled as blkid reports it.
    uuid: str = field(name="UUID")


class SnapshotVolumeDriveInfo(Struct, SnapshotDriveInfo, kw_only=True, frozen=True, omit_defaults=True):
    """A disk in a snapshot whose volumes lie on a storage domain."""

    # Active volume now; becomes the read-only base of the new one.
    base_volume_id: UUID = field(name="baseVolumeID")
    # Storage domain that holds both volumes.
    domain_id: UUID = field(name="domainID")
    # Image that both volumes belong to.
    image_id: UUID = field(name="imageID")
    # Prepared new volume that takes all writes after the snapshot.
    volume_id: UUID = field(name="volumeID")


class UpdateVmPolicyParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Limits for the local policy manager. Each may be given alone."""

    # Guaranteed and maximum I/O limits, one entry per disk; replaces the entries of the same disks.
    io_tune: list[VmDiskDeviceTuneLimits] | None = field(name="ioTune", default=None)
    # Ceiling for the VM's CPU use, as a share of the whole host; 100 removes the ceiling. [percent]
    vcpu_limit_percent: Annotated[int, Meta(ge=0, le=100)] | None = field(name="vcpuLimit", default=None)
    # The same VM as in the call; repeated by old clients and otherwise ignored.
    vm_id: UUID | None = field(name="vmId", default=None)


class VmDataMap(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """State of a VM that lives outside its disks, with a hash to notice changes."""

    # The state itself, packed and base64 encoded; absent when the caller already has the data with this hash.
    x_data: str | None = field(name="_X_data", default=None)
    # Hash of the state, to be sent as lastHash next time; empty when the VM has no such state.
    hash: str


class VmDefinition(Struct, VmInfoObject, kw_only=True, frozen=True, omit_defaults=True):
    """A VM as a host knows it: configuration, domain XML and present status. As a parameter it carries a VM from one
    host to another. A host that works from domain XML fills only identifier, name, status, XML and what it has at
    hand.
    """

    # Whether the VM has ACPI, which the guest needs for a polite power-off.
    acpi_enable: bool = field(name="acpiEnable", default_factory=lambda: True)
    # Address of the console client connected last; empty or absent when none is connected.
    client_ip: str | None = field(name="clientIp", default=None)
    # Whether text can be copied between the SPICE client and the guest.
    copy_paste_enable: bool = field(name="copyPasteEnable", default_factory=lambda: True)
    # Weight of the VM when host CPUs are scarce, as a number in text; 1024 is normal. Absent means normal.
    cpu_shares: str | None = field(name="cpuShares", default=None)
    # CPU model with optional flags after commas, each with + or -, such as Skylake-Server,+pcid.
    cpu_type: str = field(name="cpuType", default_factory=lambda: 'qemu64')
    # Custom properties of the VM, keyed by name; handed to hooks as environment variables.
    custom: StringMap | None = None
    # All devices of the VM; absent when the domain XML describes them.
    devices: list[VmDevice] | None = None
    # Protocol of the graphical console; absent for a VM without one.
    display: VmDisplayType | None = None
    # Address on which the console listens; absent without a console.
    display_ip: str | None = field(name="displayIp", default=None)
    # TCP port of the unencrypted console; -1 or absent when there is none.
    display_port: int | None = field(name="displayPort", default=None)
    # TCP port of the TLS encrypted console; -1 or absent when there is none.
    display_secure_port: int | None = field(name="displaySecurePort", default=None)
    # QEMU machine type, such as pc-q35-rhel8.6.0; decides the virtual chipset.
    emulated_machine: str = field(name="emulatedMachine", default_factory=lambda: 'pc')
    # 0 when the VM ended as wanted, 1 after an error; only for status Down.
    exit_code: int | None = field(name="exitCode", default=None)
    # Explanation of the end for humans; only for status Down.
    exit_message: str | None = field(name="exitMessage", default=None)
    # Whether files can be dragged from the SPICE client into the guest.
    file_transfer_enable: bool = field(name="fileTransferEnable", default_factory=lambda: True)
    # Whether the VM has the Hyper-V features that make Windows guests faster.
    hyperv_enable: bool = field(name="hypervEnable", default_factory=lambda: False)
    # Keyboard layout of the VNC console, such as en-us; absent uses the client's keys unchanged.
    keyboard_layout: str | None = field(name="keyboardLayout", default=None)
    # Whether hardware virtualization is used; false means slow emulation.
    kvm_enable: bool = field(name="kvmEnable", default_factory=lambda: True)
    # Upper bound to which memory can be grown while the VM runs; absent when it cannot grow. [bytes]
    max_mem_size: UInt | None = field(name="maxMemSize", default=None)
    # Count of slots for memory modules added while the VM runs. [count]
    max_mem_slots: UInt = field(name="maxMemSlots", default_factory=lambda: 16)
    # Count of virtual CPUs that can be online at most while the VM runs.
    max_v_cpus: UInt = field(name="maxVCpus", default_factory=lambda: 1)
    # Memory that ballooning always leaves to the VM; absent means all of it. [bytes]
    mem_guaranteed_size: UInt | None = field(name="memGuaranteedSize", default=None)
    # Memory the VM was started with, added modules included. [bytes]
    mem_size: UInt | None = field(name="memSize", default=None)
    # Scheduling priority of the QEMU process as in nice(1), -20 (favoured) to 19; absent means 0.
    nice: int | None = None
    # Count of QEMU threads that serve disk I/O apart from the main loop; absent means none.
    num_of_io_threads: UInt | None = field(name="numOfIoThreads", default=None)
    # Why the VM is paused: NOERR by request, ENOSPC for a full volume, EIO for a disk error, EOTHER otherwise;
    # absent unless paused.
    pause_code: str | None = field(name="pauseCode", default=None)
    # Process number of QEMU on this host; 0 or absent while there is no process.
    pid: UInt | None = None
    # Serial number that the guest reads from its firmware tables; absent lets the host choose.
    serial: str | None = None
    # Count of virtual CPUs online now.
    smp: UInt | None = None
    # Count of cores in each virtual CPU socket.
    smp_cores_per_socket: UInt = field(name="smpCoresPerSocket", default_factory=lambda: 1)
    # Count of threads in each virtual core; absent means 1.
    smp_threads_per_core: UInt | None = field(name="smpThreadsPerCore", default=None)
    # What the VM is doing now; always present in answers.
    status: VmStatus | None = None
    # Distance of the guest's hardware clock from UTC; negative when the guest's clock is behind. [s]
    time_offset: int = field(name="timeOffset", default_factory=lambda: 0)
    # Whether the host may back the VM's memory with huge pages.
    transparent_huge_pages: bool | None = field(name="transparentHugePages", default=None)
    # Identifier of the VM, the same on every host and across restarts.
    vm_id: UUID = field(name="vmId")
    # Name of the VM for humans; unique per engine, not per host.
    vm_name: str | None = field(name="vmName", default=None)
    # Technology that runs the VM; always kvm.
    vm_type: VmType = field(name="vmType", default_factory=lambda: VmType('kvm'))
    # Saved UEFI variables of the VM, packed and base64 encoded; sent along with a migration only.
    x_nvramdata: str | None = field(name="_X_nvramdata", default=None)
    # Saved contents of the emulated TPM, packed and base64 encoded; sent along with a migration only.
    x_tpmdata: str | None = field(name="_X_tpmdata", default=None)
    # Domain XML of the running VM on the source of a migration; absent otherwise.
    src_dom_xml: str | None = field(name="_srcDomXML", default=None)
    # Time the VM had been running on the source when its migration began; absent otherwise. [s]
    elapsed_time_offset: float | None = field(name="elapsedTimeOffset", default=None)
    # Whether the guest agent shall be told when the migrated VM has arrived; absent means no.
    enable_guest_events: bool | None = field(name="enableGuestEvents", default=None)
    # Set to libvirt by the source of a migration, so that the VM is received instead of started; absent otherwise.
    migration_dest: str | None = field(name="migrationDest", default=None)
    # Host's monotonic clock when the status was read, to order answers and events. [ms]
    status_time_ms: UInt | None = field(name="statusTime", default=None)
    # libvirt domain XML with the ovirt-vm metadata; absent only for VMs of very old sources.
    xml: str | None = None


class VMFullInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Everything a host tells about one VM in a full list: definition and the data the guest agent reports. Fields
    that the host does not know are absent.
    """

    # Whether the VM has ACPI, which the guest needs for a polite power-off.
    acpi_enable: bool | None = field(name="acpiEnable", default=None)
    # Architecture of the virtual CPU, such as x86_64 or s390x.
    arch: str | None = None
    # Address of the console client connected last; empty when none is connected.
    client_ip: str | None = field(name="clientIp", default=None)
    # CPU model with optional flags after commas, each with + or -.
    cpu_type: str | None = field(name="cpuType", default=None)
    # Custom properties of the VM, keyed by name.
    custom: StringMap | None = None
    # All devices of the VM; absent when the domain XML describes them.
    devices: list[VmDevice] | None = None
    # Protocol of the graphical console; absent for a VM without one.
    display: VmDisplayType | None = None
    # Address on which the console listens; absent without a console.
    display_ip: str | None = field(name="displayIp", default=None)
    # TCP port of the unencrypted console; -1 or absent when there is none.
    display_port: int | None = field(name="displayPort", default=None)
    # TCP port of the TLS encrypted console; -1 or absent when there is none.
    display_secure_port: int | None = field(name="displaySecurePort", default=None)
    # QEMU machine type, such as pc-q35-rhel8.6.0.
    emulated_machine: str | None = field(name="emulatedMachine", default=None)
    # Names the guest gives to the VM's disks, keyed by disk serial; from the guest agent.
    guest_disk_mapping: GuestDisksMappingMap | None = field(name="guestDiskMapping", default=None)
    # Full host name inside the guest; empty or absent while the agent has not reported it.
    guest_fqdn: str | None = field(name="guestFQDN", default=None)
    # IP addresses of the guest separated by spaces; superseded by the interfaces in the statistics.
    guest_ips: str | None = field(name="guestIPs", default=None)
    # Operating system inside the guest; absent while the agent has not reported it.
    guest_os_info: VMGuestOsInfo | None = field(name="guestOsInfo", default=None)
    # Time zone set inside the guest; absent while the agent has not reported it.
    guest_timezone: VMGuestTimezone | None = field(name="guestTimezone", default=None)
    # Keyboard layout of the VNC console, such as en-us.
    keyboard_layout: str | None = field(name="keyboardLayout", default=None)
    # Whether hardware virtualization is used; false means slow emulation.
    kvm_enable: bool | None = field(name="kvmEnable", default=None)
    # Memory that ballooning always leaves to the VM. [bytes]
    mem_guaranteed_size: UInt | None = field(name="memGuaranteedSize", default=None)
    # Memory the VM has, added modules included. [bytes]
    mem_size: UInt | None = field(name="memSize", default=None)
    # Scheduling priority of the QEMU process as in nice(1), -20 (favoured) to 19.
    nice: int | None = None
    # Model of network cards added without a model of their own.
    nic_model: VmInterfaceDeviceModel | None = field(name="nicModel", default=None)
    # Why the VM is paused: NOERR, ENOSPC, EIO or EOTHER; absent unless paused.
    pause_code: str | None = field(name="pauseCode", default=None)
    # Process number of QEMU on this host; 0 or absent while there is no process.
    pid: UInt | None = None
    # Whether lost ticks of the virtual timer chip are delivered late instead of being dropped.
    pit_reinjection: bool | None = field(name="pitReinjection", default=None)
    # Whether a smart card of the console client is passed into the guest.
    smartcard_enable: bool | None = field(name="smartcardEnable", default=None)
    # Count of virtual CPUs online now.
    smp: UInt | None = None
    # Count of cores in each virtual CPU socket.
    smp_cores_per_socket: UInt | None = field(name="smpCoresPerSocket", default=None)
    # SPICE channels that must be encrypted, separated by commas, such as smain,sinputs; empty for none.
    spice_secure_channels: str = field(name="spiceSecureChannels", default_factory=lambda: '')
    # TLS ciphers of the SPICE console in OpenSSL notation, such as DEFAULT.
    spice_ssl_cipher_suite: str | None = field(name="spiceSslCipherSuite", default=None)
    # What the VM is doing now, one of the values of VmStatus.
    status: str
    # Host's monotonic clock when the status was read, to order answers and events. [ms]
    status_time_ms: UInt | None = field(name="statusTime", default=None)
    # Distance of the guest's hardware clock from UTC; negative when the guest's clock is behind. [s]
    time_offset: int | None = field(name="timeOffset", default=None)
    # Whether the host may back the VM's memory with huge pages.
    transparent_huge_pages: bool | None = field(name="transparentHugePages", default=None)
    # User logged in to the guest desktop; None or Unknown when nobody is or the agent is silent.
    username: str | None = None
    # Identifier of the VM, the same on every host and across restarts.
    vm_id: UUID = field(name="vmId")
    # Name of the VM for humans; for VMs not made by an engine the libvirt name.
    vm_name: str | None = field(name="vmName", default=None)
    # Technology that runs the VM; always kvm.
    vm_type: VmType | None = field(name="vmType", default=None)
    # libvirt domain XML with the ovirt-vm metadata, without secrets.
    xml: str | None = None


class VMGuestOsInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Operating system inside a guest as its agent reports it. Unknown parts are empty strings."""

    # Architecture the guest system runs on, such as x86_64.
    arch: str
    # Release name of the distribution, such as Bookworm; empty when it has none.
    codename: str
    # Distribution or product, such as Debian GNU/Linux; empty for Windows.
    distribution: str
    # Kernel version, for example the output of uname -r; the NT version for Windows.
    kernel: str
    # Family of the system: linux, windows or other.
    type: str
    # Release of the distribution or product, such as 12 or Server 2022.
    version: str


class VMGuestTimezone(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Time zone set inside a guest."""

    # Distance of local time from UTC at present, daylight saving included; negative west of Greenwich. [min]
    offset_minutes: int = field(name="offset")
    # Name of the zone as the guest calls it, such as Europe/Berlin.
    zone: str


class VmParameters(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How a VM shall be started. An engine sends the domain XML alone, or the volumes of a saved state; all other
    fields are for old callers and are ignored when XML is given, unless their text says otherwise. A call with
    neither XML nor a saved state nor memSize is refused with MissingParameter.
    """

    # Saved UEFI variables to start with, as getExternalData returned them; absent starts with fresh ones. Used
    # together with XML.
    x_nvramdata: str | None = field(name="_X_nvramdata", default=None)
    # Saved contents of the emulated TPM, as getExternalData returned them; absent starts with an empty TPM. Used
    # together with XML.
    x_tpmdata: str | None = field(name="_X_tpmdata", default=None)
    # Whether the VM has ACPI, which the guest needs for a polite power-off.
    acpi_enable: bool = field(name="acpiEnable", default_factory=lambda: True)
    # Name of the virtio channel of the guest agent; absent uses ovirt-guest-agent.0.
    agent_channel_name: str | None = field(name="agentChannelName", default=None)
    # Whether the firmware shows a boot menu and waits for the user.
    boot_menu_enable: bool = field(name="bootMenuEnable", default_factory=lambda: False)
    # Weight of the VM when host CPUs are scarce, as a number in text; 1024 is normal. Absent means normal.
    cpu_shares: str | None = field(name="cpuShares", default=None)
    # CPU model with optional flags after commas, each with + or -; absent uses qemu64.
    cpu_type: str | None = field(name="cpuType", default=None)
    # Custom properties of the VM, keyed by name; handed to hooks as environment variables.
    custom: StringMap | None = None
    # All devices of the VM; absent when the domain XML describes them.
    devices: list[VmDevice] | None = None
    # Protocol of the graphical console; absent for a VM without one.
    display: VmDisplayType | None = None
    # Network on whose address the console listens; absent uses the management network.
    display_network: str | None = field(name="displayNetwork", default=None)
    # QEMU machine type, such as pc-q35-rhel8.6.0.
    emulated_machine: str = field(name="emulatedMachine", default_factory=lambda: 'pc')
    # NUMA nodes the guest sees; absent gives the guest a single one.
    guest_numa_nodes: list[GuestNumaNode] | None = field(name="guestNumaNodes", default=None)
    # Whether the VM has the Hyper-V features that make Windows guests faster.
    hyperv_enable: bool = field(name="hypervEnable", default_factory=lambda: False)
    # Whether hardware virtualization is used; false means slow emulation.
    kvm_enable: bool = field(name="kvmEnable", default_factory=lambda: True)
    # True starts the VM with its CPUs stopped, to be released by cont; absent means false.
    launch_paused: bool | None = field(name="launchPaused", default=None)
    # Upper bound to which memory can be grown while the VM runs; absent means it cannot grow. [bytes]
    max_mem_size: UInt | None = field(name="maxMemSize", default=None)
    # Count of slots for memory modules added while the VM runs. [count]
    max_mem_slots: UInt = field(name="maxMemSlots", default_factory=lambda: 16)
    # Count of virtual CPUs that can be online at most while the VM runs; absent means no more than at start.
    max_v_cpus: UInt | None = field(name="maxVCpus", default=None)
    # Memory that ballooning always leaves to the VM; absent means all of it. [bytes]
    mem_guaranteed_size: UInt | None = field(name="memGuaranteedSize", default=None)
    # Memory the VM starts with; must be above 0. Needed when there is no XML. [bytes]
    mem_size: UInt | None = field(name="memSize", default=None)
    # Scheduling priority of the QEMU process as in nice(1), -20 (favoured) to 19.
    nice: int = field(default_factory=lambda: 0)
    # How the VM's memory is placed on NUMA nodes of the host; absent leaves it to the kernel.
    numa_tune: NumaTune | None = field(name="numaTune", default=None)
    # Whether lost ticks of the virtual timer chip are delivered late instead of being dropped.
    pit_reinjection: bool = field(name="pitReinjection", default_factory=lambda: True)
    # Whether a smart card of the console client is passed into the guest.
    smartcard_enable: bool = field(name="smartcardEnable", default_factory=lambda: False)
    # Count of virtual CPUs online at start.
    smp: UInt = field(default_factory=lambda: 1)
    # Count of cores in each virtual CPU socket.
    smp_cores_per_socket: UInt = field(name="smpCoresPerSocket", default_factory=lambda: 1)
    # Count of threads in each virtual core.
    smp_threads_per_core: UInt = field(name="smpThreadsPerCore", default_factory=lambda: 1)
    # Distance of the guest's hardware clock from UTC; negative when the guest's clock is behind. [s]
    time_offset: int = field(name="timeOffset", default_factory=lambda: 0)
    # Whether the host may back the VM's memory with huge pages.
    transparent_huge_pages: bool = field(name="transparentHugePages", default_factory=lambda: False)
    # The same VM as in the call; repeated by old clients and otherwise ignored.
    vm_id: UUID | None = field(name="vmId", default=None)
    # Name of the VM for humans; absent makes one from the identifier.
    vm_name: str | None = field(name="vmName", default=None)
    # Technology that runs the VM; anything but kvm is refused.
    vm_type: VmType = field(name="vmType", default_factory=lambda: VmType('kvm'))
    # Complete libvirt domain XML made by the engine, with ovirt-vm metadata; placeholders for host data in it are
    # filled in by the host. Absent when a saved state brings its own.
    xml: str | None = None
    # Volumes of a saved VM to resume, in the form old engines use; absent starts normally. Used with or without
    # XML.
    hiber_vol_handle: HibernationVolumeHandle | None = field(name="hiberVolHandle", default=None)
    # Volume with the configuration of a saved VM to resume, as poolID, domainID, imageID and volumeID; goes with
    # memoryDumpVolume.
    memory_conf_volume: StringMap | None = field(name="memoryConfVolume", default=None)
    # Volume with the memory of a saved VM to resume, as poolID, domainID, imageID and volumeID, or a file as path;
    # absent starts normally.
    memory_dump_volume: StringMap | None = field(name="memoryDumpVolume", default=None)


class VmShortStatus(Struct, VmInfoObject, kw_only=True, frozen=True, omit_defaults=True):
    """The least that a list tells about a VM: which one it is and what it is doing."""

    # What the VM is doing now on this host.
    status: VmStatus
    # Identifier of the VM, the same on every host and across restarts.
    vm_id: UUID = field(name="vmId")
    # Host's monotonic clock when the status was read, to order answers and events. [ms]
    status_time_ms: UInt | None = field(name="statusTime", default=None)


class XmlChange(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One difference between two domain descriptions."""

    # Whether something came, went or became another.
    kind: XmlChangeKind
    # Where it is, such as domain/devices/disk[vda]/source/@file.
    path: str
    # The value or element that came; absent when there was none.
    before: str | None = None
    # The value or element that libvirt got; absent when there is none.
    after: str | None = None


class vmUpdateGraphicsDeviceParams(Struct, vmUpdateDeviceParams, kw_only=True, frozen=True, omit_defaults=True):
    """New password and rules for a graphical console."""

    # Time between the console being closed and the disconnect action, to allow a new connection; absent means no
    # wait. [min]
    console_disconnect_action_delay_minutes: UInt | None = field(name="consoleDisconnectActionDelay", default=None)
    # What happens to a client that is connected already; absent means disconnect.
    existing_conn_action: VmTicketConflictAction | None = field(name="existingConnAction", default=None)
    # Protocol of the console to change; the VM must have one of this kind.
    graphics_type: VmGraphicsDeviceType = field(name="graphicsType")
    # Details for hooks and logs: userName and userId of the person who may connect.
    params: StringMap | None = None
    # Console password; an empty one closes the console for new connections. VNC uses only 8 characters.
    password: str
    # Time during which the password opens new connections; 0 ends it at once. [s]
    ttl: int
    # Always graphics; tells this form from the others.
    device_type: str | None = field(name="deviceType", default=None)
    # What happens in the guest when the console is closed: NONE, LOCK_SCREEN, LOGOUT, SHUTDOWN or REBOOT; absent
    # keeps the present setting.
    disconnect_action: str | None = field(name="disconnectAction", default=None)


class vmUpdateInterfaceDeviceParams(Struct, vmUpdateDeviceParams, kw_only=True, frozen=True, omit_defaults=True):
    """New network, link or filter for a network interface. Fields left out keep their present value."""

    # libvirt alias of the interface, such as net0 or ua-... with a UUID.
    alias: str
    # Name of the libvirt network filter for the interface, such as vdsm-no-mac-spoofing; absent keeps the present
    # one.
    filter: str | None = None
    # Variables of the network filter, such as the allowed IP addresses; a name may occur several times.
    filter_parameters: list[VmInterfaceDeviceFilterParameters] = field(name="filterParameters", default_factory=lambda: [])
    # Whether the guest sees the cable plugged in; absent leaves it as it is.
    link_active: bool | None = field(name="linkActive", default=None)
    # Network to connect to; an empty name takes the interface off every network; absent keeps the present one.
    network: str | None = None
    # Networks whose whole traffic is copied to this interface; an empty list ends mirroring, absent keeps it.
    port_mirroring: list[str] | None = field(name="portMirroring", default=None)
    # Always interface; tells this form from the others.
    device_type: str | None = field(name="deviceType", default=None)


class vmUpdateXMLDeviceParams(Struct, vmUpdateDeviceParams, kw_only=True, frozen=True, omit_defaults=True):
    """A device in its wanted state, as libvirt XML."""

    # Domain XML with the device element and its metadata; the device is found by its alias or MAC address.
    xml: str
    # Kind of the device, such as interface; must fit the XML.
    device_type: str | None = field(name="deviceType", default=None)


class BandwidthParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Traffic limit of one direction of a VM network interface, enforced on the host side of the interface."""

    # Long-term rate the traffic is held to; one kB is 1000 bytes. [kB/s]
    average_kb_per_second: UInt = field(name="average")
    # Amount that may pass at the peak rate before the average applies; 0 leaves the size to the kernel. [bytes]
    burst: UInt = field(default_factory=lambda: 0)
    # Highest rate while a burst lasts; one kB is 1000 bytes, 0 sets no separate peak. [kB/s]
    peak_kb_per_second: UInt = field(name="peak", default_factory=lambda: 0)


class DriveSpecGUID(Struct, DriveSpec, kw_only=True, frozen=True, omit_defaults=True):
    """A whole LUN of the storage network used as a disk, without a storage domain on it."""

    # Multipath identifier (WWID) of the LUN, as listed by Host.getDeviceList; the host finds it under /dev/mapper.
    guid: str = field(name="GUID")


class DriveSpecPath(Struct, DriveSpec, kw_only=True, frozen=True, omit_defaults=True):
    """A file or block device that the host can already reach by name."""

    # Absolute path on the host; an empty text means an empty drive.
    path: str


class DriveSpecPathCdrom(Struct, DriveSpecCdrom, kw_only=True, frozen=True, omit_defaults=True):
    """Medium of one CD drive given as a path, as older engines send it."""

    # Bus the CD drive sits on, such as ide, sata or scsi; with index it identifies the drive.
    iface: str
    # Position of the CD drive on its bus, counted from 0.
    index: int
    # Absolute path of the ISO file on the host; an empty text ejects the medium.
    path: str


class DriveSpecPayload(Struct, DriveSpec, kw_only=True, frozen=True, omit_defaults=True):
    """A drive whose small file system the host makes from files inside the request, for instance for cloud-init."""

    # Kind of drive that shows the files to the guest: cdrom or floppy.
    device: VmDiskDeviceType
    # The files, and the label of the file system they are put into.
    spec_params: DrivePayload = field(name="specParams")


class DriveSpecVolume(Struct, DriveSpec, kw_only=True, frozen=True, omit_defaults=True):
    """A volume on a storage domain, addressed by its four ids."""

    # How the guest sees the volume; absent means a plain disk.
    device: VmDiskDeviceType | None = None
    # Storage domain that holds the image.
    domain_id: UUID = field(name="domainID")
    # Disk (chain of volumes) to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # Storage pool to which the domain is attached.
    pool_id: UUID = field(name="poolID")
    # Volume the VM works on, normally the leaf of the chain.
    volume_id: UUID = field(name="volumeID")


class DriveSpecVolumeCdrom(Struct, DriveSpecCdrom, kw_only=True, frozen=True, omit_defaults=True):
    """Medium of one CD drive given as a volume on a data domain."""

    # Volume with the ISO content; absent ejects the medium.
    drive_spec: DriveSpecVolume | None = None
    # Bus the CD drive sits on, such as ide, sata or scsi; with index it identifies the drive.
    iface: str
    # Position of the CD drive on its bus, counted from 0.
    index: int


class NetworkDiskAuthInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How QEMU proves its identity to the servers of a network disk; the key itself is a libvirt secret."""

    # Kind of secret, as libvirt names it; ceph for RBD disks.
    type: str
    # Account at the storage cluster, without the client. prefix of Ceph.
    username: str
    # Libvirt secret that holds the key; it is made with Host.registerSecrets before the VM starts.
    uuid: UUID


class NetworkDiskHostInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One server of a network disk."""

    # Host name or IP address of the server; a socket path when transport is unix.
    name: str
    # TCP port as text; absent means the default port of the protocol.
    port: str | None = None
    # tcp, unix or rdma; absent means tcp.
    transport: str | None = None


class VmBalloonDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Memory balloon: takes memory away from a running guest and gives it back."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Kind of balloon; there is only one.
    device: VmBalloonDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always balloon for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Model of the balloon; absent means virtio.
    spec_params: VmBalloonDeviceSpecParams | None = field(name="specParams", default=None)


class VmBalloonDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Settings of a memory balloon."""

    # Hardware model; none removes the balloon.
    model: VmBalloonDeviceModel


class VmChannelDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Byte channel between host and guest, used by guest agents and by SPICE."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # What is at the host end of the channel.
    device: VmChannelDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always channel for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")


class VmConsoleDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Text console of a VM."""

    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always console for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Kind of console and where its host end is; absent means a virtio console on a pseudo terminal.
    spec_params: VmConsoleDeviceSpecParams | None = field(name="specParams", default=None)


class VmConsoleDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Settings of a text console."""

    # Hardware the guest sees; absent means virtio.
    console_type: VmConsoleDeviceType | None = field(name="consoleType", default=None)
    # True puts the host end on a Unix socket, so that a console proxy can reach it; false uses a pseudo terminal.
    enable_socket: bool = field(name="enableSocket", default_factory=lambda: False)


class VmControllerDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Controller to which other devices of the VM are attached."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Bus that the controller offers.
    device: VmControllerDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always controller for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Hardware model, for instance virtio-scsi or piix3-uhci; absent leaves the choice to libvirt.
    model: str | None = None


class VmDeviceIdeAddress(Struct, VmDeviceAddress, kw_only=True, frozen=True, omit_defaults=True):
    """Position of a drive on an IDE, SATA or SCSI controller."""

    # Always drive for addresses of this form.
    address_type: VmDeviceAddressType = field(name="addressType")
    # Bus of the controller; only IDE has two, 0 primary and 1 secondary.
    bus: UInt
    # Number of the controller among those of its kind, from 0.
    controller: UInt
    # Position on the bus; for IDE 0 is the first and 1 the second device.
    unit: UInt


class VmDevicePciAddress(Struct, VmDeviceAddress, kw_only=True, frozen=True, omit_defaults=True):
    """PCI address of a guest device."""

    # Always pci for addresses of this form.
    address_type: VmDeviceAddressType = field(name="addressType")
    # PCI bus, 0 to 255.
    bus: UInt
    # PCI domain (segment), normally 0.
    domain: UInt
    # Function within the slot, 0 to 7.
    function: UInt
    # Slot on the bus, 0 to 31.
    slot: UInt


class VmDeviceVirtioSerialAddress(Struct, VmDeviceAddress, kw_only=True, frozen=True, omit_defaults=True):
    """Position of a channel or console on a virtio-serial controller."""

    # Always virtio-serial for addresses of this form.
    address_type: VmDeviceAddressType = field(name="addressType")
    # Bus of the controller, always 0.
    bus: UInt
    # Number of the virtio-serial controller, from 0.
    controller: UInt
    # Port on the controller; 0 is reserved for a console.
    port: UInt


class VmDiskDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """A disk, CD drive or floppy drive of a VM. What backs it is either a volume (poolID, domainID, imageID,
    volumeID), a path on the host, or a network disk (protocol, hosts, path).
    """

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Space reserved on the storage: file length, or size of the logical volume. [bytes]
    apparentsize: UInt | None = None
    # Login data for a network disk; absent when its servers ask for none.
    auth: NetworkDiskAuthInfo | None = None
    # Volume below which the VM's own changes start, for drives with a throw-away layer; absent otherwise.
    base_volume_id: UUID | None = field(name="baseVolumeID", default=None)
    # Place in the boot sequence, 1 is tried first; absent means that the VM does not boot from this drive.
    boot_order: UInt | None = field(name="bootOrder", default=None)
    # How the guest sees the drive.
    device: VmDiskDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always disk for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # What is behind the drive, as libvirt names it: file, block or network; absent lets the host find out.
    disk_type: str | None = field(name="diskType", default=None)
    # Storage domain of the backing volume; absent for drives without a volume.
    domain_id: UUID | None = field(name="domainID", default=None)
    # Data format of the leaf volume; absent means raw.
    format: VmDiskDeviceFormat | None = None
    # Servers of a network disk; absent for local files and block devices.
    hosts: list[NetworkDiskHostInfo] | None = None
    # Bus to the guest; absent means the machine type's default bus for this kind of drive.
    iface: VmDiskDeviceInterface | None = None
    # Disk (chain of volumes) behind the drive; absent for drives without a volume.
    image_id: UUID | None = field(name="imageID", default=None)
    # Position on its bus, counted from 0; absent lets the host pick the next free one.
    index: int | None = None
    # Device name within the VM, such as vda or sdc; absent before the first start.
    name: str | None = None
    # True lets the VM start with an empty drive when the medium is missing; absent means false.
    optional: bool | None = None
    # Path on the host, or image name at the servers of a network disk; absent until a volume is prepared.
    path: str | None = None
    # Storage pool of the backing volume; absent for drives without a volume.
    pool_id: UUID | None = field(name="poolID", default=None)
    # True hands I/O errors to the guest; false (also when absent) pauses the VM on an error.
    propagate_errors: bool | None = field(name="propagateErrors", default=None)
    # Protocol of a network disk: rbd or gluster; absent for local files and block devices.
    protocol: str | None = None
    # True refuses writes of the guest; absent means writable, except for CD drives.
    readonly: bool | None = None
    # Whether other VMs may use the drive at the same time; absent means none.
    shared: VmSharedDriveType | None = None
    # Further settings such as I/O limits; absent means none.
    spec_params: VmDiskDeviceSpecParams | None = field(name="specParams", default=None)
    # Space really occupied on the storage; below apparentsize for sparse files. [bytes]
    truesize: UInt | None = None
    # Volumes of the disk from the base to the leaf; absent for drives without a volume.
    volume_chain: list[VmDiskDeviceVolumeChainEntry] | None = field(name="volumeChain", default=None)
    # Leaf volume the guest writes to; absent for drives without a volume.
    volume_id: UUID | None = field(name="volumeID", default=None)


class VmDiskDeviceIoTuneParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """I/O limits of one drive. Zero means unlimited; a total limit excludes the read and write limits of its kind."""

    # Most data read from the drive in a second. [bytes/s]
    read_bytes_sec_bytes_per_second: UInt = field(name="read_bytes_sec", default_factory=lambda: 0)
    # Most read requests in a second. [requests/s]
    read_iops_sec: UInt = field(default_factory=lambda: 0)
    # Most data read and written together in a second. [bytes/s]
    total_bytes_sec_bytes_per_second: UInt = field(name="total_bytes_sec", default_factory=lambda: 0)
    # Most requests of both directions in a second. [requests/s]
    total_iops_sec: UInt = field(default_factory=lambda: 0)
    # Most data written to the drive in a second. [bytes/s]
    write_bytes_sec_bytes_per_second: UInt = field(name="write_bytes_sec", default_factory=lambda: 0)
    # Most write requests in a second. [requests/s]
    write_iops_sec: UInt = field(default_factory=lambda: 0)


class VmDiskDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Further settings of a drive."""

    # I/O limits; absent means unlimited.
    io_tune: VmDiskDeviceIoTuneParams | None = field(name="ioTune", default=None)
    # Path of a generated payload file on the host; absent for ordinary drives.
    path: str | None = None
    # Number of the QEMU I/O thread that serves the drive, from 1; absent leaves it to the main thread.
    pin_to_io_thread: UInt | None = field(name="pinToIoThread", default=None)
    # Files of which the host makes the medium of a CD or floppy drive when the VM is created; absent for drives
    # with a medium of their own.
    vm_payload: DriveVmPayload | None = field(name="vmPayload", default=None)


class VmDiskDeviceTuneLimits(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Range within which the policy agent (MOM) may set the I/O limits of a drive. The drive is named by its four ids,
    by name or by path.
    """

    # Storage domain of the drive; absent when name or path identifies the drive.
    domain_id: UUID | None = field(name="domainID", default=None)
    # Lowest limits the policy may set: this much the VM always gets.
    guaranteed: VmDiskDeviceIoTuneParams
    # Disk behind the drive; absent when name or path identifies it.
    image_id: UUID | None = field(name="imageID", default=None)
    # Highest limits the policy may set when the storage has room.
    maximum: VmDiskDeviceIoTuneParams
    # Device name within the VM, such as vda; absent when ids or path identify the drive.
    name: str | None = None
    # Path on the host; absent when ids or name identify the drive.
    path: str | None = None
    # Storage pool of the drive; absent when name or path identifies the drive.
    pool_id: UUID | None = field(name="poolID", default=None)
    # Leaf volume of the drive; absent when name or path identifies it.
    volume_id: UUID | None = field(name="volumeID", default=None)


class VmDiskDeviceTuneParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """I/O limits of one drive, which is named by name or by path."""

    # Limits in force, or to be set.
    io_tune: VmDiskDeviceIoTuneParams = field(name="ioTune")
    # Device name within the VM, such as vda; absent when path identifies the drive.
    name: str | None = None
    # Path on the host; absent when name identifies the drive.
    path: str | None = None


class VmDiskDeviceVolumeChainEntry(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One volume in the chain of a running VM's disk."""

    # Storage domain that holds the volume.
    domain_id: UUID = field(name="domainID")
    # Disk to which the volume belongs; a template's own image for shared base volumes.
    image_id: UUID = field(name="imageID")
    # Where the volume is on this host, as QEMU opened it.
    path: str
    # Identifier of this link of the chain.
    volume_id: UUID = field(name="volumeID")


class VmGraphicsDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Server for the graphical console of a VM, run inside QEMU on the host."""

    # Protocol the console client has to speak.
    device: VmGraphicsDeviceType
    # Always graphics for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # TCP port without encryption; absent or -1 when the VM has none (yet).
    port: Annotated[int, Meta(ge=-1, le=65535)] = field(default_factory=lambda: -1)
    # Settings of the console; absent means the defaults.
    spec_params: VmGraphicsDeviceSpecParams | None = field(name="specParams", default=None)
    # TCP port with TLS; -1 when the VM has none (yet).
    tls_port: Annotated[int, Meta(ge=-1, le=65535)] = field(name="tlsPort", default_factory=lambda: -1)


class VmGraphicsDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Settings of a graphical console."""

    # Whether the clipboard of user and guest are joined (SPICE only).
    copy_paste_enable: bool = field(name="copyPasteEnable", default_factory=lambda: True)
    # Network whose address on the host serves the console; absent means the management network.
    display_network: str | None = field(name="displayNetwork", default=None)
    # Whether the user may drop files into the guest (SPICE only).
    file_transfer_enable: bool = field(name="fileTransferEnable", default_factory=lambda: True)
    # Keyboard layout for VNC, such as en-us; absent lets the client decide.
    key_map: str | None = field(name="keyMap", default=None)
    # Comma-separated SPICE channels that must use TLS; empty leaves it to the security default of the host.
    spice_secure_channels: str = field(name="spiceSecureChannels", default_factory=lambda: '')


class VmHostDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """A device of the host (PCI, USB, SCSI or mediated) that the guest uses directly."""

    # Place on the guest's bus; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Place in the boot sequence, 1 is tried first; absent means that the VM does not boot from it.
    boot_order: int | None = field(name="bootOrder", default=None)
    # Name of the host device, as Host.hostdevListByCaps lists it, for instance pci_0000_03_00_0.
    device: str
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always hostdev for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Further settings; absent means that the device itself goes to the guest.
    spec_params: VmHostDeviceSpecParams | None = field(name="specParams", default=None)


class VmHostDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Further settings of a host device."""

    # True only detaches the device from the host, because it shares an IOMMU group with one the guest gets.
    iommu_placeholder: bool = field(name="iommuPlaceholder", default_factory=lambda: False)


class VmInterfaceDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Network interface card of a VM, connected to a network of the host."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Place in the boot sequence, 1 is tried first; absent means no network boot from this card.
    boot_order: UInt | None = field(name="bootOrder", default=None)
    # Device properties set by the engine's administrator, handed to hooks: name to value.
    custom: StringMap = field(default_factory=lambda: {})
    # How the card is connected on the host.
    device: VmInterfaceDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always interface for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Libvirt network filter applied to the card, for instance vdsm-no-mac-spoofing; absent means unfiltered.
    filter: str | None = None
    # Variables passed to the network filter.
    filter_parameters: list[VmInterfaceDeviceFilterParameters] = field(name="filterParameters", default_factory=lambda: [])
    # False unplugs the virtual cable; absent means plugged.
    link_active: bool | None = field(name="linkActive", default=None)
    # Ethernet address of the card: six bytes in hexadecimal, separated by colons.
    mac_addr: str = field(name="macAddr")
    # Host network the card is connected to; empty or absent leaves the card without a connection.
    network: str | None = None
    # Hardware the guest sees.
    nic_model: VmInterfaceDeviceModel = field(name="nicModel")
    # Host networks whose whole traffic is copied to this card.
    port_mirroring: list[str] = field(name="portMirroring", default_factory=lambda: [])
    # Traffic limits; absent means unlimited.
    spec_params: VmInterfaceDeviceSpecParams | None = field(name="specParams", default=None)


class VmInterfaceDeviceFilterParameters(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One variable of a network filter."""

    # Variable as the filter calls it, for instance IP.
    name: str
    # Content of the variable; repeat the parameter for a list of values.
    value: str


class VmInterfaceDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Traffic limits of a network interface card."""

    # Limit of traffic to the guest; absent means unlimited.
    inbound: BandwidthParams | None = None
    # Limit of traffic from the guest; absent means unlimited.
    outbound: BandwidthParams | None = None


class VmLeaseDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Lock on a storage domain that a VM holds while it runs, so that it never runs on two hosts."""

    # Lease on the domain, normally the id of the VM.
    lease_id: UUID
    # Storage domain that keeps the lease.
    sd_id: UUID
    # Always lease; may be left out.
    type: VmDeviceType | None = None


class VmMemoryDevice(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Memory module that can be plugged into a running VM."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Kind of module; there is only one.
    device: VmMemoryDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always memory for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # NUMA node of the guest that receives the memory, from 0.
    node: UInt
    # Memory that the module adds. [bytes]
    size: UInt


class VmRngDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Random number device: feeds randomness of the host to the guest."""

    # Kind of device; absent means virtio.
    device: VmRngDeviceType | None = None
    # Always rng for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Hardware the guest sees.
    model: VmRngDeviceModel
    # Source on the host and how fast the guest may drain it.
    spec_params: VmRngDeviceSpecParams = field(name="specParams")


class VmRngDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Source and speed limit of a random number device."""

    # Randomness the guest may take per period; absent means unlimited. [bytes]
    bytes: int | None = None
    # Length of the period in which bytes counts; absent means one second. [ms]
    period_ms: int | None = field(name="period", default=None)
    # Where the host takes the randomness from.
    source: VmRngDeviceSource


class VmSmartcardDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Smart card reader of a VM."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Kind of reader; there is only one.
    device: VmSmartcardDeviceType
    # Always smartcard for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Where the card is and how it is reached.
    spec_params: VmSmartcardDeviceSpecParams = field(name="specParams")


class VmSmartcardDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Settings of a smart card reader."""

    # Whether the card is at the host or at the user.
    mode: VmSmartcardDeviceMode
    # Transport to the card, for passthrough only; absent with mode host.
    type: VmSmartcardDeviceProtocol | None = None


class VmSoundDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Sound card of a VM; its output goes to the console client."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Hardware the guest sees.
    device: VmSoundDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always sound for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Reserved; sound cards have no settings.
    spec_params: VmSoundDeviceSpecParams | None = field(name="specParams", default=None)


class VmSoundDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Settings of a sound card; none are defined, the object is empty."""



class VmTpmDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Trusted platform module of a VM."""

    # Kind of module; absent means tpm.
    device: VmTpmDeviceType | None = None
    # Always tpm for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # What backs the module and how the guest sees it.
    spec_params: VmTpmDeviceSpecParams = field(name="specParams")


class VmTpmDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Settings of a trusted platform module."""

    # What backs the module.
    mode: VmTpmDeviceMode
    # Interface the guest sees.
    model: VmTpmDeviceModel
    # Device node of the host's chip; absent means /dev/tpm0.
    path: str | None = None


class VmVideoDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Graphics adapter of a VM."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Hardware the guest sees.
    device: VmVideoDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always video for devices of this type.
    device_type: VmDeviceType = field(name="deviceType")
    # Memory and monitors of the adapter; absent means the defaults of the model.
    spec_params: VmVideoDeviceSpecParams | None = field(name="specParams", default=None)


class VmVideoDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Memory and monitors of a graphics adapter."""

    # Number of monitors the adapter serves; absent means 1.
    heads: UInt | None = None
    # Primary memory of a QXL adapter; absent leaves it to QEMU. [bytes]
    ram: UInt | None = None
    # Frame buffer of a QXL adapter in VGA mode; absent leaves it to QEMU. [bytes]
    vgamem: UInt | None = None
    # Video memory; for QXL the secondary memory. Absent leaves it to QEMU. [bytes]
    vram: UInt | None = None


class VmWatchdogDevice(Struct, VmDevice, kw_only=True, frozen=True, omit_defaults=True):
    """Watchdog card: acts on the VM when the guest stops resetting its timer."""

    # Place of the device on a bus of the guest; absent until libvirt assigns it.
    address: VmDeviceAddress | None = None
    # Name libvirt gives the device within the VM, for instance net0; absent before the first start.
    alias: str | None = None
    # Kind of card; there is only one.
    device: VmWatchdogDeviceType
    # Engine's id of the device, stable over restarts; absent when the engine did not set one.
    device_id: UUID | None = field(name="deviceId", default=None)
    # Always watchdog for devices of this type.
    device_type: str = field(name="deviceType")
    # Model and action; absent means an i6300esb that does nothing on expiry.
    spec_params: VmWatchdogDeviceSpecParams | None = field(name="specParams", default=None)


class VmWatchdogDeviceSpecParams(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Settings of a watchdog card."""

    # What happens on expiry; absent means none.
    action: VmWatchdogDeviceAction | None = None
    # Hardware the guest sees; absent means i6300esb.
    model: VmWatchdogDeviceModel | None = None


class BalloonInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """State of the memory balloon. All sizes are absent until the host has read them once."""

    # Memory the guest has at the moment, after what the balloon took. [bytes]
    balloon_cur: UInt | None = None
    # Memory the guest has with an empty balloon. [bytes]
    balloon_max: UInt | None = None
    # Guaranteed memory: the balloon never leaves the guest less. [bytes]
    balloon_min: UInt | None = None
    # Size the guest was last told to shrink or grow to. [bytes]
    balloon_target: UInt | None = None
    # False forbids the policy agent to move the balloon.
    ballooning_enabled: bool = field(default_factory=lambda: True)


class BlockJobInfo(Struct, VmJobInfo, kw_only=True, frozen=True, omit_defaults=True):
    """A running block operation of QEMU on one disk, such as a live merge."""

    # Speed limit of the operation; 0 means unlimited. [MiB/s]
    bandwidth_mib_per_second: int = field(name="bandwidth")
    # What the operation does to the chain.
    block_job_type: BlockJobType = field(name="blockJobType")
    # Work done so far; comparable with end only. [bytes]
    cur: UInt
    # Work in total; grows while the guest writes. Both 0 until QEMU reports. [bytes]
    end: UInt
    # Job id that the caller gave when starting the operation.
    id: UUID
    # Disk on which the operation works.
    img_uuid: UUID = field(name="imgUUID")
    # Family of the job; always block here.
    job_type: JobType = field(name="jobType")
    # Device name of the disk within the VM, such as vda; absent from older hosts.
    drive: str | None = None


class ExitedVmStats(Struct, VmStats, kw_only=True, frozen=True, omit_defaults=True):
    """What remains to report about a VM that is down: its status and why it ended. Kept until VM.destroy."""

    # 0 ended as intended, 1 ended by an error; the names are in VmExitCode.
    exit_code: Annotated[int, Meta(ge=0, le=1)] = field(name="exitCode")
    # Explanation for people, in English.
    exit_message: str = field(name="exitMessage")
    # Why the VM ended, as a number. 0 to 10 in this order: success, generic error, lost qemu connection, libvirt
    # start failed, migration succeeded, save state succeeded, admin shutdown, user shutdown, migration failed,
    # libvirt domain missing, destroyed on startup. Then 11 host shutdown, 12 post-copy migration failed, 13
    # destroyed on reboot, 14 destroyed on pause timeout.
    exit_reason: Annotated[int, Meta(ge=0, le=14)] = field(name="exitReason")
    # Always Down; other states have the long report.
    status: VmStatus
    # How far the guest's clock was set from UTC; the engine keeps it for the next start. [s]
    time_offset: int = field(name="timeOffset", default_factory=lambda: 0)
    # The virtual machine the report is about.
    vm_id: UUID = field(name="vmId")


class GuestContainerInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A container running inside the guest, as its agent reports it."""

    # Command line that the container was started with.
    command: str
    # Identifier within the guest's container engine.
    id: str
    # Name of the image the container was made from.
    image: str
    # Names under which the guest knows the container.
    names: list[str]
    # State in the words of the container engine, for instance Up 3 hours.
    status: str


class GuestDiskMappingInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How the guest names one of its disks."""

    # Device path within the guest, for instance /dev/vda.
    name: str


class GuestMemoryStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Memory figures read from the guest's balloon driver. Sizes need one sample, rates two; what is not known yet is
    absent.
    """

    # Page faults that needed disk access, per second over the last sampling interval. [faults/s]
    majflt: UInt | None = None
    # Memory the guest uses as block buffers; always 0 or absent by now. [bytes]
    mem_buffers: UInt = field(default_factory=lambda: 0)
    # Memory the guest uses as file cache; always 0 or absent by now. [bytes]
    mem_cached: UInt = field(default_factory=lambda: 0)
    # Same value as mem_unused, kept for older engines. [bytes]
    mem_free: UInt | None = None
    # Memory the guest's kernel can use in total. [bytes]
    mem_total: UInt | None = None
    # Memory the guest uses for nothing at all, not even as cache. [bytes]
    mem_unused: UInt | None = None
    # Page faults solved without disk access, per second over the last sampling interval. [faults/s]
    minflt: UInt | None = None
    # Sum of majflt and minflt, kept for older engines. [faults/s]
    pageflt: UInt | None = None
    # Data the guest reads back from its swap space. [bytes/s]
    swap_in_bytes_per_second: UInt | None = field(name="swap_in", default=None)
    # Data the guest writes out to its swap space. [bytes/s]
    swap_out_bytes_per_second: UInt | None = field(name="swap_out", default=None)


class GuestMountInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A mounted file system of the guest, as its agent reports it."""

    # File system type, for instance xfs or NTFS.
    fs: str
    # Mount point or drive letter.
    path: str
    # Capacity of the file system. [bytes]
    total: UInt
    # Occupied part of the capacity. [bytes]
    used: UInt


class GuestNetworkDeviceInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A network interface as seen inside the guest, as its agent reports it."""

    # Ethernet address; the engine finds the matching VM card by it.
    hw: str
    # IPv4 addresses without prefix length; empty when there are none.
    inet: list[str]
    # IPv6 addresses without prefix length; empty when there are none.
    inet6: list[str]
    # Interface as the guest calls it, for instance eth0.
    name: str


class GuestPCIDevice(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A PCI device within the guest and its driver, as its agent reports it (Windows guests)."""

    # PCI device number, which names the product within its vendor.
    device_id: int
    # Day the driver was published, as YYYY-MM-DD; absent when the guest does not tell.
    driver_date: str | None = None
    # Driver that serves the device in the guest.
    driver_name: str
    # Version text of the driver; absent when the guest does not tell.
    driver_version: str | None = None
    # PCI vendor number, for instance 6900 (0x1af4) for virtio devices.
    vendor_id: int


class NetworkInterfaceStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Counters of one network card of a VM, from the card's own view: rx is what the guest received. They start at 0
    with each start of the VM and after a migration.
    """

    # Ethernet address of the card, by which the engine recognises it.
    mac_addr: str = field(name="macAddr")
    # Device on the host side, for instance vnet3.
    name: str
    # Data received since the start; absent before the first sample. [bytes]
    rx: UInt | None = None
    # Received packets thrown away since the start; absent before the first sample.
    rx_dropped: UInt | None = field(name="rxDropped", default=None)
    # Damaged packets received since the start; absent before the first sample.
    rx_errors: UInt | None = field(name="rxErrors", default=None)
    # When the counters were read, on the host's monotonic clock; rates come from two samples. [s]
    sample_time: float | None = field(name="sampleTime", default=None)
    # Nominal speed, guessed from the card's model: 1000 or 100. [Mbit/s]
    speed_mbits_per_second: UInt = field(name="speed")
    # Whether the link works; unknown for cards whose host device does not tell.
    state: NetworkInterfaceState
    # Data sent since the start; absent before the first sample. [bytes]
    tx: UInt | None = None
    # Packets to send that were thrown away since the start; absent before the first sample.
    tx_dropped: UInt | None = field(name="txDropped", default=None)
    # Failed sendings since the start; absent before the first sample.
    tx_errors: UInt | None = field(name="txErrors", default=None)


class RunningVmStats(Struct, VmStats, kw_only=True, frozen=True, omit_defaults=True):
    """Everything measured about a VM that has a QEMU process. Figures come from the last periodic sample, so a new VM
    lacks some of them; what depends on a guest agent is absent or empty without one.
    """

    # Whether the VM has ACPI, without which a polite shutdown is impossible.
    acpi_enable: bool | None = field(name="acpiEnable", default=None)
    # Installed packages of interest, as the guest agent lists them, for instance kernel and agent versions.
    apps_list: list[str] = field(name="appsList", default_factory=lambda: [])
    # State of the memory balloon; absent before the first sample.
    balloon_info: BalloonInfo | None = field(name="balloonInfo", default=None)
    # First boot device; absent when the VM boots by device order.
    boot: VmBootMode | None = None
    # Path of the medium in the CD drive; absent without a medium.
    cdrom: str | None = None
    # Address of the console user's machine; empty when nobody is connected.
    client_ip: str = field(name="clientIp")
    # True when the CPU figures are measured; false while they are only start values; absent means not known.
    cpu_actual: bool | None = field(name="cpuActual", default=None)
    # CPU time QEMU itself spends outside the guest's vCPUs; 100 is one full host CPU. [percent]
    cpu_sys_percent: float = field(name="cpuSys")
    # CPU time used since the VM started, by QEMU in user and kernel mode. [ns]
    cpu_usage_ns: UInt | None = field(name="cpuUsage", default=None)
    # CPU time the guest's vCPUs spend; 100 is one full host CPU, so the value may pass 100. [percent]
    cpu_user_percent: float = field(name="cpuUser")
    # Figures per drive; absent before the first two samples.
    disks: VmDiskStatsMap | None = None
    # File systems within the guest; absent without a guest agent.
    disks_usage: list[GuestMountInfo] | None = field(name="disksUsage", default=None)
    # How to reach the graphical consoles; empty for a VM without any.
    display_info: list[VmDisplayInfo] | None = field(name="displayInfo", default=None)
    # Address of the first graphical console; 0 means the address the host is managed by.
    display_ip: str = field(name="displayIp", default_factory=lambda: '0')
    # Port of the first console without encryption; -1 for none.
    display_port: Annotated[int, Meta(ge=-1, le=65535)] | None = field(name="displayPort", default=None)
    # Port of the first console with TLS; -1 or absent for none.
    display_secure_port: Annotated[int, Meta(ge=-1, le=65535)] | None = field(name="displaySecurePort", default=None)
    # Protocol of the first console, where qxl stands for SPICE; absent without a console.
    display_type: VmDisplayType | None = field(name="displayType", default=None)
    # Time since the VM started; it goes on over migrations. [s]
    elapsed_time: UInt = field(name="elapsedTime")
    # Containers within the guest; absent without an agent that reports them.
    guest_containers: list[GuestContainerInfo] | None = field(name="guestContainers", default=None)
    # CPUs the guest has online; -1 when the agent has not told.
    guest_cpu_count: int = field(name="guestCPUCount", default_factory=lambda: -1)
    # Host name the guest gives itself, without its domain; absent without a guest agent.
    guest_name: str | None = field(name="guestName", default=None)
    # Version of the guest's operating system or its kernel, as old clients show it; absent without a guest agent.
    guest_os: str | None = field(name="guestOs", default=None)
    # What the guest tells about its operating system; absent without a guest agent.
    guest_os_info: VMGuestOsInfo | None = field(name="guestOsInfo", default=None)
    # Time zone that is set in the guest; absent without a guest agent.
    guest_timezone: VMGuestTimezone | None = field(name="guestTimezone", default=None)
    # Full host name the guest gives itself; empty without a guest agent.
    guest_fqdn: str | None = field(name="guestFQDN", default=None)
    # Addresses of the guest, separated by blanks; empty without a guest agent. Use netIfaces instead.
    guest_ips: str | None = field(name="guestIPs", default=None)
    # Changes whenever the definition of the VM changes, telling the engine to fetch it again.
    hash: int | None = None
    # I/O limits in force, one entry per limited drive; absent when no drive has a limit.
    io_tune: list[VmDiskDeviceTuneParams] | None = field(name="ioTune", default=None)
    # True with hardware virtualisation, false when the CPU is emulated.
    kvm_enable: bool | None = field(name="kvmEnable", default=None)
    # Memory figures from within the guest; absent without a balloon driver there.
    memory_stats: GuestMemoryStats | None = field(name="memoryStats", default=None)
    # Part of the guest's memory in use; 0 when the guest does not report. [percent]
    mem_usage_percent: UInt | None = field(name="memUsage", default=None)
    # Part of the memory already sent by a running migration; absent without one. [percent]
    migration_progress_percent: UInt | None = field(name="migrationProgress", default=None)
    # 0 while QEMU answers, -1 when it stopped answering libvirt.
    monitor_response: int = field(name="monitorResponse")
    # Network interfaces within the guest; absent without a guest agent.
    net_ifaces: list[GuestNetworkDeviceInfo] | None = field(name="netIfaces", default=None)
    # Counters per network card; absent before the first two samples.
    network: NetworkInterfaceStatsMap | None = None
    # Digest of the UEFI variables, by which the engine sees when to fetch them; absent without NVRAM.
    nvram_hash: str | None = field(name="nvramHash", default=None)
    # Why the VM is paused: NOERR on request, ENOSPC storage full, EIO or EOTHER other I/O errors; absent when not
    # paused.
    pause_code: str | None = field(name="pauseCode", default=None)
    # PCI devices and drivers within the guest; absent without an agent that reports them.
    pci_devices: list[GuestPCIDevice] | None = None
    # Process number of QEMU on the host; 0 or absent when not known.
    pid: UInt | None = None
    # Whether somebody uses the guest's desktop; Unknown without a guest agent.
    session: GuestSessionState | None = None
    # Current state in the life of the VM.
    status: VmStatus
    # When this report was made, on the host's monotonic clock; of two reports the greater is the newer. [ms]
    status_time_ms: UInt = field(name="statusTime")
    # How far the guest's clock is set from UTC, negative when behind; the engine keeps it for the next start. [s]
    time_offset: int | None = field(name="timeOffset", default=None)
    # Digest of the emulated TPM's data, by which the engine sees when to fetch it; absent without one.
    tpm_hash: str | None = field(name="tpmHash", default=None)
    # User logged in at the guest's desktop; empty or Unknown without a guest agent.
    username: str | None = None
    # CPUs plugged into the VM; absent before the first sample.
    vcpu_count: int | None = field(name="vcpuCount", default=None)
    # Length of the scheduling period in which vcpuQuota counts; 0 when never set. [us]
    vcpu_period_us: int = field(name="vcpuPeriod", default_factory=lambda: 0)
    # CPU time each vCPU may use per period; -1 is unlimited, 0 never set. [us]
    vcpu_quota_us: int = field(name="vcpuQuota", default_factory=lambda: 0)
    # Upper limit of CPU use set by the VM's policy, where 100 is all its vCPUs; absent without a policy. [percent]
    vcpu_user_limit_percent: int | None = field(name="vcpuUserLimit", default=None)
    # The virtual machine the report is about.
    vm_id: UUID = field(name="vmId")
    # Running block operations by job id; absent means not known at the moment, an empty map none.
    vm_jobs: VmJobsMap | None = field(name="vmJobs", default=None)
    # Name the engine's users gave the VM.
    vm_name: str = field(name="vmName")
    # Kind of hypervisor; always kvm.
    vm_type: VmType | None = field(name="vmType", default=None)
    # Last expiry of the VM's watchdog; absent when it never expired.
    watchdog_event: WatchdogEvent | None = field(name="watchdogEvent", default=None)


class VmDiskStats(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Figures of one drive. Counters start at 0 with each start of the VM; latencies and rates cover the last sampling
    interval and are 0 while nothing happened.
    """

    # Space reserved on the storage: file length, or size of the logical volume. [bytes]
    apparentsize: UInt
    # Mean duration of a flush request. [ns]
    flush_latency_ns: float = field(name="flushLatency")
    # Disk behind the drive; absent for drives without an image.
    image_id: UUID | None = field(name="imageID", default=None)
    # Data read since the start. [bytes]
    read_bytes: UInt = field(name="readBytes")
    # Mean duration of a read request. [ns]
    read_latency_ns: float = field(name="readLatency")
    # Number of read requests since the start.
    read_ops: UInt = field(name="readOps")
    # Speed of reading. [bytes/s]
    read_rate_bytes_per_second: float = field(name="readRate")
    # Space really occupied on the storage. [bytes]
    truesize: UInt
    # Mean duration of a write request. [ns]
    write_latency_ns: float = field(name="writeLatency")
    # Number of write requests since the start.
    write_ops: UInt = field(name="writeOps")
    # Speed of writing. [bytes/s]
    write_rate_bytes_per_second: float = field(name="writeRate")
    # Data written since the start. [bytes]
    written_bytes: UInt = field(name="writtenBytes")
    # Multipath identifier of a directly used LUN; absent for all other drives.
    lun_guid: str | None = field(name="lunGUID", default=None)


class VmDisplayInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How a console client reaches one graphical console."""

    # Address to connect to; 0 means the address the host is managed by.
    ip_address: str = field(name="ipAddress")
    # TCP port without encryption; -1 for none.
    port: Annotated[int, Meta(ge=-1, le=65535)]
    # TCP port with TLS; -1 for none.
    tls_port: Annotated[int, Meta(ge=-1, le=65535)] = field(name="tlsPort")
    # Protocol the client has to speak.
    type: VmGraphicsDeviceType


class WatchdogEvent(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """An expiry of the VM's watchdog card."""

    # What was done to the VM because of it.
    action: WatchdogEventAction
    # When it expired, as Unix time. [s]
    time: float


class Qcow2Attributes(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Properties that only qcow2 volumes have."""

    # Version of the qcow2 format to convert to; absent leaves it as it is.
    compat: Qcow2Compat | None = None


class Qcow2BitmapInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A dirty bitmap kept in a qcow2 volume: it remembers which parts changed since a checkpoint."""

    # State of the bitmap; empty or absent for a valid bitmap that is not recording.
    flags: list[Qcow2BitmapInfoFlags] = field(default_factory=lambda: [])
    # Bytes of disk that one bit of the bitmap stands for. [bytes]
    granularity: UInt
    # Name of the bitmap, by custom the id of the checkpoint it belongs to.
    name: str


class QemuImageInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What qemu-img reads from the header of a volume."""

    # Parent named in the header, as a path or file name; absent for a volume without parent.
    backingfile: str | None = None
    # Dirty bitmaps stored in the volume; absent when there are none.
    bitmaps: list[Qcow2BitmapInfo] | None = None
    # Allocation unit of a qcow2 volume in bytes; absent for raw volumes. [bytes]
    clustersize: UInt | None = None
    # Version of the qcow2 format; absent for raw volumes.
    compat: Qcow2Compat | None = None
    # Format found in the header.
    format: QemuImageFormat
    # Size of the disk as a guest sees it, in bytes. [bytes]
    virtualsize: UInt


class VolumeAttributes(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """New values for a volume's metadata; absent fields stay as they are."""

    # New description, often JSON made by the engine; cut at 210 bytes.
    description: str | None = None
    # Generation to set, 0 to 999. When absent, the present one is raised by one.
    generation: Annotated[int, Meta(ge=0, le=999)] | None = None
    # New mark of usability; refused when it equals the present one.
    legality: VolumeLegality | None = None
    # New role; only LEAF to SHARED is possible, on a volume without parent.
    type: VolumeRole | None = None


class VolumeDump(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A volume as found on the storage. Only what could be read is present."""

    # Size of the file or logical volume in bytes; 0 when it is missing. [bytes]
    apparentsize: UInt
    # Virtual size of the disk in bytes; absent when the metadata is unreadable. [bytes]
    capacity: UInt | None = None
    # Time of creation, in seconds since 1970; absent when the metadata is unreadable. [s]
    ctime: int | None = None
    # Text that the engine stored with the volume; absent when the metadata is unreadable.
    description: str | None = None
    # What the disk is for, as a label; absent when the metadata is unreadable.
    disktype: DiskContentType | None = None
    # How the data is stored; absent when the metadata is unreadable.
    format: VolumeFormat | None = None
    # Counter raised by each guarded change, 0 to 999; absent when the metadata is unreadable.
    generation: Annotated[int, Meta(ge=0, le=999)] | None = None
    # Image to which the volume belongs.
    image: UUID
    # Mark of usability; absent when the metadata is unreadable.
    legality: VolumeLegality | None = None
    # Number of the slot in the domain's metadata volume; only on block domains.
    mdslot: UInt | None = None
    # Volume that this one builds on, all zero for none; absent when the metadata is unreadable.
    parent: UUID | None = None
    # Whether the volume's metadata was found sound.
    status: VolumeStatus
    # Bytes that the volume really takes on the storage. [bytes]
    truesize: UInt
    # When space is taken; absent when the metadata is unreadable.
    type: VolumeAllocation | None = None
    # Part in the chain; absent when the metadata is unreadable.
    voltype: VolumeRole | None = None


class VolumeInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Names one volume."""

    # Image to which the volume belongs.
    img_id: UUID
    # Storage domain that holds the volume.
    sd_id: UUID
    # The volume itself, by its own id.
    vol_id: UUID


class VolumeInfoResponse(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What is known of a volume. Numbers travel as text. When status is INVALID only the sizes, status and children
    are sure to be there.
    """

    # When space is taken. Existing nodes answer it under the name type.
    alloc_type: VolumeAllocation | None = field(name="allocType", default=None)
    # Size of the file or logical volume in bytes; 0 when it cannot be read. [bytes]
    apparentsize: UInt
    # Virtual size of the disk in bytes, as a guest sees it. [bytes]
    capacity: UInt | None = None
    # Once the volumes that build on this one; always empty.
    children: list[UUID]
    # Time of creation, in seconds since 1970. [s]
    ctime: int | None = None
    # Text that the engine stored with the volume, often JSON.
    description: str | None = None
    # What the disk is for, as a label. Old volumes may carry labels outside the list.
    disktype: DiskContentType | None = None
    # Storage domain that holds the volume.
    domain: UUID | None = None
    # How the data is stored: qcow2 or raw.
    format: VolumeFormat | None = None
    # Counter raised by each guarded change of the volume, 0 to 999; it tells whether a job has been done.
    generation: Annotated[int, Meta(ge=0, le=999)] | None = None
    # Image to which the volume belongs.
    image: UUID | None = None
    # State of the volume's own lease; absent on domains whose format has no volume leases.
    lease: VolumeLeaseStatus | None = None
    # Mark of usability, as stored in the metadata.
    legality: VolumeLegality | None = None
    # Always 0; once the time of the last change, in seconds since 1970. [s]
    mtime: UInt | None = None
    # Volume that this one builds on; all zero when it stands alone.
    parent: UUID | None = None
    # Always empty; once the pool of the volume.
    pool: str | None = None
    # Overall state: OK, ILLEGAL when marked so, INVALID when the metadata cannot be read.
    status: VolumeStatus
    # Bytes that the volume really takes on the storage; 0 when they cannot be read. [bytes]
    truesize: UInt
    # Id of the described volume.
    uuid: UUID | None = None
    # Part of the volume in its chain.
    voltype: VolumeRole | None = None
    # When space is taken, under the name that existing nodes answer and engines read.
    type: VolumeAllocation | None = None


class VolumeLeaseStatus(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """State of the sanlock lease that guards a volume."""

    # Place of the lease from the start of its file or volume, in bytes. [bytes]
    offset: UInt
    # Numbers of the hosts that hold the lease: none or one; empty or absent when it is free.
    owners: list[UInt] | None = None
    # File or device on which the lease lies.
    path: str
    # How often the lease was acquired; absent when it is free.
    version: int | None = None


class VolumeMeasureResult(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How much room a copy of a volume needs."""

    # Bytes that the destination must offer for all data and the format's own tables. [bytes]
    required: int


class VolumeSizeInfo(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The size of a volume on the storage. Both numbers travel as text."""

    # Length of the file, or size of the logical volume, in bytes. [bytes]
    apparentsize: UInt
    # Bytes really allocated on the storage; less than the apparent size for sparse files. [bytes]
    truesize: UInt


CpuCoreStatsMap: TypeAlias = dict[str, CpuCoreStats]
# Load of all host CPUs: the key is the CPU number as text, the value its load.
DeviceVisibilityMap: TypeAlias = dict[str, bool]
# Visibility of block devices: the key is a multipath identifier, the value true when the host sees the device.
HookScriptAdditional: TypeAlias = dict[str, HookScriptInfo]
# Scripts installed at one hook point: each key is a file name, the value identifies its content.
HookScriptInfoMap: TypeAlias = dict[str, HookScriptAdditional]
# Installed hook scripts: the key is the hook point, such as before_vm_start, the value its scripts.
HostDevices: TypeAlias = dict[str, HostDevice]
# Devices of the host: the key is the libvirt device name, the value its description.
MultipathHealthMap: TypeAlias = dict[str, MultipathStatus]
# Multipath devices with failed paths: the key is the multipath identifier, the value its paths.
NumaNodeDistanceMap: TypeAlias = dict[str, list[UInt]]
# Cost of memory access between NUMA nodes: the key is a node number as text, the value lists the distances to all
# nodes in order, 10 meaning local.
NumaNodeHugePagesMap: TypeAlias = dict[UInt, NumaNodeHugePages]
# Huge pages of a NUMA node: the key is the page size in KiB, the value the reserved pages.
NumaNodeHugePagesStatsMap: TypeAlias = dict[UInt, NumaNodeHugePagesStats]
# Free huge pages of a NUMA node: the key is the page size in KiB, the value the free pages.
NumaNodeMap: TypeAlias = dict[str, NumaNode]
# NUMA nodes of the host: the key is the node number as text, the value its CPUs and memory.
NumaNodeMemoryStatsMap: TypeAlias = dict[str, NumaNodeMemoryStats]
# Memory use of NUMA nodes: the key is the node number as text, the value its free memory.
PathStatsMap: TypeAlias = dict[str, PathStats]
# Free space of host directories: the key is the directory's path, the value its space.
SoftwarePackageInfoMap: TypeAlias = dict[str, SoftwarePackageInfo]
# Installed software: the key is the name of the software, the value its version. Names beyond the well-known ones
# (see SoftwarePackage), such as openvswitch, can occur.
StringListMap: TypeAlias = dict[str, list[str]]
# Named lists of texts: the key is the name of a list, the value its elements.
SupportedBlockSizeMap: TypeAlias = dict[str, list[int]]
# Block sizes a host can use: the key is a storage type such as NFS, the value the sizes in bytes, where 0 means
# that automatic detection works.
HostNetworkInterfaceStatsMap: TypeAlias = dict[str, HostNetworkInterfaceStats]
# Key: device name. Value: its counters.
LldpMap: TypeAlias = dict[str, Lldp]
# Key: name of a physical network device. Value: what was heard on it.
NetInfoBondMap: TypeAlias = dict[str, NetInfoBond]
# Key: device name of the bond. Value: its present state.
NetInfoBridgeMap: TypeAlias = dict[str, NetInfoBridgedNetwork]
# Key: name of the bridge. Value: its present state.
NetInfoNetworkMap: TypeAlias = dict[str, NetInfoNetwork]
# Key: name of the network. Value: its present state on this host.
NetInfoNicMap: TypeAlias = dict[str, NetInfoNic]
# Key: device name. Value: its present state.
NetInfoVlanMap: TypeAlias = dict[str, NetInfoVlan]
# Key: device name of the VLAN, such as eth0.100. Value: its present state.
SetupNetworkBondConfig: TypeAlias = dict[str, SetupNetworkBondAttributes]
# Key: device name of a bond. Value: how it shall be. Bonds not named stay as they are.
SetupNetworkNetConfig: TypeAlias = dict[str, SetupNetworkNetAttributes]
# Key: name of a network. Value: how it shall be. Networks not named stay as they are.
StringMap: TypeAlias = dict[str, str]
# Free table of texts; key is a name and value its content, both defined by where the map is used.
UUID: TypeAlias = Annotated[str, Meta(pattern='^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')]
# Identifier of 32 hexadecimal digits in groups of 8-4-4-4-12, lower case. All zeros stands for none where a field
# allows that.
VmStatusChangeMap: TypeAlias = dict[UUID, VmStatusChange]
# Key: id of a VM. Value: what changed in it. An event holds exactly one entry.
BulkIoTunePolicyMap: TypeAlias = dict[UUID, BulkIoTunePolicy]
# Disk throttling of several VMs: the key is the VM id, the value its policy and current limits.
HostIdMap: TypeAlias = dict[UUID, int]
# Host ids in storage domains: the key is the domain id, the value the number of the host in that domain's lock
# space.
HostJobInfoMap: TypeAlias = dict[UUID, HostJobInfo]
# Background jobs: the key is the job id, the value the state of the job.
V2VJobs: TypeAlias = dict[UUID, V2VJobInfo]
# Imports known to the host: the key is the job id, the value the state of the import.
ImagePostZeroMap: TypeAlias = dict[UUID, bool]
# Images to delete; key is the image id, value is true when its data is overwritten with zeros before the space is
# freed.
StorageDomainFileStatsMap: TypeAlias = dict[str, StorageDomainFileStats]
# Files of a domain: the key is the path relative to the ISO directory, the value size and time.
StorageDomainStatusMap: TypeAlias = dict[UUID, StorageDomainStatus]
# Members of a pool: the key is the domain's id, the value its status in the pool.
StorageDomainVitalsMap: TypeAlias = dict[UUID, StorageDomainVitals]
# Check results of the monitored domains: the key is the domain's id, the value its last check.
XleasesDumpMap: TypeAlias = dict[UUID, XleaseDump]
# VM leases of a domain: the key is the lease's id, by custom the VM's, the value where it lies.
OVFMap: TypeAlias = dict[UUID, str]
# Stored VM descriptions: the key is the VM's id, the value its OVF document as XML text.
StoragePoolDomainInfoMap: TypeAlias = dict[UUID, StoragePoolDomainInfo]
# The domains of a pool: the key is the domain's id, the value what this host knows of it.
TasksDetails: TypeAlias = dict[UUID, TaskDetails]
# Key: task id. Value: all that is known of that task.
TasksInfo: TypeAlias = dict[UUID, TaskInfo]
# Key: task id. Value: which operation started it.
TasksStatus: TypeAlias = dict[UUID, TaskStatus]
# Key: task id. Value: its state and outcome.
DiskAlignmentMap: TypeAlias = dict[str, bool]
# Verdict per partition: the key is the partition's device name inside the disk, the value is true when it begins on
# a well aligned sector.
HibernationVolumeHandle: TypeAlias = str
# The two volumes of a saved VM, as six identifiers joined by commas: storage domain, pool, memory image, memory
# volume, configuration image, configuration volume. Two absolute paths joined by a comma (memory, configuration)
# name plain files or block devices instead.
if TYPE_CHECKING:
    VmInfo: TypeAlias = VmInfoObject | UUID
else:

    class VmInfo(metaclass=HoldsAnyMember):
        """One entry of a VM list: the whole definition, just the identifier, or identifier and status, depending on what
        the caller asked for.
        """


VmSharedDriveType: TypeAlias = bool | SharedDriveType
# Sharing of a drive: the name of the way, or from old engines a boolean, where true is shared and false is none.
GuestDisksMappingMap: TypeAlias = dict[str, GuestDiskMappingInfo]
# Disks as the guest names them; key is the serial number of the disk (start of the image id), value its guest name.
NetworkInterfaceStatsMap: TypeAlias = dict[str, NetworkInterfaceStats]
# Counters of all network cards of a VM; key is the device on the host (vnet0), value its counters.
VmDiskStatsMap: TypeAlias = dict[str, VmDiskStats]
# Figures of all drives of a VM; key is the device name within the VM (vda), value its figures.
VmJobsMap: TypeAlias = dict[UUID, VmJobInfo]
# Running jobs of a VM; key is the job id the caller gave, value what is known about the job.
Qcow2Bitmaps: TypeAlias = Qcow2BitmapInfo
# A dirty bitmap as listed for a volume; a volume may have several, and answers carry a list.
VolumesDumpMap: TypeAlias = dict[UUID, VolumeDump]
# Volumes of a domain: the key is the volume's id, the value what was found of it.
