"""Arguments and results of every verb of the node API, and how they travel.

Made from the schema by `python -m ovis.generate python`: edit the schema, not this file.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from ovis.client.types import *  # noqa: F403
from ovis.client.wire_values import in_bytes



class HostAbortV2VJobArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.abortV2VJob."""

    # Import job as named when the conversion was started.
    jobid: UUID


class HostAddImageTicketArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.add_image_ticket."""

    # What may be transferred, in which directions and for how long.
    ticket: ImageTicket


class HostConfirmConnectivityArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.confirmConnectivity."""



class HostConvertExternalVmArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.convertExternalVm."""

    # Libvirt URI of the foreign hypervisor, starting with vpx, esx, xen or qemu; without a password, and without
    # options that make the library run programs.
    uri: str
    # Account used to log in to the foreign hypervisor; empty when the URI needs none.
    username: str
    # Password of that account; empty when the login works with SSH keys.
    password: str
    # Name of the foreign VM and the volumes that receive its disks.
    vminfo: ExternalVmParams
    # New id chosen by the caller, used to follow, abort and delete the import.
    jobid: UUID


class HostConvertExternalVmFromOvaArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.convertExternalVmFromOva."""

    # Absolute path of the OVA file or unpacked directory in the host's file system.
    ova_path: str
    # Name for the imported VM and the volumes that receive its disks.
    vminfo: ExternalVmParams
    # New id chosen by the caller, used to follow, abort and delete the import.
    jobid: UUID


class HostDeleteV2VJobArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.deleteV2VJob."""

    # Import job that is done, failed or aborted.
    jobid: UUID


class HostDumpxmlsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.dumpxmls."""

    # Ids of the VMs wanted; an empty list means all VMs of the host.
    vm_list: list[UUID] = field(name="vmList", default_factory=lambda: [])


class HostEchoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.echo."""

    # Any text; it is not interpreted or stored.
    message: str


class HostExtendImageTicketArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.extend_image_ticket."""

    # Ticket to prolong, as named when it was added.
    uuid: UUID
    # Seconds from now after which the ticket expires. [s]
    timeout: UInt


class HostFenceNodeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.fenceNode."""

    # Host name or IP address of the power management controller.
    addr: str
    # TCP or UDP port of the controller; 0 means the default of the fence agent.
    port: Annotated[int, Meta(ge=0, le=65535)]
    # Kind of controller, which is the fence agent's program name without the fence_ prefix, such as ipmilan.
    agent: str
    # Account on the power management controller.
    username: str
    # Password of the controller's account.
    password: str
    # Whether to query the power or to change it.
    action: FenceNodeAction
    # Whether the agent connects to the controller over SSH or TLS.
    secure: bool = field(default_factory=lambda: False)
    # Further agent options as key=value, one per line or separated by commas; empty for none.
    options: str = field(default_factory=lambda: '')
    # Conditions under which a power change is skipped; absent means never skip.
    policy: FencingPolicy | None = None


class HostGetImageTicketArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.get_image_ticket."""

    # Ticket to look at, as named when it was added.
    uuid: UUID


class HostGetAllTasksArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getAllTasks."""



class HostGetAllTasksInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getAllTasksInfo."""



class HostGetAllTasksStatusesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getAllTasksStatuses."""



class HostGetAllVmIoTunePoliciesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getAllVmIoTunePolicies."""



class HostGetAllVmStatsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getAllVmStats."""



class HostGetCapabilitiesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getCapabilities."""



class HostGetConnectedStoragePoolsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getConnectedStoragePools."""



class HostGetConvertedVmArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getConvertedVm."""

    # Import job that has ended successfully.
    jobid: UUID


class HostGetDeviceListArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getDeviceList."""

    # Restricts the list to devices reached in this way; absent means all devices.
    storage_type: BlockDeviceType | None = field(name="storageType", default=None)
    # Restricts the list to these multipath identifiers; an empty list means all devices.
    guids: list[str] = field(default_factory=lambda: [])
    # Whether to test with LVM if each device is free; when false every status is reported as unknown.
    check_status: bool = field(name="checkStatus", default_factory=lambda: True)
    # Whether to rescan the storage buses first; when false only devices already known are listed.
    refresh: bool = field(default_factory=lambda: True)


class HostGetDevicesVisibilityArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getDevicesVisibility."""

    # Multipath identifiers of the devices to look for.
    guid_list: list[str] = field(name="guidList")


class HostGetExternalVmFromOvaArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getExternalVmFromOva."""

    # Absolute path of the OVA file or unpacked directory in the host's file system.
    ova_path: str


class HostGetExternalVMNamesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getExternalVMNames."""

    # Libvirt URI of the foreign hypervisor.
    uri: str
    # Account used to log in to the foreign hypervisor; empty when the URI needs none.
    username: str
    # Password of that account; empty when the login works with SSH keys.
    password: str


class HostGetExternalVMsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getExternalVMs."""

    # Libvirt URI of the foreign hypervisor.
    uri: str
    # Account used to log in to the foreign hypervisor; empty when the URI needs none.
    username: str
    # Password of that account; empty when the login works with SSH keys.
    password: str
    # Names of the VMs to describe; absent or empty means all.
    vm_names: list[str] | None = None


class HostGetHardwareInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getHardwareInfo."""



class HostGetJobsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getJobs."""

    # Restricts the answer to jobs of this kind; absent means all kinds.
    job_type: HostJobType | None = None
    # Restricts the answer to these jobs; an empty list means all. Unknown ids are left out.
    job_ids: list[UUID] = field(default_factory=lambda: [])


class HostGetLldpArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getLldp."""

    # Key devices holds the names of the network cards wanted; absent or empty means all cards.
    filter: StringListMap | None = None


class HostGetLVMVolumeGroupsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getLVMVolumeGroups."""

    # Restricts the list to groups on devices reached in this way; absent means all groups.
    storage_type: BlockDeviceType | None = field(name="storageType", default=None)


class HostGetNetworkCapabilitiesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getNetworkCapabilities."""



class HostGetNetworkStatisticsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getNetworkStatistics."""



class HostGetStatsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getStats."""



class HostGetStorageDomainsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getStorageDomains."""

    # Restricts the list to members of this pool, which must be connected; absent or the zero UUID means all
    # domains.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Restricts the list to domains of this purpose; absent means any purpose.
    domain_class: StorageDomainImageClass | None = field(name="domainClass", default=None)
    # Restricts the list to domains on this kind of storage; absent means any kind.
    storage_type: StorageDomainType | None = field(name="storageType", default=None)
    # Restricts the list to the domain on this export or path, such as server:/export; absent means any path.
    remote_path: str | None = field(name="remotePath", default=None)


class HostGetStorageRepoStatsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getStorageRepoStats."""

    # Domains wanted; an empty list means all monitored domains.
    domains: list[UUID] = field(default_factory=lambda: [])


class HostGetVMFullListArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getVMFullList."""

    # Ids of the VMs wanted; an empty list means all. Unknown ids are left out.
    vm_list: list[UUID] = field(name="vmList", default_factory=lambda: [])


class HostGetVMListArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.getVMList."""

    # Accepted for old clients and ignored: full descriptions are never included.
    full_status: bool = field(name="fullStatus", default_factory=lambda: False)
    # Ids of the VMs wanted; an empty list means all. Unknown ids are left out.
    vm_list: list[UUID] = field(name="vmList", default_factory=lambda: [])
    # Whether each element is a bare VM id; when false it is an object with id and status.
    only_uuid: bool = field(name="onlyUUID", default_factory=lambda: True)


class HostHostdevChangeNumvfsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.hostdevChangeNumvfs."""

    # Libvirt name of the card's PCI device, such as pci_0000_05_00_0.
    device_name: str = field(name="deviceName")
    # Number of virtual functions to offer; 0 switches them off.
    numvfs: UInt


class HostHostdevListByCapsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.hostdevListByCaps."""

    # Kinds of devices wanted, as libvirt names them (pci, usb_device, scsi, scsi_generic, net, mdev, nvdimm);
    # absent or empty means all.
    caps: list[str] | None = None


class HostHostdevReattachArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.hostdevReattach."""

    # Libvirt name of the device to give back, such as pci_0000_05_00_0.
    device_name: str = field(name="deviceName")


class HostPingArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.ping."""



class HostPing2Args(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.ping2."""



class HostRegisterSecretsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.registerSecrets."""

    # Secrets to register, all checked before the first one is stored.
    secrets: list[SecretInfo]
    # Whether secrets registered earlier by the agent that are not in this list are removed.
    clear: bool = field(default_factory=lambda: False)


class HostRemoveImageTicketArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.remove_image_ticket."""

    # Ticket to remove, as named when it was added.
    uuid: UUID


class HostSetHaMaintenanceModeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.setHaMaintenanceMode."""

    # Whether the setting concerns this host or the whole cluster.
    mode: HaMaintenanceMode
    # True enters the maintenance mode, false leaves it.
    enabled: bool


class HostSetKsmTuneArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.setKsmTune."""

    # Parameters to change, named as in /sys/kernel/mm/ksm.
    tuning_params: KsmTuneParams = field(name="tuningParams")


class HostSetLogLevelArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.setLogLevel."""

    # Least severity that is still written.
    level: LoggingLevel
    # Logger the setting applies to; the empty text means the root logger and thereby all others.
    name: str = field(default_factory=lambda: '')


class HostSetMOMPolicyArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.setMOMPolicy."""

    # Complete policy in the tuner's (MOM) rule language.
    policy: str


class HostSetMOMPolicyParametersArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.setMOMPolicyParameters."""

    # Object with variable names as keys and numbers, booleans or texts as values.
    key_value_store: Any


class HostSetSafeNetworkConfigArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.setSafeNetworkConfig."""



class HostSetupNetworksArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.setupNetworks."""

    # Wanted networks keyed by name; a network marked remove is taken away. Absent means no change.
    networks: SetupNetworkNetConfig | None = None
    # Wanted bonds keyed by name; a bond marked remove is taken away. Absent means no change.
    bondings: SetupNetworkBondConfig | None = None
    # How the change is confirmed and saved; absent means without a connectivity check.
    options: SetupNetworkOptions | None = None


class HostStartMonitoringDomainArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.startMonitoringDomain."""

    # Storage domain to watch; its storage connection should already exist.
    sd_uuid: UUID = field(name="sdUUID")
    # Number under which this host takes part in the domain's locking, unique among all hosts using it.
    host_id: Annotated[int, Meta(ge=1, le=2000)] = field(name="hostID")


class HostStopMonitoringDomainArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.stopMonitoringDomain."""

    # Storage domain that shall no longer be watched.
    sd_uuid: UUID = field(name="sdUUID")


class HostUnregisterSecretsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Host.unregisterSecrets."""

    # Ids of the secrets to remove, as given when they were registered.
    uuids: list[UUID]


class ImageCloneStructureArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.cloneStructure."""

    # Image whose chain is reproduced; the new one has the same id.
    image_id: UUID = field(name="imageID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the existing image.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Domain in which the empty chain is made.
    dst_sd_uuid: UUID = field(name="dstSdUUID")


class ImageDeleteArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.delete."""

    # Image that is deleted.
    image_id: UUID = field(name="imageID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the image.
    storagedomain_id: UUID = field(name="storagedomainID")
    # True overwrites the removed data with zeros, for disks that hold secrets; ignored on file storage. Engines
    # send it as text.
    post_zero: bool = field(name="postZero", default_factory=lambda: False)
    # True deletes a template even if disks build on it, and remains of broken images. Engines send it as text.
    force: bool = field(default_factory=lambda: False)
    # True tells block storage, before a volume is removed, that its blocks are free; storage without discard
    # support ignores it.
    discard: bool = field(default_factory=lambda: False)


class ImageDeleteVolumesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.deleteVolumes."""

    # Image to which all the volumes belong.
    image_id: UUID = field(name="imageID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the image.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Volumes to delete, in the order in which they go.
    volume_list: list[UUID] = field(name="volumeList")
    # True overwrites the removed data with zeros, for disks that hold secrets; ignored on file storage. Engines
    # send it as text.
    post_zero: bool = field(name="postZero", default_factory=lambda: False)
    # True skips the checks that protect volumes which others depend on. Engines send it as text.
    force: bool = field(default_factory=lambda: False)
    # True tells block storage, before a volume is removed, that its blocks are free; storage without discard
    # support ignores it.
    discard: bool = field(default_factory=lambda: False)


class ImageDownloadArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.download."""

    # Where the data comes from.
    method_args: ImageSharingMethodArgs = field(name="methodArgs")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the image.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image that receives the data.
    image_id: UUID = field(name="imageID")
    # Volume that receives the data. When left out, the image's leaf is used.
    volume_id: UUID | None = field(name="volumeID", default=None)


class ImageGetVolumesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.getVolumes."""

    # Image whose volumes are wanted.
    image_id: UUID = field(name="imageID")
    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the image.
    storagedomain_id: UUID = field(name="storagedomainID")


class ImageMoveArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.move."""

    # Image that is moved or copied; it keeps its id.
    image_id: UUID = field(name="imageID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the image now.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Domain that receives the image.
    dst_sd_uuid: UUID = field(name="dstSdUUID")
    # Whether the source stays, as a number: 1 copy, 2 move.
    operation: ImageMoveOperationId
    # True overwrites the removed data with zeros, for disks that hold secrets; ignored on file storage. Engines
    # send it as text.
    post_zero: bool = field(name="postZero", default_factory=lambda: False)
    # True replaces an image with the same id in the destination. Engines send it as text.
    force: bool = field(default_factory=lambda: False)
    # True tells block storage, before a volume is removed, that its blocks are free; storage without discard
    # support ignores it.
    discard: bool = field(default_factory=lambda: False)


class ImagePrepareArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.prepare."""

    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the image.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image whose chain is prepared.
    image_id: UUID = field(name="imageID")
    # Volume that shall be used; it is prepared with all its parents. When left out, the image's leaf is used.
    volume_id: UUID | None = field(name="volumeID", default=None)
    # True prepares the chain even if a volume in it is marked illegal, for repair or for filling a new disk.
    allow_illegal: bool = field(name="allowIllegal", default_factory=lambda: False)


class ImageReconcileVolumeChainArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.reconcileVolumeChain."""

    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the image.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image whose chain is checked.
    image_id: UUID = field(name="imageID")
    # Last volume of the chain that the caller knows of; the search starts there.
    leaf_vol_id: UUID = field(name="leafVolID")


class ImageSyncDataArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.syncData."""

    # Image to copy; its twin has the same id.
    image_id: UUID = field(name="imageID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the data.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Domain that holds the empty chain.
    dst_sd_uuid: UUID = field(name="dstSdUUID")
    # Which volumes of the chain are copied.
    sync_type: syncType = field(name="syncType")


class ImageTeardownArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.teardown."""

    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the image.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image that this host stops using.
    image_id: UUID = field(name="imageID")
    # Leaf volume that was prepared; ignored, all volumes of the image are torn down.
    volume_id: UUID | None = field(name="volumeID", default=None)


class ImageUploadArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Image.upload."""

    # Where the data goes to.
    method_args: ImageSharingMethodArgs = field(name="methodArgs")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the image.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image whose data is sent.
    image_id: UUID = field(name="imageID")
    # Volume whose data is sent. When left out, the image's leaf is used.
    volume_id: UUID | None = field(name="volumeID", default=None)


class ISCSIConnectionDiscoverSendTargetsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of ISCSIConnection.discoverSendTargets."""

    # Name or IP address of the portal.
    host: str
    # TCP port of the portal, normally 3260.
    port: Annotated[int, Meta(ge=1, le=65535)]
    # CHAP user for the discovery; empty asks without a login.
    user: str = field(default_factory=lambda: '')
    # CHAP secret that goes with user; ignored when user is empty.
    password: str = field(default_factory=lambda: '')
    # True keeps portals with IPv6 addresses in the answer; false drops them.
    ipv6_enabled: bool = field(default_factory=lambda: False)


class LeaseCreateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Lease.create."""

    # Domain and id of the lease to be made; for a VM's lease the id is that of the VM.
    lease: Lease
    # First content of the lease's data block, telling which job it protects. Absent: the block stays empty, as for
    # leases of VMs.
    metadata: LeaseMetadata | None = None


class LeaseDeleteArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Lease.delete."""

    # Domain and id of the lease to be removed.
    lease: Lease


class LeaseFenceArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Lease.fence."""

    # Domain and id of the lease that protects the job.
    lease: Lease
    # What the caller believes is stored: job, generation and status pending must match what is found, else nothing
    # is done.
    metadata: LeaseMetadata


class LeaseInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Lease.info."""

    # Domain and id of the lease to locate.
    lease: Lease


class LeaseRebuildLeasesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Lease.rebuild_leases."""

    # Storage domain whose lease index is to be rebuilt.
    sd_id: UUID


class LeaseStatusArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Lease.status."""

    # Domain and id of the lease to examine.
    lease: Lease


class LVMVolumeGroupCreateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of LVMVolumeGroup.create."""

    # Ignored: LVM itself chooses the id of a new group.
    lvmvolumegroup_id: str | None = field(name="lvmvolumegroupID", default=None)
    # Name of the group, which is the id of the storage domain to be made on it.
    name: UUID
    # Multipath identifiers of the LUNs to use, at most 10; the first one holds the LVM metadata.
    devlist: list[str]
    # True takes LUNs that carry partitions or belonged to another group; false refuses them.
    force: bool = field(default_factory=lambda: False)


class LVMVolumeGroupGetInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of LVMVolumeGroup.getInfo."""

    # Group to look at: the id LVM gave it, not a UUID in the usual form.
    lvmvolumegroup_id: str = field(name="lvmvolumegroupID")


class LVMVolumeGroupRemoveArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of LVMVolumeGroup.remove."""

    # Group to delete: the id LVM gave it, not a UUID in the usual form.
    lvmvolumegroup_id: str = field(name="lvmvolumegroupID")


class ManagedVolumeAttachVolumeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of ManagedVolume.attach_volume."""

    # Identifier of the volume at the storage system.
    vol_id: UUID
    # How to reach the volume, exactly as the storage system's driver gave it for this host.
    connection_info: ManagedVolumeConnection
    # The managed storage domain the volume belongs to; names the stable link to its device. All zeros: none, as
    # from clients before 4.5.1.
    sd_id: UUID = field(default_factory=lambda: '00000000-0000-0000-0000-000000000000')


class ManagedVolumeDetachVolumeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of ManagedVolume.detach_volume."""

    # Identifier of the volume at the storage system, as given when attaching.
    vol_id: UUID
    # The managed storage domain given when attaching; all zeros if none was given.
    sd_id: UUID = field(default_factory=lambda: '00000000-0000-0000-0000-000000000000')


class ManagedVolumeVolumesInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of ManagedVolume.volumes_info."""

    # Only volumes with these ids; unknown ones are left out of the answer. Empty or absent: all.
    vol_ids: list[UUID] = field(default_factory=lambda: [])


class NBDStartServerArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of NBD.start_server."""

    # Identifier chosen by the caller, unique on the host; stop_server needs it.
    server_id: UUID
    # Which volume to serve and how.
    config: NBDServerConfig


class NBDStopServerArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of NBD.stop_server."""

    # Identifier under which the server was started.
    server_id: UUID


class OVAAbortArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of OVA.abort."""

    # Export to stop.
    job_id: UUID = field(name="jobID")


class OVAExportArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of OVA.export."""

    # Absolute path of the archive in the host's file system; the name ends in .ova, the folder exists, the file
    # does not.
    path: str
    # What the description tells, and which disks are written.
    vm: OvaVm
    # New id chosen by the caller, used to follow and stop the export.
    job_id: UUID = field(name="jobID")
    # True: clusters of the disks are compressed; smaller and slower to write.
    compressed: bool = field(default_factory=lambda: False)
    # True: a manifest with SHA-256 checksums comes last; every byte is read once more for it.
    manifest: bool = field(default_factory=lambda: False)


class PolicyShowArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Policy.show."""



class PolicyWhatIfArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Policy.whatIf."""

    # Rules to be tried; absent: those in force.
    policy: str | None = None


class SDMAddBitmapArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.add_bitmap."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # Volume that gets the bitmap, with its expected generation.
    vol_info: CopyDataDIVEndpoint
    # Name of the new bitmap, normally a checkpoint id; the job fails when it exists already.
    bitmap: str


class SDMAmendVolumeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.amend_volume."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # Volume to change, with its expected generation; it must be qcow2.
    vol_info: CopyDataDIVEndpoint
    # What the volume's header is to become; a field left out stays as it is.
    qcow2_attr: Qcow2Attributes


class SDMClearBitmapsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.clear_bitmaps."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # Volume that loses its bitmaps, with its expected generation.
    vol_info: CopyDataDIVEndpoint


class SDMCopyDataArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.copy_data."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # Where the data comes from; shared with other readers while the job runs.
    source: CopyDataEndpoint
    # Where the data goes to, with its expected generation; used by this job alone.
    destination: CopyDataEndpoint
    # True also copies valid dirty bitmaps; both ends have to be qcow2.
    copy_bitmaps: bool = field(default_factory=lambda: False)


class SDMMergeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.merge."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # The upper and the lower volume, which must be neighbours in the chain.
    subchain_info: SubchainInfo
    # True joins the dirty bitmaps of both volumes in the lower one.
    merge_bitmaps: bool = field(default_factory=lambda: False)


class SDMMoveDomainDeviceArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.move_domain_device."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # The domain, the LUN to empty and optionally the LUNs to use instead.
    move_params: StorageDomainDeviceMoveParams


class SDMReduceDomainArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.reduce_domain."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # The domain and the LUN that leaves it.
    reduce_params: StorageDomainReduceParams


class SDMRemoveBitmapArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.remove_bitmap."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # Volume that loses the bitmap, with its expected generation.
    vol_info: CopyDataDIVEndpoint
    # Name of the bitmap to remove; the job fails when the volume has none of that name.
    bitmap: str


class SDMSparsifyVolumeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.sparsify_volume."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # Volume to shrink on the storage, with its expected generation; its size for the guest stays.
    vol_info: CopyDataDIVEndpoint


class SDMUpdateVolumeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of SDM.update_volume."""

    # New id chosen by the caller, under which the job is followed; an id in use is refused.
    job_id: UUID
    # Volume whose metadata changes, with its expected generation.
    vol_info: CopyDataDIVEndpoint
    # New values; an attribute left out stays as it is.
    vol_attr: VolumeAttributes


class StorageDomainActivateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.activate."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Pool to which the domain belongs; this host must be connected to it.
    storagepool_id: UUID = field(name="storagepoolID")


class StorageDomainAttachArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.attach."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Pool that the domain shall join; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")


class StorageDomainCreateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.create."""

    # Id that the new domain shall have, chosen by the engine.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Kind of storage that holds the domain, as a number.
    domain_type: StorageDomainTypeId = field(name="domainType")
    # Where the domain goes. File storage: the remote path exactly as in the connection, such as server:/export.
    # Block storage: the LVM UUID of the prepared volume group. Existing engines send plain text, never an object.
    type_args: str = field(name="typeArgs")
    # Human-readable domain name; stored as the description in the domain's metadata.
    name: str
    # What the domain is for, as a number.
    domain_class: StorageDomainClassId = field(name="domainClass")
    # Domain format, sent as text by engines. When left out, format 0 is taken, as in the first releases; give 5 for
    # new domains.
    version: Annotated[int, Meta(ge=0, le=5)] | None = None
    # Size of the smallest write on the storage, 512 or 4096 bytes; 0 asks the node to find out. 4096 needs format 5
    # and file storage. [bytes]
    block_size: int = field(name="blockSize", default_factory=lambda: 512)
    # How many hosts the domain must be able to serve. On 4096-byte storage it decides how far apart leases lie, on
    # others it has no effect.
    max_hosts: Annotated[int, Meta(ge=1, le=2000)] = field(name="maxHosts", default_factory=lambda: 2000)


class StorageDomainDeactivateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.deactivate."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Pool to which the domain belongs; this host must be connected to it.
    storagepool_id: UUID = field(name="storagepoolID")
    # Domain that becomes the master if the deactivated one was; the all-zero id keeps the present master.
    master_sd_uuid: UUID | None = field(name="masterSdUUID", default=None)
    # Version for a new master; must be higher than the current one when the master moves.
    master_version: Annotated[int, Meta(ge=0)] = field(name="masterVersion", default_factory=lambda: 0)


class StorageDomainDetachArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.detach."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Pool that the domain leaves.
    storagepool_id: UUID = field(name="storagepoolID")
    # Domain that is or becomes the pool's master. When left out, or all zero, the master does not move.
    master_sd_uuid: UUID | None = field(name="masterSdUUID", default=None)
    # Version of the master named in the call; 0 when no master is named.
    master_version: Annotated[int, Meta(ge=0)] = field(name="masterVersion", default_factory=lambda: 0)
    # True removes the pool's mark from the domain without asking the pool; meant for a pool that no longer exists.
    force: bool = field(default_factory=lambda: False)


class StorageDomainDumpArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.dump."""

    # Storage domain whose metadata is read.
    sd_id: UUID
    # True adds the sanlock leases and the lockspace, which takes longer to read.
    full: bool = field(default_factory=lambda: False)


class StorageDomainExtendArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.extend."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Pool to which the domain belongs; this host must be connected to it.
    storagepool_id: UUID = field(name="storagepoolID")
    # Multipath GUIDs of the LUNs to add; a volume group takes at most 10.
    devlist: list[str]
    # True takes LUNs even if they carry data or LVM labels, which is lost; by default such LUNs are refused.
    force: bool = field(default_factory=lambda: False)


class StorageDomainFormatArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.format."""

    # Domain that is destroyed with everything on it.
    storagedomain_id: UUID = field(name="storagedomainID")
    # True first detaches the domain if a pool still claims it; by default an attached domain is refused.
    auto_detach: bool = field(name="autoDetach", default_factory=lambda: False)


class StorageDomainGetFileStatsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.getFileStats."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Shell pattern for the file name, such as *.iso; the default matches every file.
    pattern: str = field(default_factory=lambda: '*')
    # True compares letter case too; by default Setup.ISO matches *.iso.
    case_sensitive: bool = field(name="caseSensitive", default_factory=lambda: False)


class StorageDomainGetImagesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.getImages."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")


class StorageDomainGetInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.getInfo."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")


class StorageDomainGetStatsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.getStats."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")


class StorageDomainGetVolumesArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.getVolumes."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Pool to which the domain belongs; only logged.
    storagepool_id: UUID = field(name="storagepoolID")
    # Image whose volumes are wanted. When left out, or all zero, the volumes of all images are listed.
    image_id: UUID | None = field(name="imageID", default=None)


class StorageDomainResizePVArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.resizePV."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Pool to which the domain belongs; this host must be connected to it.
    storagepool_id: UUID = field(name="storagepoolID")
    # Multipath GUID of the enlarged LUN.
    guid: str


class StorageDomainSetDescriptionArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.setDescription."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")
    # New name; must fit into the metadata, on formats before 3 only ASCII.
    description: str


class StorageDomainValidateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StorageDomain.validate."""

    # Storage domain that the call is about.
    storagedomain_id: UUID = field(name="storagedomainID")


class StoragePoolConnectArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.connect."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Number of this host in the pool, unique among its hosts; it is this host's slot in every lockspace and
    # mailbox.
    host_id: Annotated[int, Meta(ge=1, le=2000)] = field(name="hostID")
    # Once a SCSI reservation key; accepted because engines still send it (usually the pool id), never used.
    scsi_key: str | None = field(name="scsiKey", default=None)
    # Storage domain that the caller believes to be the pool's master; refused when the domain's metadata says
    # otherwise.
    master_sd_uuid: UUID = field(name="masterSdUUID")
    # Version of the pool's master that the caller knows; it grows by one whenever the master moves, so an outdated
    # master is recognised.
    master_version: Annotated[int, Meta(ge=0)] = field(name="masterVersion")
    # Domains of the pool and their wanted status. When left out, the list stored in the master domain's metadata is
    # used.
    domain_dict: StorageDomainStatusMap | None = field(name="domainDict", default=None)


class StoragePoolConnectStorageServerArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.connectStorageServer."""

    # Pool for which the connection is wanted; only logged. The all-zero id is sent when no pool exists yet.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Kind of storage that all listed connections have; it also tells which fields the connection parameters carry.
    domain_type: StorageDomainTypeId = field(name="domainType")
    # Connections to make, one entry for each export or each iSCSI target portal; an empty list does nothing.
    connection_params: list[ConnectionRefParameters] = field(name="connectionParams")


class StoragePoolCreateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.create."""

    # Id that the new pool shall have, chosen by the engine.
    storagepool_id: UUID = field(name="storagepoolID")
    # Human-readable pool name, stored as the pool's description in the master domain.
    name: str
    # Data domain that becomes the pool's master; it must also be in the list of domains.
    master_sd_uuid: UUID = field(name="masterSdUUID")
    # First version number of the master, normally 1.
    master_version: Annotated[int, Meta(ge=0)] = field(name="masterVersion")
    # All domains that the new pool consists of, the master included.
    domain_list: list[UUID] = field(name="domainList")
    # How often the SPM renews its lease, in seconds. Has meaning only for domain formats 0 and 2; sanlock has its
    # own timing. [s]
    lock_renewal_interval_sec: Annotated[int, Meta(ge=0)] = field(name="lockRenewalIntervalSec", default_factory=lambda: 5)
    # How long a lease stays valid without renewal, in seconds. Has meaning only for domain formats 0 and 2. [s]
    lease_time_sec: Annotated[int, Meta(ge=0)] = field(name="leaseTimeSec", default_factory=lambda: 60)
    # Longest time, in seconds, that one read or write of the lease may take. Has meaning only for domain formats 0
    # and 2. [s]
    io_op_timeout_sec: Annotated[int, Meta(ge=0)] = field(name="ioOpTimeoutSec", default_factory=lambda: 10)
    # How many failed renewals are tolerated before the lease counts as lost. Has meaning only for domain formats 0
    # and 2.
    lease_retries: Annotated[int, Meta(ge=0)] = field(name="leaseRetries", default_factory=lambda: 3)


class StoragePoolDestroyArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.destroy."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Number of this host in the pool; must be the one it connected with.
    host_id: Annotated[int, Meta(ge=1, le=2000)] = field(name="hostID")
    # Once a SCSI reservation key; accepted because engines still send it (usually the pool id), never used.
    scsi_key: str | None = field(name="scsiKey", default=None)


class StoragePoolDisconnectArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.disconnect."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Number of this host in the pool; must be the one it connected with.
    host_id: Annotated[int, Meta(ge=1, le=2000)] = field(name="hostID")
    # Once a SCSI reservation key; accepted because engines still send it (usually the pool id), never used.
    scsi_key: str | None = field(name="scsiKey", default=None)
    # True also clears what this host remembers about the pool, for a host that leaves for good.
    remove: bool = field(default_factory=lambda: False)


class StoragePoolDisconnectStorageServerArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.disconnectStorageServer."""

    # Pool for which the connection is wanted; only logged. The all-zero id is sent when no pool exists yet.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Kind of storage of all listed connections, as the number that was used for connecting.
    domain_type: StorageDomainTypeId = field(name="domainType")
    # Connections to drop, described with the same values as when they were made.
    connection_params: list[ConnectionRefParameters] = field(name="connectionParams")


class StoragePoolFinalizeMergeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.finalizeMerge."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # The two neighbouring volumes that were merged and the generation that the base must have.
    subchain_info: SubchainInfo = field(name="subchainInfo")


class StoragePoolGetBackedUpVmsInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.getBackedUpVmsInfo."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Export domain to read, or the all-zero id for the pool's master domain.
    storagedomain_id: UUID = field(name="storagedomainID")
    # VMs whose descriptions are wanted; an empty list means every VM found on the domain.
    vm_list: list[UUID] = field(name="vmList", default_factory=lambda: [])


class StoragePoolGetBackedUpVmsListArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.getBackedUpVmsList."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Export domain to look at. When left out, the pool's master domain is used.
    storagedomain_id: UUID | None = field(name="storagedomainID", default=None)


class StoragePoolGetDomainsContainingImageArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.getDomainsContainingImage."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Image (disk) to search for.
    image_id: UUID = field(name="imageID")


class StoragePoolGetInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.getInfo."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")


class StoragePoolGetSpmStatusArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.getSpmStatus."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")


class StoragePoolPrepareMergeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.prepareMerge."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # The two neighbouring volumes that shall become one and the generation that the base must have.
    subchain_info: SubchainInfo = field(name="subchainInfo")


class StoragePoolReconstructMasterArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.reconstructMaster."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Number of this host in the pool, needed to take the lease of the new master.
    host_id: Annotated[int, Meta(ge=1, le=2000)] = field(name="hostId")
    # Human-readable pool name to write into the new metadata.
    name: str
    # Data domain that becomes the new master.
    master_sd_uuid: UUID = field(name="masterSdUUID")
    # Version to give the new master; must be higher than that of any earlier master.
    master_version: Annotated[int, Meta(ge=0)] = field(name="masterVersion")
    # All domains of the pool and the status to record for each.
    domain_dict: StorageDomainStatusMap = field(name="domainDict")
    # How often the SPM renews its lease, in seconds. Has meaning only for domain formats 0 and 2; sanlock has its
    # own timing. [s]
    lock_renewal_interval_sec: Annotated[int, Meta(ge=0)] = field(name="lockRenewalIntervalSec", default_factory=lambda: 5)
    # How long a lease stays valid without renewal, in seconds. Has meaning only for domain formats 0 and 2. [s]
    lease_time_sec: Annotated[int, Meta(ge=0)] = field(name="leaseTimeSec", default_factory=lambda: 60)
    # Longest time, in seconds, that one read or write of the lease may take. Has meaning only for domain formats 0
    # and 2. [s]
    io_op_timeout_sec: Annotated[int, Meta(ge=0)] = field(name="ioOpTimeoutSec", default_factory=lambda: 10)
    # How many failed renewals are tolerated before the lease counts as lost. Has meaning only for domain formats 0
    # and 2.
    lease_retries: Annotated[int, Meta(ge=0)] = field(name="leaseRetries", default_factory=lambda: 3)


class StoragePoolReduceVolumeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.reduceVolume."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain on which the volume lies.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # Volume that gives back unused space.
    volume_id: UUID = field(name="volumeID")
    # True also shrinks a volume that a VM writes to, keeping enough room for growth; by default only volumes that
    # nobody writes to are shrunk.
    allow_active: bool = field(name="allowActive", default_factory=lambda: False)


class StoragePoolRefreshArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.refresh."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that the caller believes to be the pool's master; refused when the domain's metadata says
    # otherwise.
    master_sd_uuid: UUID = field(name="masterSdUUID")
    # Version of the pool's master that the caller knows; it grows by one whenever the master moves, so an outdated
    # master is recognised.
    master_version: Annotated[int, Meta(ge=0)] = field(name="masterVersion")


class StoragePoolRemoveVMArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.removeVM."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # VM whose description is deleted.
    vm_uuid: UUID = field(name="vmUUID")
    # Export domain to delete from. When left out, the pool's master domain is used.
    storagedomain_id: UUID | None = field(name="storagedomainID", default=None)


class StoragePoolSetDescriptionArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.setDescription."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # New name; may hold any characters, but must fit into the metadata.
    description: str


class StoragePoolSpmStartArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.spmStart."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Host number of the SPM that the caller saw last, -1 when there was none; a mismatch is only noted.
    prev_id: Annotated[int, Meta(ge=-1, le=2000)] = field(name="prevID")
    # Lease version that the caller saw last, -1 when unknown; it guards against two engines starting an SPM at
    # once.
    prev_lver: Annotated[int, Meta(ge=-1)] = field(name="prevLver")
    # Once asked to fence the former SPM by SCSI reservation; still sent by engines and ignored.
    enable_scsi_fencing: bool = field(name="enableScsiFencing", default_factory=lambda: False)
    # Highest host number in the pool, which sets how many mailboxes are watched. When left out, the format's
    # maximum is used.
    max_host_id: Annotated[int, Meta(ge=1, le=2000)] | None = field(name="maxHostID", default=None)
    # Domain format to which the pool's domains are upgraded once this host is SPM. When left out, the formats stay
    # as they are.
    dom_version: Annotated[int, Meta(ge=0, le=5)] | None = field(name="domVersion", default=None)


class StoragePoolSpmStopArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.spmStop."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")


class StoragePoolSwitchMasterArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.switchMaster."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Domain that is the master now.
    old_master_uuid: UUID = field(name="oldMasterUUID")
    # Active data domain that takes over the master role.
    new_master_uuid: UUID = field(name="newMasterUUID")
    # Version for the new master; must be higher than the current one.
    master_version: Annotated[int, Meta(ge=0)] = field(name="masterVersion")


class StoragePoolUpdateVMsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.updateVMs."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # VMs to store, each with its description and its disks.
    vm_list: list[UpdateVmDefinition] = field(name="vmList")
    # Export domain to write to. When left out, the pool's master domain is used.
    storagedomain_id: UUID | None = field(name="storagedomainID", default=None)


class StoragePoolUpgradeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of StoragePool.upgrade."""

    # Pool that the call is about, as named by the engine when the pool was created.
    storagepool_id: UUID = field(name="storagepoolID")
    # Domain format wanted for the whole pool; engines send the number as text.
    target_dom_version: Annotated[int, Meta(ge=0, le=5)] = field(name="targetDomVersion")


class TaskClearArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Task.clear."""

    # The task to forget, as answered by the verb that started it.
    task_id: UUID = field(name="taskID")


class TaskGetInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Task.getInfo."""

    # The task asked about, as answered by the verb that started it.
    task_id: UUID = field(name="taskID")


class TaskGetStatusArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Task.getStatus."""

    # The task asked about, as answered by the verb that started it.
    task_id: UUID = field(name="taskID")


class TaskRevertArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Task.revert."""

    # The ended task whose effects are to be undone.
    task_id: UUID = field(name="taskID")


class TaskStopArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Task.stop."""

    # The task to end early, as answered by the verb that started it.
    task_id: UUID = field(name="taskID")


class VMBackupInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.backup_info."""

    # The VM whose backup is asked about.
    vm_id: UUID = field(name="vmID")
    # Identifier that the caller gave to start_backup; any other value answers NoSuchBackupError.
    backup_id: UUID
    # Checkpoint whose XML is wanted in the answer too; absent leaves the XML out.
    checkpoint_id: UUID | None = None


class VMChangeCDArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.changeCD."""

    # The VM with the CD drive.
    vm_id: UUID = field(name="vmID")
    # The medium to load, as a path or as the four identifiers of a volume; an empty path ejects.
    drive_spec: DriveSpec = field(name="driveSpec")


class VMChangeFloppyArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.changeFloppy."""

    # The VM with the floppy drive.
    vm_id: UUID = field(name="vmID")
    # The floppy image to insert; an empty path leaves the drive empty.
    drive_spec: DriveSpec = field(name="driveSpec")


class VMContArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.cont."""

    # The VM whose CPUs shall continue.
    vm_id: UUID = field(name="vmID")


class VMCreateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.create."""

    # Identifier of the new VM, chosen by the caller; it must equal the UUID in the domain XML.
    vm_id: UUID = field(name="vmID")
    # How the machine shall look; normally just the domain XML, or the volumes of a saved memory state.
    vm_params: VmParameters = field(name="vmParams")


class VMDeleteCheckpointsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.delete_checkpoints."""

    # The VM that owns the checkpoints.
    vm_id: UUID = field(name="vmID")
    # Identifiers of the checkpoints to remove, from the oldest to the newest; unknown ones count as removed.
    checkpoint_ids: list[str]


class VMDesktopLockArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.desktopLock."""

    # The VM whose desktop shall be locked.
    vm_id: UUID = field(name="vmID")


class VMDesktopLoginArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.desktopLogin."""

    # The VM in which the user shall be logged in.
    vm_id: UUID = field(name="vmID")
    # Directory domain (realm) of the account; empty for an account local to the guest.
    domain: str
    # Login name of the guest account, without the domain part.
    username: str
    # Password of the guest account; passed on to the agent, never stored or logged.
    password: str


class VMDesktopLogoffArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.desktopLogoff."""

    # The VM whose desktop session shall end.
    vm_id: UUID = field(name="vmID")
    # True ends the session even when applications object; false lets them veto.
    force: bool


class VMDesktopSendHcCommandArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.desktopSendHcCommand."""

    # The VM whose agent receives the text.
    vm_id: UUID = field(name="vmID")
    # Name of the message, 1 to 255 characters; its meaning is agreed between client and guest.
    message: str


class VMDestroyArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.destroy."""

    # The VM to kill and forget.
    vm_id: UUID = field(name="vmID")
    # How many times QEMU is asked to end with SIGTERM, so that it flushes its disks, before SIGKILL is used; 0
    # kills at once.
    graceful_attempts: UInt = field(name="gracefulAttempts", default_factory=lambda: 1)


class VMDiskReplicateFinishArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.diskReplicateFinish."""

    # The VM whose disk is being mirrored.
    vm_id: UUID = field(name="vmID")
    # The volume that the VM used when the mirror was started.
    src_disk: DriveSpecVolume = field(name="srcDisk")
    # The volume to use from now on: the copy to switch over, or the source again to give the copy up.
    dst_disk: DriveSpecVolume = field(name="dstDisk")


class VMDiskReplicateStartArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.diskReplicateStart."""

    # The VM whose disk shall be mirrored.
    vm_id: UUID = field(name="vmID")
    # The active volume of the disk, as the VM uses it now.
    src_disk: DriveSpecVolume = field(name="srcDisk")
    # The volume that receives the copy; it must exist already with the same virtual size.
    dst_disk: DriveSpecVolume = field(name="dstDisk")
    # True lets the host enlarge a thin destination on block storage before the copy starts; false when the caller
    # has already sized it.
    need_extend: bool = field(name="needExtend", default_factory=lambda: True)


class VMDiskSizeExtendArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.diskSizeExtend."""

    # The VM using the disk, or the all-zero UUID for a volume that no VM uses.
    vm_id: UUID = field(name="vmID")
    # The disk to resize, named by pool, domain, image and volume.
    drive_specs: DriveSpec = field(name="driveSpecs")
    # Virtual size that the guest shall see from now on; rounded up to whole sectors. [bytes]
    new_size: UInt = field(name="newSize")


class VMDumpCheckpointArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.dump_checkpoint."""

    # The VM that owns the checkpoint.
    vm_id: UUID = field(name="vmID")
    # Identifier of the checkpoint whose description is wanted.
    checkpoint_id: UUID


class VMFreezeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.freeze."""

    # The VM whose file systems shall be frozen.
    vm_id: UUID = field(name="vmID")


class VMGetDiskAlignmentArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.getDiskAlignment."""

    # The all-zero UUID; a real VM is refused.
    vm_id: UUID = field(name="vmID")
    # The volume whose partition table is examined.
    disk: DriveSpecVolume


class VMGetExternalDataArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.getExternalData."""

    # The VM whose external state is read.
    vm_id: UUID = field(name="vmID")
    # Which state is wanted: tpm for the emulated TPM, nvram for UEFI variables.
    kind: str
    # Hash from an earlier answer; when the data still has this hash, only the hash is returned. Absent always
    # returns data.
    last_hash: str | None = field(name="lastHash", default=None)
    # Data that keeps changing for 10 s: true takes a whole copy all the same, false answers the copy read last or
    # fails. Data that rests is read in any case.
    force_update: bool = field(name="forceUpdate", default_factory=lambda: True)


class VMGetInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.getInfo."""

    # The VM to describe.
    vm_id: UUID = field(name="vmID")


class VMGetIoTuneArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.getIoTune."""

    # The VM whose disk limits are read.
    vm_id: UUID = field(name="vmID")


class VMGetIoTunePolicyArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.getIoTunePolicy."""

    # The VM whose policy is read.
    vm_id: UUID = field(name="vmID")


class VMGetMigrationStatusArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.getMigrationStatus."""

    # The VM that is being migrated or saved.
    vm_id: UUID = field(name="vmID")


class VMGetStatsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.getStats."""

    # The VM to report on.
    vm_id: UUID = field(name="vmID")


class VMGetXmlDifferenceArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.getXmlDifference."""

    # The VM whose description is compared.
    vm_id: UUID = field(name="vmID")


class VMHibernateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hibernate."""

    # The VM to suspend to disk.
    vm_id: UUID = field(name="vmID")
    # The two volumes that receive memory and configuration; they must exist and be large enough.
    hibernation_vol_handle: HibernationVolumeHandle = field(name="hibernationVolHandle")


class VMHotplugDiskArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotplugDisk."""

    # The VM that gets the disk.
    vm_id: UUID = field(name="vmID")
    # The disk to attach, as device XML or as the older device fields.
    params: HotplugDiskParams


class VMHotplugHostdevArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotplugHostdev."""

    # The VM that gets the devices.
    vm_id: UUID = field(name="vmID")
    # Names of host devices as libvirt's node device list gives them, such as pci_0000_3b_00_1.
    devices: list[str]


class VMHotplugLeaseArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotplugLease."""

    # The VM that shall hold the lease.
    vm_id: UUID = field(name="vmID")
    # The lease to acquire; it must exist on its storage domain.
    lease: VmLeaseDevice


class VMHotplugMemoryArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotplugMemory."""

    # The VM that gets more memory.
    vm_id: UUID = field(name="vmID")
    # The module to add, as device XML or as the older device fields.
    params: HotplugMemoryParams


class VMHotplugNicArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotplugNic."""

    # The VM that gets the interface.
    vm_id: UUID = field(name="vmID")
    # The interface to attach, as device XML or as the older device fields.
    params: HotplugNicParams


class VMHotunplugDiskArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotunplugDisk."""

    # The VM that loses the disk.
    vm_id: UUID = field(name="vmID")
    # The disk to detach, as device XML or as its identifying fields.
    params: HotplugDiskParams


class VMHotunplugHostdevArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotunplugHostdev."""

    # The VM that loses the devices.
    vm_id: UUID = field(name="vmID")
    # Names of the host devices to remove, as given when they were attached.
    devices: list[str]


class VMHotunplugLeaseArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotunplugLease."""

    # The VM that holds the lease.
    vm_id: UUID = field(name="vmID")
    # The lease to drop, named by storage domain and lease identifier.
    lease: VmLeaseDevice


class VMHotunplugMemoryArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotunplugMemory."""

    # The VM that shall give memory back.
    vm_id: UUID = field(name="vmID")
    # The module to remove, as device XML or named by its device fields.
    params: HotplugMemoryParams


class VMHotunplugNicArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.hotunplugNic."""

    # The VM that loses the interface.
    vm_id: UUID = field(name="vmID")
    # The interface to detach, as device XML or named by its MAC address.
    params: HotplugNicParams


class VMListCheckpointsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.list_checkpoints."""

    # The VM whose checkpoints are listed.
    vm_id: UUID = field(name="vmID")


class VMMergeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.merge."""

    # The VM that uses the disk.
    vm_id: UUID = field(name="vmID")
    # The disk to work on, named by its active volume.
    drive: DriveSpecVolume
    # Volume that receives the data and remains; must be older in the chain than the top.
    base_vol_uuid: UUID = field(name="baseVolUUID")
    # Newest volume whose data is merged down; it and all volumes above the base become superfluous.
    top_vol_uuid: UUID = field(name="topVolUUID")
    # Limit of the copy speed; 0 means no limit. [MiB/s]
    bandwidth_mib_per_second: int = field(name="bandwidth", default_factory=lambda: 0)
    # Identifier under which the job appears in the statistics; absent lets the host choose one.
    job_uuid: UUID | None = field(name="jobUUID", default=None)


class VMMigrateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.migrate."""

    # The VM to move.
    vm_id: UUID = field(name="vmID")
    # Destination, limits and methods of the transfer.
    params: MigrateParams


class VMMigrateCancelArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.migrateCancel."""

    # The VM whose migration shall stop.
    vm_id: UUID = field(name="vmID")


class VMMigrateChangeParamsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.migrateChangeParams."""

    # The VM that is being migrated.
    vm_id: UUID = field(name="vmID")
    # The limits to change; fields left out stay as they are.
    params: MigrationParameters


class VMMigrationCreateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.migrationCreate."""

    # Identifier of the VM that will arrive.
    vm_id: UUID = field(name="vmID")
    # The VM as the source host runs it, with its domain XML.
    params: VmDefinition
    # How many migrations this host may receive at the same time from now on; absent keeps the present limit. A
    # plain count above 0.
    incoming_limit: UInt | None = field(name="incomingLimit", default=None)


class VMPauseArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.pause."""

    # The VM whose CPUs shall stop.
    vm_id: UUID = field(name="vmID")


class VMRedefineCheckpointsArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.redefine_checkpoints."""

    # The VM that owns the checkpoints.
    vm_id: UUID = field(name="vmID")
    # The complete chain of checkpoints, from the oldest to the newest, each with XML or with the data to build it.
    checkpoints: list[Checkpoint]


class VMRefreshDiskArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.refresh_disk."""

    # The VM using the volume.
    vm_id: UUID = field(name="vmID")
    # The disk to look at again, named by its active volume.
    drive: DriveSpecVolume


class VMResetArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.reset."""

    # The VM whose guest is to start from its firmware again.
    vm_id: UUID = field(name="vmID")


class VMScreenshotArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.screenshot."""

    # The VM whose display is captured.
    vm_id: UUID = field(name="vmID")


class VMSealArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.seal."""

    # The VM whose disks are sealed; it need not exist on this host.
    vm_id: UUID = field(name="vmID")
    # Identifier under which the job can be followed; chosen by the caller.
    job_id: UUID
    # Storage pool that holds the disks.
    sp_id: UUID
    # Volumes to seal; together they are all disks of the VM.
    images: list[VolumeInfo]


class VMSetBalloonTargetArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.setBalloonTarget."""

    # The VM whose balloon is adjusted.
    vm_id: UUID = field(name="vmID")
    # Memory the guest shall keep; between its guaranteed minimum and its full memory size. [bytes]
    target: UInt


class VMSetCpuTunePeriodArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.setCpuTunePeriod."""

    # The VM whose CPU limit is adjusted.
    vm_id: UUID = field(name="vmID")
    # Length of the interval, 1000 to 1000000; 0 keeps the kernel's default of 100000. [us]
    period_us: Annotated[int, Meta(ge=0, le=1000000)] = field(name="period")


class VMSetCpuTuneQuotaArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.setCpuTuneQuota."""

    # The VM whose CPU limit is adjusted.
    vm_id: UUID = field(name="vmID")
    # CPU time per virtual CPU and interval, at least 1000; a negative value removes the limit. [us]
    quota_us: int = field(name="quota")


class VMSetDestroyOnRebootArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.setDestroyOnReboot."""

    # The VM that shall end when its guest reboots.
    vm_id: UUID = field(name="vmID")


class VMSetIoTuneArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.setIoTune."""

    # The VM whose disks are limited.
    vm_id: UUID = field(name="vmID")
    # New limits, one entry for every disk to change, named by device name or path.
    tunables: list[VmDiskDeviceTuneParams]


class VMSetNumberOfCpusArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.setNumberOfCpus."""

    # The VM that gets or loses CPUs.
    vm_id: UUID = field(name="vmID")
    # Count of virtual CPUs that shall be online after the call.
    number_of_cpus: Annotated[int, Meta(ge=1)] = field(name="numberOfCpus")
    # For every virtual CPU, in order, the host CPUs it may run on, such as 2-3; absent leaves placement to the
    # policy.
    cpusets: list[str] | None = None


class VMSetTicketArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.setTicket."""

    # The VM whose console is opened.
    vm_id: UUID = field(name="vmID")
    # Console password; an empty one closes the console for new connections. VNC uses only 8 characters.
    password: str
    # Time during which the password opens new connections; 0 ends it at once. [s]
    ttl: int
    # What happens to a client that is connected to the console already.
    existing_conn_action: VmTicketConflictAction = field(name="existingConnAction", default_factory=lambda: VmTicketConflictAction('disconnect'))
    # Details for hooks and logs: userName and userId of the person. And disconnectAction, what happens in the guest
    # when its last console client has gone, until another one is set: NONE, LOCK_SCREEN (at first), LOGOUT,
    # SHUTDOWN or REBOOT.
    params: StringMap | None = None


class VMShutdownArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.shutdown."""

    # The VM to shut down or restart.
    vm_id: UUID = field(name="vmID")
    # Warning time that the guest's users get before the shutdown begins; absent means none. [s]
    delay: UInt | None = None
    # Text that the guest agent shows to the guest's users; absent shows a general notice.
    message: str | None = None
    # True restarts the guest afterwards, false leaves it powered off.
    reboot: bool = field(default_factory=lambda: False)
    # Waiting time before the next, harder method is tried; absent uses vms.shutdown_seconds of the host's
    # configuration, 30 unless changed. [s]
    timeout: UInt | None = None
    # True ends in destroying or resetting the VM when every polite method failed.
    force: bool = field(default_factory=lambda: False)


class VMSnapshotArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.snapshot."""

    # The VM to take the snapshot of.
    vm_id: UUID = field(name="vmID")
    # Disks in the snapshot, each with its present volume and the prepared new one; may be empty for memory only.
    snap_drives: list[SnapshotDriveInfo] = field(name="snapDrives")
    # Handle of the volumes that receive memory and configuration, in the form of HibernationVolumeHandle or as two
    # paths joined by a comma; absent saves disks only.
    snap_memory: str | None = field(name="snapMemory", default=None)
    # True when the caller froze the guest's file systems itself; the host then neither freezes nor thaws them.
    frozen: bool = field(default_factory=lambda: False)
    # Identifier under which the snapshot job can be followed; absent makes the call wait for the end of the
    # snapshot.
    job_uuid: UUID | None = field(name="jobUUID", default=None)
    # Longest time for the snapshot with memory; the job is aborted when it is over. [min]
    timeout_minutes: UInt = field(name="timeout", default_factory=lambda: 30)
    # Longest time the guest's file systems may stay frozen; the snapshot fails when it is exceeded. [min]
    freeze_timeout_minutes: UInt = field(name="freeze_timeout", default_factory=lambda: 8)


class VMStartBackupArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.start_backup."""

    # The VM to back up.
    vm_id: UUID = field(name="vmID")
    # Disks, identifiers and checkpoints of the backup.
    config: BackupConfig


class VMStopBackupArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.stop_backup."""

    # The VM whose backup ends.
    vm_id: UUID = field(name="vmID")
    # Identifier that was given to start_backup.
    backup_id: UUID


class VMThawArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.thaw."""

    # The VM whose file systems shall work again.
    vm_id: UUID = field(name="vmID")


class VMUpdateDeviceArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.updateDevice."""

    # The VM that has the device.
    vm_id: UUID = field(name="vmID")
    # The device and what to change; which form it has depends on the device.
    params: vmUpdateDeviceParams


class VMUpdateVmPolicyArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of VM.updateVmPolicy."""

    # The VM whose policy is changed.
    vm_id: UUID = field(name="vmID")
    # The limits to store; a field left out keeps the value stored before.
    params: UpdateVmPolicyParams


class VolumeCopyArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.copy."""

    # Volume to read; the copy has the contents of the disk as seen at this volume.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the source.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the source volume belongs.
    image_id: UUID = field(name="imageID")
    # Domain that receives the copy; all zero or left out means the source's domain.
    dst_sd_uuid: UUID | None = field(name="dstSdUUID", default=None)
    # Id for the new image, chosen by the engine.
    dst_img_uuid: UUID = field(name="dstImgUUID")
    # Id for the new volume, chosen by the engine.
    dst_vol_uuid: UUID = field(name="dstVolUUID")
    # Description to store with the new volume, often JSON made by the engine; cut at 210 bytes.
    desc: str = field(default_factory=lambda: '')
    # Role of the new volume: 6 to make it a template, 8 for an ordinary disk.
    vol_type: VolumeRoleId = field(name="volType", default_factory=lambda: VolumeRoleId(6))
    # Format of the new volume; 3 keeps the source's format.
    vol_format: VolumeFormatId = field(name="volFormat", default_factory=lambda: VolumeFormatId(3))
    # Allocation of the new volume; 0 keeps the source's.
    preallocate: VolumeAllocationId = field(default_factory=lambda: VolumeAllocationId(0))
    # True overwrites the removed data with zeros, for disks that hold secrets; ignored on file storage. Engines
    # send it as text.
    post_zero: bool = field(name="postZero", default_factory=lambda: False)
    # True replaces a volume that already has the wanted id, and lets an incomplete copy remain. Engines send it as
    # text.
    force: bool = field(default_factory=lambda: False)
    # True tells block storage, before a volume is removed, that its blocks are free; storage without discard
    # support ignores it.
    discard: bool = field(default_factory=lambda: False)


class VolumeCreateArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.create."""

    # Id that the new volume shall have, chosen by the engine.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain on which the volume is made.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image that the volume joins; made if it does not exist.
    image_id: UUID = field(name="imageID")
    # Virtual size of the disk in bytes, sent as text; rounded up to the block size. With a parent it must not be
    # smaller than the parent's. [bytes]
    size: UInt
    # Format of the volume as a number; a volume with a parent must be qcow2.
    vol_format: VolumeFormatId = field(name="volFormat")
    # Allocation as a number. Raw volumes on block storage must be preallocated.
    preallocate: VolumeAllocationId
    # What the disk is for, as a label; absent means ordinary data.
    disk_type: DiskContentType = field(name="diskType", default_factory=lambda: DiskContentType('DATA'))
    # Description to store with the volume, often JSON made by the engine; cut at 210 bytes.
    desc: str = field(default_factory=lambda: '')
    # Image of the parent volume, when that is not the same image (a template). All zero or absent: no parent.
    src_img_uuid: UUID | None = field(name="srcImgUUID", default=None)
    # Parent volume that the new one builds on. All zero or absent: the volume stands alone.
    src_vol_uuid: UUID | None = field(name="srcVolUUID", default=None)
    # Room to allocate at once, in bytes, sent as text; for thin volumes on block storage and preallocated file
    # volumes. Absent: the node's default for a thin volume, or the whole size. [bytes]
    initial_size: UInt | None = field(name="initialSize", default=None)
    # True copies the parent's valid dirty bitmaps, so that incremental backup goes on across the snapshot.
    add_bitmaps: bool = field(name="addBitmaps", default_factory=lambda: False)
    # False creates the volume marked illegal, for a copy that is filled later and must not be used before.
    legal: bool = field(default_factory=lambda: True)
    # Place of the snapshot in the order of snapshots, counted from 0; stored in format 5 metadata to help repair
    # chains.
    sequence: Annotated[int, Meta(ge=0)] = field(default_factory=lambda: 0)
    # Name of a dirty bitmap to create in the new qcow2 volume; absent means none.
    bitmap: str | None = None


class VolumeDeleteArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.delete."""

    # Volume that is deleted.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # True overwrites the removed data with zeros, for disks that hold secrets; ignored on file storage. Engines
    # send it as text.
    post_zero: bool = field(name="postZero", default_factory=lambda: False)
    # True skips the checks that protect volumes which others depend on. Engines send it as text.
    force: bool = field(default_factory=lambda: False)
    # True tells block storage, before a volume is removed, that its blocks are free; storage without discard
    # support ignores it.
    discard: bool = field(default_factory=lambda: False)


class VolumeExtendSizeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.extendSize."""

    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # Leaf volume that grows.
    volume_id: UUID = field(name="volumeID")
    # Wanted virtual size in bytes, sent as text; not less than the present size. [bytes]
    new_size: UInt = field(name="newSize")


class VolumeGetInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.getInfo."""

    # Volume to describe.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")


class VolumeGetQemuImageInfoArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.getQemuImageInfo."""

    # Volume whose header is read.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")


class VolumeGetSizeArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.getSize."""

    # Volume to measure.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")


class VolumeMeasureArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.measure."""

    # Volume to measure, the top of what would be copied.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # Format of the imagined copy as a number, 4 or 5.
    dst_vol_format: VolumeFormatId = field(name="dstVolFormat")
    # True counts the data of all parents too, as for a flat copy; false measures this layer alone.
    backing_chain: bool = field(default_factory=lambda: True)
    # Lowest volume of the chain to count, for copying a part of it. Absent: the whole chain down to the first
    # volume.
    base_id: UUID | None = field(name="baseID", default=None)


class VolumeRefreshArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.refresh."""

    # Volume whose size was changed elsewhere.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")


class VolumeSetDescriptionArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.setDescription."""

    # Volume whose metadata changes.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # New text, often JSON made by the engine; cut at 210 bytes.
    description: str


class VolumeSetLegalityArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.setLegality."""

    # Volume whose metadata changes.
    volume_id: UUID = field(name="volumeID")
    # Pool to which the domain belongs; this host must be its SPM.
    storagepool_id: UUID = field(name="storagepoolID")
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # New mark: LEGAL or ILLEGAL.
    legality: VolumeLegality


class VolumeTeardownArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.teardown."""

    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # Volume that this host stops using.
    volume_id: UUID = field(name="volumeID")


class VolumeVerifyUntrustedArgs(Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Arguments of Volume.verify_untrusted."""

    # Pool to which the domain belongs; only logged, all zero when there is none.
    storagepool_id: UUID | None = field(name="storagepoolID", default=None)
    # Storage domain that holds the volume.
    storagedomain_id: UUID = field(name="storagedomainID")
    # Image to which the volume belongs.
    image_id: UUID = field(name="imageID")
    # Volume with contents that came from outside.
    volume_id: UUID = field(name="volumeID")


def _encode_VmStatusChange(v: VmStatusChange) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.client_ip is not None:
        w["clientIp"] = v.client_ip
    if v.cpu_sys_percent is not None:
        w["cpuSys"] = f"{v.cpu_sys_percent:.2f}"
    if v.cpu_user_percent is not None:
        w["cpuUser"] = f"{v.cpu_user_percent:.2f}"
    if v.display_info is not None:
        w["displayInfo"] = [_encode_VmDisplayInfo(i) for i in v.display_info]
    if v.display_ip is not None:
        w["displayIp"] = v.display_ip
    if v.display_port is not None:
        w["displayPort"] = str(v.display_port)
    if v.display_secure_port is not None:
        w["displaySecurePort"] = str(v.display_secure_port)
    if v.display_type is not None:
        w["displayType"] = v.display_type
    if v.elapsed_time is not None:
        w["elapsedTime"] = v.elapsed_time
    if v.exit_code is not None:
        w["exitCode"] = v.exit_code
    if v.exit_message is not None:
        w["exitMessage"] = v.exit_message
    if v.exit_reason is not None:
        w["exitReason"] = v.exit_reason
    if v.hash is not None:
        w["hash"] = str(v.hash)
    if v.monitor_response is not None:
        w["monitorResponse"] = str(v.monitor_response)
    if v.pause_code is not None:
        w["pauseCode"] = v.pause_code
    w["status"] = v.status
    if v.time_offset is not None:
        w["timeOffset"] = str(v.time_offset)
    if v.vcpu_period_us is not None:
        w["vcpuPeriod"] = v.vcpu_period_us
    if v.vcpu_quota_us is not None:
        w["vcpuQuota"] = str(v.vcpu_quota_us)
    if v.ioerror is not None:
        w["ioerror"] = v.ioerror
    return w


def _encode_BlockDeviceInfo(v: BlockDeviceInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["capacity"] = str(v.capacity)
    w["devtype"] = v.devtype
    w["discard_max_bytes"] = v.discard_max_bytes
    if v.discard_zeroes_data is not None:
        w["discard_zeroes_data"] = v.discard_zeroes_data
    w["fwrev"] = v.fwrev
    w["GUID"] = v.guid
    w["logicalblocksize"] = str(v.logicalblocksize)
    if v.partitioned is not None:
        w["partitioned"] = v.partitioned
    w["pathlist"] = v.pathlist
    w["pathstatus"] = [_encode_BlockDevicePathInfo(i) for i in v.pathstatus]
    w["physicalblocksize"] = str(v.physicalblocksize)
    w["productID"] = v.product_id
    if v.pvsize is not None:
        w["pvsize"] = str(v.pvsize)
    w["pvUUID"] = v.pv_uuid
    w["serial"] = v.serial
    w["status"] = v.status
    w["vendorID"] = v.vendor_id
    if v.vg_uuid is not None:
        w["vgUUID"] = v.vg_uuid
    return w


def _encode_CpuCoreStats(v: CpuCoreStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["cpuIdle"] = f"{v.cpu_idle_percent:.2f}"
    w["cpuSys"] = f"{v.cpu_sys_percent:.2f}"
    w["cpuUser"] = f"{v.cpu_user_percent:.2f}"
    w["nodeIndex"] = v.node_index
    return w


def _encode_ExternalDiskInfo(v: ExternalDiskInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.alias is not None:
        w["alias"] = v.alias
    if v.allocation is not None:
        w["allocation"] = str(v.allocation)
    if v.capacity is not None:
        w["capacity"] = str(v.capacity)
    if v.dev is not None:
        w["dev"] = v.dev
    if v.type is not None:
        w["type"] = v.type
    return w


def _encode_ExternalVmInfo(v: ExternalVmInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.allocation is not None:
        w["allocation"] = v.allocation
    w["disks"] = [_encode_ExternalDiskInfo(i) for i in v.disks]
    if v.format is not None:
        w["format"] = v.format
    if v.graphics is not None:
        w["graphics"] = v.graphics
    if v.has_snapshots is not None:
        w["has_snapshots"] = v.has_snapshots
    w["memSize"] = v.mem_size // 1048576
    w["networks"] = v.networks
    w["smp"] = v.smp
    w["status"] = v.status
    if v.video is not None:
        w["video"] = v.video
    if v.virtio_iso_path is not None:
        w["virtio_iso_path"] = v.virtio_iso_path
    if v.vm_id is not None:
        w["vmId"] = v.vm_id
    w["vmName"] = v.vm_name
    return w


def _encode_HostDevice(v: HostDevice) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["params"] = _encode_HostDeviceParams(v.params)
    return w


def _encode_HostDeviceParams(v: HostDeviceParams) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.address is not None:
        w["address"] = _encode_member(v.address)
    if v.align_size is not None:
        w["align_size"] = v.align_size
    if v.block_path is not None:
        w["block_path"] = v.block_path
    w["capability"] = v.capability
    if v.device_path is not None:
        w["device_path"] = v.device_path
    if v.device_size is not None:
        w["device_size"] = v.device_size
    if v.driver is not None:
        w["driver"] = v.driver
    if v.interface is not None:
        w["interface"] = v.interface
    w["is_assignable"] = ("true" if v.is_assignable else "false")
    if v.mode is not None:
        w["mode"] = v.mode
    if v.numa_node is not None:
        w["numa_node"] = str(v.numa_node)
    if v.parent is not None:
        w["parent"] = v.parent
    if v.product is not None:
        w["product"] = v.product
    if v.product_id is not None:
        w["product_id"] = v.product_id
    if v.udev_path is not None:
        w["udev_path"] = v.udev_path
    if v.vendor is not None:
        w["vendor"] = v.vendor
    if v.vendor_id is not None:
        w["vendor_id"] = v.vendor_id
    if v.iommu_group is not None:
        w["iommu_group"] = str(v.iommu_group)
    if v.mdev is not None:
        w["mdev"] = v.mdev
    if v.physfn is not None:
        w["physfn"] = v.physfn
    if v.totalvfs is not None:
        w["totalvfs"] = v.totalvfs
    return w


def _encode_HostStats(v: HostStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["anonHugePages"] = str(v.anon_huge_pages // 1048576)
    w["bootTime"] = str(v.boot_time)
    w["cpuIdle"] = f"{v.cpu_idle_percent:.2f}"
    w["cpuLoad"] = f"{v.cpu_load:.2f}"
    if v.cpu_statistics is not None:
        w["cpuStatistics"] = {k: _encode_CpuCoreStats(i) for k, i in v.cpu_statistics.items()}
    w["cpuSys"] = f"{v.cpu_sys_percent:.2f}"
    w["cpuSysVdsmd"] = f"{v.cpu_sys_vdsmd_percent:.2f}"
    w["cpuUser"] = f"{v.cpu_user_percent:.2f}"
    w["cpuUserVdsmd"] = f"{v.cpu_user_vdsmd_percent:.2f}"
    w["dateTime"] = v.date_time
    if v.disk_stats is not None:
        w["diskStats"] = {k: _encode_PathStats(i) for k, i in v.disk_stats.items()}
    w["elapsedTime"] = f"{v.elapsed_time:.2f}"
    w["haScore"] = v.ha_score
    w["haStats"] = v.ha_stats
    w["incomingVmMigrations"] = v.incoming_vm_migrations
    if v.ksm_cpu_percent is not None:
        w["ksmCpu"] = v.ksm_cpu_percent
    if v.ksm_merge_across_nodes is not None:
        w["ksmMergeAcrossNodes"] = v.ksm_merge_across_nodes
    if v.ksm_pages is not None:
        w["ksmPages"] = v.ksm_pages
    if v.ksm_state is not None:
        w["ksmState"] = v.ksm_state
    w["memFree"] = v.mem_free // 1048576
    if v.mem_shared is not None:
        w["memShared"] = v.mem_shared // 1048576
    w["memUsed"] = str(v.mem_used_percent)
    w["momStatus"] = v.mom_status
    w["multipathHealth"] = v.multipath_health
    w["netConfigDirty"] = ("true" if v.net_config_dirty else "false")
    if v.network is not None:
        w["network"] = {k: _encode_HostNetworkInterfaceStats(i) for k, i in v.network.items()}
    if v.numa_node_mem_free is not None:
        w["numaNodeMemFree"] = {k: _encode_NumaNodeMemoryStats(i) for k, i in v.numa_node_mem_free.items()}
    w["outgoingVmMigrations"] = v.outgoing_vm_migrations
    if v.rx_dropped is not None:
        w["rxDropped"] = str(v.rx_dropped)
    w["storageDomains"] = {k: _encode_StorageDomainVitals(i) for k, i in v.storage_domains.items()}
    w["swapFree"] = v.swap_free // 1048576
    w["swapTotal"] = v.swap_total // 1048576
    if v.thp_state is not None:
        w["thpState"] = v.thp_state
    if v.tx_dropped is not None:
        w["txDropped"] = str(v.tx_dropped)
    if v.v2v_jobs is not None:
        w["v2vJobs"] = v.v2v_jobs
    w["vmActive"] = v.vm_active
    w["vmCount"] = v.vm_count
    w["vmMigrating"] = v.vm_migrating
    return w


def _encode_NumaNode(v: NumaNode) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["cpus"] = v.cpus
    if v.hugepages is not None:
        w["hugepages"] = {k: _encode_NumaNodeHugePages(i) for k, i in v.hugepages.items()}
    w["totalMemory"] = str(v.total_memory // 1048576)
    return w


def _encode_NumaNodeHugePages(v: NumaNodeHugePages) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["totalPages"] = str(v.total_pages)
    return w


def _encode_NumaNodeHugePagesStats(v: NumaNodeHugePagesStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["freePages"] = str(v.free_pages)
    return w


def _encode_NumaNodeMemoryStats(v: NumaNodeMemoryStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.hugepages is not None:
        w["hugepages"] = {k: _encode_NumaNodeHugePagesStats(i) for k, i in v.hugepages.items()}
    w["memFree"] = str(v.mem_free // 1048576)
    w["memPercent"] = v.mem_percent
    return w


def _encode_PathStats(v: PathStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["free"] = str(v.free // 1048576)
    return w


def _encode_PCIAddress(v: PCIAddress) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["bus"] = str(v.bus)
    w["domain"] = str(v.domain)
    w["function"] = str(v.function)
    w["slot"] = str(v.slot)
    return w


def _encode_SCSIAddress(v: SCSIAddress) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["bus"] = str(v.bus)
    w["host"] = str(v.host)
    w["lun"] = str(v.lun)
    w["target"] = str(v.target)
    return w


def _encode_SELinuxStatus(v: SELinuxStatus) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["mode"] = str(v.mode)
    return w


def _encode_Tlv(v: Tlv) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["name"] = v.name
    if v.oui is not None:
        w["oui"] = str(v.oui)
    w["properties"] = v.properties
    if v.subtype is not None:
        w["subtype"] = str(v.subtype)
    w["type"] = str(v.type)
    return w


def _encode_USBAddress(v: USBAddress) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["bus"] = str(v.bus)
    w["device"] = str(v.device)
    return w


def _encode_VdsmCapabilities(v: VdsmCapabilities) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.acceleration is not None:
        w["acceleration"] = v.acceleration
    if v.acceleration_reason is not None:
        w["accelerationReason"] = v.acceleration_reason
    w["additionalFeatures"] = v.additional_features
    w["autoNumaBalancing"] = v.auto_numa_balancing
    if v.backup_enabled is not None:
        w["backupEnabled"] = v.backup_enabled
    w["bondings"] = {k: _encode_NetInfoBond(i) for k, i in v.bondings.items()}
    if v.boot_uuid is not None:
        w["boot_uuid"] = v.boot_uuid
    w["bridges"] = {k: _encode_NetInfoBridgedNetwork(i) for k, i in v.bridges.items()}
    w["clusterLevels"] = v.cluster_levels
    if v.connector_info is not None:
        w["connector_info"] = v.connector_info
    w["cpuCores"] = str(v.cpu_cores)
    w["cpuFlags"] = v.cpu_flags
    w["cpuModel"] = v.cpu_model
    w["cpuSockets"] = str(v.cpu_sockets)
    if v.cpu_speed_mhz is not None:
        w["cpuSpeed"] = f"{v.cpu_speed_mhz:.2f}"
    w["cpuThreads"] = str(v.cpu_threads)
    if v.cpu_topology is not None:
        w["cpuTopology"] = v.cpu_topology
    if v.domain_versions is not None:
        w["domain_versions"] = v.domain_versions
    w["emulatedMachines"] = v.emulated_machines
    w["fipsEnabled"] = v.fips_enabled
    w["guestOverhead"] = str(v.guest_overhead // 1048576)
    w["HBAInventory"] = v.hba_inventory
    w["hooks"] = v.hooks
    w["hostdevPassthrough"] = ("true" if v.hostdev_passthrough else "false")
    w["hostedEngineDeployed"] = v.hosted_engine_deployed
    if v.hugepages is not None:
        w["hugepages"] = [i // 1024 for i in v.hugepages]
    if v.iscsi_initiator_name is not None:
        w["ISCSIInitiatorName"] = v.iscsi_initiator_name
    w["kdumpStatus"] = v.kdump_status
    if v.kernel_args is not None:
        w["kernelArgs"] = v.kernel_args
    w["kvmEnabled"] = ("true" if v.kvm_enabled else "false")
    if v.last_client_iface is not None:
        w["lastClientIface"] = v.last_client_iface
    w["liveMerge"] = ("true" if v.live_merge else "false")
    w["liveSnapshot"] = ("true" if v.live_snapshot else "false")
    w["memSize"] = str(v.mem_size // 1048576)
    w["nameservers"] = v.nameservers
    if v.nested_virtualization is not None:
        w["nestedVirtualization"] = v.nested_virtualization
    w["netConfigDirty"] = ("true" if v.net_config_dirty else "false")
    w["networks"] = {k: _encode_member(i) for k, i in v.networks.items()}
    w["nics"] = {k: _encode_NetInfoNic(i) for k, i in v.nics.items()}
    w["numaNodeDistance"] = v.numa_node_distance
    w["numaNodes"] = {k: _encode_NumaNode(i) for k, i in v.numa_nodes.items()}
    w["onlineCpus"] = v.online_cpus
    w["operatingSystem"] = v.operating_system
    w["ovnConfigured"] = v.ovn_configured
    w["packages2"] = v.packages2
    if v.realtime_kernel is not None:
        w["realtimeKernel"] = v.realtime_kernel
    w["reservedMem"] = str(v.reserved_mem // 1048576)
    w["rngSources"] = v.rng_sources
    w["selinux"] = _encode_SELinuxStatus(v.selinux)
    if v.software_revision is not None:
        w["software_revision"] = v.software_revision
    w["software_version"] = v.software_version
    if v.supported_block_size is not None:
        w["supported_block_size"] = v.supported_block_size
    w["supportedENGINEs"] = v.supported_engines
    w["supportsIPv6"] = v.supports_i_pv6
    w["tscFrequency"] = v.tsc_frequency
    w["tscScaling"] = v.tsc_scaling
    w["uuid"] = v.uuid
    if v.vdsm_to_cpus_affinity is not None:
        w["vdsmToCpusAffinity"] = v.vdsm_to_cpus_affinity
    w["version_name"] = v.version_name
    w["vlans"] = v.vlans
    w["vmTypes"] = v.vm_types
    if v.vnc_encrypted is not None:
        w["vncEncrypted"] = ("true" if v.vnc_encrypted else "false")
    w["zerocopy_migrations"] = v.zerocopy_migrations
    return w


def _encode_HostNetworkInterfaceStats(v: HostNetworkInterfaceStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["name"] = v.name
    w["rx"] = str(v.rx)
    w["rxDropped"] = str(v.rx_dropped)
    w["rxErrors"] = str(v.rx_errors)
    w["sampleTime"] = v.sample_time
    w["speed"] = str(v.speed_mbits_per_second)
    w["state"] = v.state
    w["tx"] = str(v.tx)
    w["txDropped"] = str(v.tx_dropped)
    w["txErrors"] = str(v.tx_errors)
    return w


def _encode_HostNetworkStatistics(v: HostNetworkStatistics) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["network"] = {k: _encode_HostNetworkInterfaceStats(i) for k, i in v.network.items()}
    w["rxDropped"] = str(v.rx_dropped)
    w["txDropped"] = str(v.tx_dropped)
    return w


def _encode_Lldp(v: Lldp) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["enabled"] = ("true" if v.enabled else "false")
    w["tlvs"] = [_encode_Tlv(i) for i in v.tlvs]
    return w


def _encode_NetInfoBond(v: NetInfoBond) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["active_slave"] = v.active_slave
    w["addr"] = v.addr
    if v.dhcpv4 is not None:
        w["dhcpv4"] = v.dhcpv4
    if v.dhcpv6 is not None:
        w["dhcpv6"] = v.dhcpv6
    if v.gateway is not None:
        w["gateway"] = v.gateway
    w["hwaddr"] = v.hwaddr
    w["ipv4addrs"] = v.ipv4addrs
    if v.ipv4defaultroute is not None:
        w["ipv4defaultroute"] = v.ipv4defaultroute
    w["ipv6addrs"] = v.ipv6addrs
    if v.ipv6autoconf is not None:
        w["ipv6autoconf"] = v.ipv6autoconf
    w["ipv6gateway"] = v.ipv6gateway
    w["mtu"] = str(v.mtu)
    w["netmask"] = v.netmask
    w["opts"] = v.opts
    if v.qos is not None:
        w["qos"] = v.qos
    w["slaves"] = v.slaves
    if v.switch is not None:
        w["switch"] = v.switch
    return w


def _encode_NetInfoBridgedNetwork(v: NetInfoBridgedNetwork) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["addr"] = v.addr
    if v.bridged is not None:
        w["bridged"] = v.bridged
    if v.dhcpv4 is not None:
        w["dhcpv4"] = v.dhcpv4
    if v.dhcpv6 is not None:
        w["dhcpv6"] = v.dhcpv6
    if v.gateway is not None:
        w["gateway"] = v.gateway
    if v.host_qos is not None:
        w["hostQos"] = v.host_qos
    if v.iface is not None:
        w["iface"] = v.iface
    w["ipv4addrs"] = v.ipv4addrs
    if v.ipv4defaultroute is not None:
        w["ipv4defaultroute"] = v.ipv4defaultroute
    w["ipv6addrs"] = v.ipv6addrs
    if v.ipv6autoconf is not None:
        w["ipv6autoconf"] = v.ipv6autoconf
    w["ipv6gateway"] = v.ipv6gateway
    w["mtu"] = str(v.mtu)
    w["netmask"] = v.netmask
    if v.opts is not None:
        w["opts"] = v.opts
    w["ports"] = v.ports
    w["stp"] = v.stp
    if v.switch is not None:
        w["switch"] = v.switch
    return w


def _encode_NetInfoBridgelessNetwork(v: NetInfoBridgelessNetwork) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["bridged"] = v.bridged
    w["interface"] = v.interface
    if v.iface is not None:
        w["iface"] = v.iface
    if v.addr is not None:
        w["addr"] = v.addr
    if v.netmask is not None:
        w["netmask"] = v.netmask
    if v.gateway is not None:
        w["gateway"] = v.gateway
    if v.ipv4addrs is not None:
        w["ipv4addrs"] = v.ipv4addrs
    if v.ipv6addrs is not None:
        w["ipv6addrs"] = v.ipv6addrs
    if v.ipv6gateway is not None:
        w["ipv6gateway"] = v.ipv6gateway
    if v.ipv4defaultroute is not None:
        w["ipv4defaultroute"] = v.ipv4defaultroute
    if v.dhcpv4 is not None:
        w["dhcpv4"] = v.dhcpv4
    if v.dhcpv6 is not None:
        w["dhcpv6"] = v.dhcpv6
    if v.mtu is not None:
        w["mtu"] = str(v.mtu)
    if v.switch is not None:
        w["switch"] = v.switch
    return w


def _encode_NetInfoNic(v: NetInfoNic) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["addr"] = v.addr
    if v.dhcpv4 is not None:
        w["dhcpv4"] = v.dhcpv4
    if v.dhcpv6 is not None:
        w["dhcpv6"] = v.dhcpv6
    if v.gateway is not None:
        w["gateway"] = v.gateway
    w["hwaddr"] = v.hwaddr
    w["ipv4addrs"] = v.ipv4addrs
    if v.ipv4defaultroute is not None:
        w["ipv4defaultroute"] = v.ipv4defaultroute
    w["ipv6addrs"] = v.ipv6addrs
    if v.ipv6autoconf is not None:
        w["ipv6autoconf"] = v.ipv6autoconf
    w["ipv6gateway"] = v.ipv6gateway
    w["mtu"] = str(v.mtu)
    w["netmask"] = v.netmask
    if v.permhwaddr is not None:
        w["permhwaddr"] = v.permhwaddr
    if v.qos is not None:
        w["qos"] = v.qos
    w["speed"] = v.speed_mbits_per_second
    return w


def _encode_SetupNetworkBondAttributes(v: SetupNetworkBondAttributes) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.hwaddr is not None:
        w["hwaddr"] = v.hwaddr
    if v.nics is not None:
        w["nics"] = v.nics
    if v.options is not None:
        w["options"] = v.options
    if v.remove is not None:
        w["remove"] = ("true" if v.remove else "false")
    if v.switch is not None:
        w["switch"] = v.switch
    return w


def _encode_SetupNetworkNetAttributes(v: SetupNetworkNetAttributes) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.bonding is not None:
        w["bonding"] = v.bonding
    if v.bootproto is not None:
        w["bootproto"] = v.bootproto
    if v.custom is not None:
        w["custom"] = v.custom
    if v.default_route is not None:
        w["defaultRoute"] = v.default_route
    if v.dhcpv6 is not None:
        w["dhcpv6"] = v.dhcpv6
    if v.gateway is not None:
        w["gateway"] = v.gateway
    if v.host_qos is not None:
        w["hostQos"] = v.host_qos
    if v.ipaddr is not None:
        w["ipaddr"] = v.ipaddr
    if v.ipv6addr is not None:
        w["ipv6addr"] = v.ipv6addr
    if v.ipv6autoconf is not None:
        w["ipv6autoconf"] = v.ipv6autoconf
    if v.ipv6gateway is not None:
        w["ipv6gateway"] = v.ipv6gateway
    if v.nameservers is not None:
        w["nameservers"] = v.nameservers
    if v.netmask is not None:
        w["netmask"] = v.netmask
    if v.nic is not None:
        w["nic"] = v.nic
    if v.remove is not None:
        w["remove"] = ("true" if v.remove else "false")
    if v.switch is not None:
        w["switch"] = v.switch
    if v.vlan is not None:
        w["vlan"] = v.vlan
    w["bridged"] = ("true" if v.bridged else "false")
    w["mtu"] = v.mtu
    if v.prefix is not None:
        w["prefix"] = str(v.prefix)
    if v.stp is not None:
        w["STP"] = v.stp
    return w


def _encode_SetupNetworkOptions(v: SetupNetworkOptions) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["connectivityCheck"] = ("true" if v.connectivity_check else "false")
    w["connectivityTimeout"] = v.connectivity_timeout
    w["commitOnSuccess"] = v.commit_on_success
    return w


def _encode_VdsmNetworkCapabilities(v: VdsmNetworkCapabilities) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["bondings"] = {k: _encode_NetInfoBond(i) for k, i in v.bondings.items()}
    w["bridges"] = {k: _encode_NetInfoBridgedNetwork(i) for k, i in v.bridges.items()}
    w["nameservers"] = v.nameservers
    w["netConfigDirty"] = ("true" if v.net_config_dirty else "false")
    w["networks"] = {k: _encode_member(i) for k, i in v.networks.items()}
    w["nics"] = {k: _encode_NetInfoNic(i) for k, i in v.nics.items()}
    w["supportsIPv6"] = v.supports_i_pv6
    w["vlans"] = v.vlans
    return w


def _encode_PhysicalVolumeInfo(v: PhysicalVolumeInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["capacity"] = str(v.capacity)
    if v.devcapacity is not None:
        w["devcapacity"] = str(v.devcapacity)
    if v.devtype is not None:
        w["devtype"] = v.devtype
    if v.fwrev is not None:
        w["fwrev"] = v.fwrev
    w["GUID"] = v.guid
    if v.pathlist is not None:
        w["pathlist"] = v.pathlist
    if v.pathstatus is not None:
        w["pathstatus"] = [_encode_BlockDevicePathInfo(i) for i in v.pathstatus]
    if v.product_id is not None:
        w["productID"] = v.product_id
    w["pvUUID"] = v.pv_uuid
    if v.serial is not None:
        w["serial"] = v.serial
    if v.vendor_id is not None:
        w["vendorID"] = v.vendor_id
    w["vgUUID"] = v.vg_uuid
    return w


def _encode_VolumeGroupInfo(v: VolumeGroupInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.attr is not None:
        w["attr"] = v.attr
    w["name"] = v.name
    if v.pvlist is not None:
        w["pvlist"] = [_encode_PhysicalVolumeInfo(i) for i in v.pvlist]
    w["state"] = v.state
    if v.type is not None:
        w["type"] = v.type
    w["vgfree"] = str(v.vgfree)
    w["vgsize"] = str(v.vgsize)
    w["vgUUID"] = v.vg_uuid
    return w


def _encode_BlockDevicePathInfo(v: BlockDevicePathInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.capacity is not None:
        w["capacity"] = str(v.capacity)
    w["lun"] = str(v.lun)
    w["physdev"] = v.physdev
    w["state"] = v.state
    w["type"] = v.type
    return w


def _encode_StorageDomainDump(v: StorageDomainDump) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.leases is not None:
        w["leases"] = v.leases
    if v.lockspace is not None:
        w["lockspace"] = v.lockspace
    w["metadata"] = _encode_StorageDomainInfo(v.metadata)
    w["volumes"] = v.volumes
    if v.xleases is not None:
        w["xleases"] = v.xleases
    return w


def _encode_StorageDomainFileStats(v: StorageDomainFileStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.ctime is not None:
        w["ctime"] = f"{v.ctime:.2f}"
    if v.size is not None:
        w["size"] = str(v.size)
    if v.status is not None:
        w["status"] = v.status
    return w


def _encode_StorageDomainInfo(v: StorageDomainInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.alignment is not None:
        w["alignment"] = v.alignment
    if v.block_size is not None:
        w["block_size"] = v.block_size
    w["class"] = v.class_
    w["lver"] = v.lver
    w["master_ver"] = v.master_ver
    if v.metadata_device is not None:
        w["metadataDevice"] = v.metadata_device
    w["name"] = v.name
    w["pool"] = v.pool
    w["role"] = v.role
    w["spm_id"] = v.spm_id
    w["type"] = v.type
    w["uuid"] = v.uuid
    w["version"] = str(v.version)
    if v.vg_metadata_device is not None:
        w["vgMetadataDevice"] = v.vg_metadata_device
    if v.remote_path is not None:
        w["remotePath"] = v.remote_path
    if v.state is not None:
        w["state"] = v.state
    if v.vguuid is not None:
        w["vguuid"] = v.vguuid
    return w


def _encode_StorageDomainStats(v: StorageDomainStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["diskfree"] = str(v.diskfree)
    w["disktotal"] = str(v.disktotal)
    if v.mdafree is not None:
        w["mdafree"] = v.mdafree
    if v.mdasize is not None:
        w["mdasize"] = v.mdasize
    if v.mdathreshold is not None:
        w["mdathreshold"] = v.mdathreshold
    if v.mdavalid is not None:
        w["mdavalid"] = v.mdavalid
    return w


def _encode_StorageDomainVitals(v: StorageDomainVitals) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["acquired"] = v.acquired
    w["actual"] = v.actual
    w["code"] = v.code
    w["delay"] = f"{v.delay:.2f}"
    w["lastCheck"] = f"{v.last_check:.2f}"
    w["valid"] = v.valid
    w["version"] = v.version
    return w


def _encode_ConnectionRefParameters(v: ConnectionRefParameters) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.id is not None:
        w["id"] = v.id
    if v.connection is not None:
        w["connection"] = v.connection
    if v.export is not None:
        w["export"] = v.export
    if v.spec is not None:
        w["spec"] = v.spec
    if v.path is not None:
        w["path"] = v.path
    if v.protocol_version is not None:
        w["protocol_version"] = v.protocol_version
    if v.version is not None:
        w["version"] = v.version
    if v.timeout_ds is not None:
        w["timeout"] = str(v.timeout_ds)
    if v.retrans is not None:
        w["retrans"] = str(v.retrans)
    if v.vfs_type is not None:
        w["vfs_type"] = v.vfs_type
    if v.vfstype is not None:
        w["vfstype"] = v.vfstype
    if v.mnt_options is not None:
        w["mnt_options"] = v.mnt_options
    if v.options is not None:
        w["options"] = v.options
    if v.iqn is not None:
        w["iqn"] = v.iqn
    if v.port is not None:
        w["port"] = str(v.port)
    if v.tpgt is not None:
        w["tpgt"] = str(v.tpgt)
    if v.user is not None:
        w["user"] = v.user
    if v.password is not None:
        w["password"] = v.password
    if v.iface_name is not None:
        w["ifaceName"] = v.iface_name
    if v.net_iface_name is not None:
        w["netIfaceName"] = v.net_iface_name
    return w


def _encode_StoragePoolDomainInfo(v: StoragePoolDomainInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.alerts is not None:
        w["alerts"] = v.alerts
    if v.diskfree is not None:
        w["diskfree"] = str(v.diskfree)
    if v.disktotal is not None:
        w["disktotal"] = str(v.disktotal)
    if v.isoprefix is not None:
        w["isoprefix"] = v.isoprefix
    w["status"] = v.status
    if v.version is not None:
        w["version"] = v.version
    return w


def _encode_StoragePoolFullInfo(v: StoragePoolFullInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["dominfo"] = {k: _encode_StoragePoolDomainInfo(i) for k, i in v.dominfo.items()}
    w["info"] = _encode_StoragePoolInfo(v.info)
    return w


def _encode_StoragePoolInfo(v: StoragePoolInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["domains"] = v.domains
    if v.isoprefix is not None:
        w["isoprefix"] = v.isoprefix
    w["lver"] = v.lver
    w["master_uuid"] = v.master_uuid
    w["master_ver"] = v.master_ver
    w["name"] = v.name
    w["pool_status"] = v.pool_status
    w["spm_id"] = v.spm_id
    w["type"] = v.type
    w["version"] = str(v.version)
    return w


def _encode_GuestNumaNode(v: GuestNumaNode) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["cpus"] = v.cpus
    w["memory"] = v.memory // 1048576
    w["nodeIndex"] = v.node_index
    return w


def _encode_HotplugMemoryParams(v: HotplugMemoryParams) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.mem_guaranteed_size is not None:
        w["memGuaranteedSize"] = v.mem_guaranteed_size // 1048576
    if v.memory is not None:
        w["memory"] = _encode_VmMemoryDevice(v.memory)
    if v.vm_id is not None:
        w["vmId"] = v.vm_id
    if v.xml is not None:
        w["xml"] = v.xml
    return w


def _encode_HotplugNicParams(v: HotplugNicParams) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.nic is not None:
        w["nic"] = _encode_VmInterfaceDevice(v.nic)
    if v.vm_id is not None:
        w["vmId"] = v.vm_id
    if v.xml is not None:
        w["xml"] = v.xml
    return w


def _encode_MemNode(v: MemNode) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["nodeset"] = v.nodeset
    w["vmNodeIndex"] = str(v.vm_node_index)
    return w


def _encode_MigrateParams(v: MigrateParams) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["abortOnError"] = ("true" if v.abort_on_error else "false")
    if v.auto_converge is not None:
        w["autoConverge"] = ("true" if v.auto_converge else "false")
    if v.compressed is not None:
        w["compressed"] = ("true" if v.compressed else "false")
    if v.console_address is not None:
        w["consoleAddress"] = v.console_address
    if v.convergence_schedule is not None:
        w["convergenceSchedule"] = v.convergence_schedule
    if v.cpusets is not None:
        w["cpusets"] = v.cpusets
    if v.dst is not None:
        w["dst"] = v.dst
    if v.dstparams is not None:
        w["dstparams"] = v.dstparams
    if v.dstqemu is not None:
        w["dstqemu"] = v.dstqemu
    w["enableGuestEvents"] = v.enable_guest_events
    w["encrypted"] = ("true" if v.encrypted else "false")
    if v.incoming_limit is not None:
        w["incomingLimit"] = v.incoming_limit
    if v.max_bandwidth_mib_per_second is not None:
        w["maxBandwidth"] = v.max_bandwidth_mib_per_second
    w["method"] = v.method
    w["mode"] = v.mode
    if v.numa_nodesets is not None:
        w["numaNodesets"] = v.numa_nodesets
    if v.outgoing_limit is not None:
        w["outgoingLimit"] = v.outgoing_limit
    if v.parallel is not None:
        w["parallel"] = v.parallel
    w["tunneled"] = ("true" if v.tunneled else "false")
    if v.vm_id is not None:
        w["vmId"] = v.vm_id
    w["zerocopy"] = v.zerocopy
    if v.hiber_vol_handle is not None:
        w["hiberVolHandle"] = v.hiber_vol_handle
    return w


def _encode_MigrationCreateState(v: MigrationCreateState) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["migrationPort"] = v.migration_port
    w["params"] = _encode_VmDefinition(v.params)
    return w


def _encode_NumaTune(v: NumaTune) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.memnodes is not None:
        w["memnodes"] = [_encode_MemNode(i) for i in v.memnodes]
    w["mode"] = v.mode
    if v.nodeset is not None:
        w["nodeset"] = v.nodeset
    return w


def _encode_VmDefinition(v: VmDefinition) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["acpiEnable"] = v.acpi_enable
    if v.client_ip is not None:
        w["clientIp"] = v.client_ip
    w["copyPasteEnable"] = v.copy_paste_enable
    if v.cpu_shares is not None:
        w["cpuShares"] = v.cpu_shares
    w["cpuType"] = v.cpu_type
    if v.custom is not None:
        w["custom"] = v.custom
    if v.devices is not None:
        w["devices"] = [_encode_member(i) for i in v.devices]
    if v.display is not None:
        w["display"] = v.display
    if v.display_ip is not None:
        w["displayIp"] = v.display_ip
    if v.display_port is not None:
        w["displayPort"] = v.display_port
    if v.display_secure_port is not None:
        w["displaySecurePort"] = v.display_secure_port
    w["emulatedMachine"] = v.emulated_machine
    if v.exit_code is not None:
        w["exitCode"] = v.exit_code
    if v.exit_message is not None:
        w["exitMessage"] = v.exit_message
    w["fileTransferEnable"] = v.file_transfer_enable
    w["hypervEnable"] = v.hyperv_enable
    if v.keyboard_layout is not None:
        w["keyboardLayout"] = v.keyboard_layout
    w["kvmEnable"] = v.kvm_enable
    if v.max_mem_size is not None:
        w["maxMemSize"] = v.max_mem_size // 1048576
    w["maxMemSlots"] = v.max_mem_slots
    w["maxVCpus"] = v.max_v_cpus
    if v.mem_guaranteed_size is not None:
        w["memGuaranteedSize"] = v.mem_guaranteed_size // 1048576
    if v.mem_size is not None:
        w["memSize"] = v.mem_size // 1048576
    if v.nice is not None:
        w["nice"] = v.nice
    if v.num_of_io_threads is not None:
        w["numOfIoThreads"] = v.num_of_io_threads
    if v.pause_code is not None:
        w["pauseCode"] = v.pause_code
    if v.pid is not None:
        w["pid"] = v.pid
    if v.serial is not None:
        w["serial"] = v.serial
    if v.smp is not None:
        w["smp"] = v.smp
    w["smpCoresPerSocket"] = v.smp_cores_per_socket
    if v.smp_threads_per_core is not None:
        w["smpThreadsPerCore"] = v.smp_threads_per_core
    if v.status is not None:
        w["status"] = v.status
    w["timeOffset"] = v.time_offset
    if v.transparent_huge_pages is not None:
        w["transparentHugePages"] = v.transparent_huge_pages
    w["vmId"] = v.vm_id
    if v.vm_name is not None:
        w["vmName"] = v.vm_name
    w["vmType"] = v.vm_type
    if v.x_nvramdata is not None:
        w["_X_nvramdata"] = v.x_nvramdata
    if v.x_tpmdata is not None:
        w["_X_tpmdata"] = v.x_tpmdata
    if v.src_dom_xml is not None:
        w["_srcDomXML"] = v.src_dom_xml
    if v.elapsed_time_offset is not None:
        w["elapsedTimeOffset"] = v.elapsed_time_offset
    if v.enable_guest_events is not None:
        w["enableGuestEvents"] = v.enable_guest_events
    if v.migration_dest is not None:
        w["migrationDest"] = v.migration_dest
    if v.status_time_ms is not None:
        w["statusTime"] = v.status_time_ms
    if v.xml is not None:
        w["xml"] = v.xml
    return w


def _encode_VMFullInfo(v: VMFullInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.acpi_enable is not None:
        w["acpiEnable"] = v.acpi_enable
    if v.arch is not None:
        w["arch"] = v.arch
    if v.client_ip is not None:
        w["clientIp"] = v.client_ip
    if v.cpu_type is not None:
        w["cpuType"] = v.cpu_type
    if v.custom is not None:
        w["custom"] = v.custom
    if v.devices is not None:
        w["devices"] = [_encode_member(i) for i in v.devices]
    if v.display is not None:
        w["display"] = v.display
    if v.display_ip is not None:
        w["displayIp"] = v.display_ip
    if v.display_port is not None:
        w["displayPort"] = v.display_port
    if v.display_secure_port is not None:
        w["displaySecurePort"] = v.display_secure_port
    if v.emulated_machine is not None:
        w["emulatedMachine"] = v.emulated_machine
    if v.guest_disk_mapping is not None:
        w["guestDiskMapping"] = v.guest_disk_mapping
    if v.guest_fqdn is not None:
        w["guestFQDN"] = v.guest_fqdn
    if v.guest_ips is not None:
        w["guestIPs"] = v.guest_ips
    if v.guest_os_info is not None:
        w["guestOsInfo"] = v.guest_os_info
    if v.guest_timezone is not None:
        w["guestTimezone"] = v.guest_timezone
    if v.keyboard_layout is not None:
        w["keyboardLayout"] = v.keyboard_layout
    if v.kvm_enable is not None:
        w["kvmEnable"] = v.kvm_enable
    if v.mem_guaranteed_size is not None:
        w["memGuaranteedSize"] = v.mem_guaranteed_size // 1048576
    if v.mem_size is not None:
        w["memSize"] = v.mem_size // 1048576
    if v.nice is not None:
        w["nice"] = v.nice
    if v.nic_model is not None:
        w["nicModel"] = v.nic_model
    if v.pause_code is not None:
        w["pauseCode"] = v.pause_code
    if v.pid is not None:
        w["pid"] = v.pid
    if v.pit_reinjection is not None:
        w["pitReinjection"] = v.pit_reinjection
    if v.smartcard_enable is not None:
        w["smartcardEnable"] = v.smartcard_enable
    if v.smp is not None:
        w["smp"] = v.smp
    if v.smp_cores_per_socket is not None:
        w["smpCoresPerSocket"] = v.smp_cores_per_socket
    w["spiceSecureChannels"] = v.spice_secure_channels
    if v.spice_ssl_cipher_suite is not None:
        w["spiceSslCipherSuite"] = v.spice_ssl_cipher_suite
    w["status"] = v.status
    if v.status_time_ms is not None:
        w["statusTime"] = v.status_time_ms
    if v.time_offset is not None:
        w["timeOffset"] = v.time_offset
    if v.transparent_huge_pages is not None:
        w["transparentHugePages"] = v.transparent_huge_pages
    if v.username is not None:
        w["username"] = v.username
    w["vmId"] = v.vm_id
    if v.vm_name is not None:
        w["vmName"] = v.vm_name
    if v.vm_type is not None:
        w["vmType"] = v.vm_type
    if v.xml is not None:
        w["xml"] = v.xml
    return w


def _encode_VmParameters(v: VmParameters) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.x_nvramdata is not None:
        w["_X_nvramdata"] = v.x_nvramdata
    if v.x_tpmdata is not None:
        w["_X_tpmdata"] = v.x_tpmdata
    w["acpiEnable"] = ("true" if v.acpi_enable else "false")
    if v.agent_channel_name is not None:
        w["agentChannelName"] = v.agent_channel_name
    w["bootMenuEnable"] = ("true" if v.boot_menu_enable else "false")
    if v.cpu_shares is not None:
        w["cpuShares"] = v.cpu_shares
    if v.cpu_type is not None:
        w["cpuType"] = v.cpu_type
    if v.custom is not None:
        w["custom"] = v.custom
    if v.devices is not None:
        w["devices"] = [_encode_member(i) for i in v.devices]
    if v.display is not None:
        w["display"] = v.display
    if v.display_network is not None:
        w["displayNetwork"] = v.display_network
    w["emulatedMachine"] = v.emulated_machine
    if v.guest_numa_nodes is not None:
        w["guestNumaNodes"] = [_encode_GuestNumaNode(i) for i in v.guest_numa_nodes]
    w["hypervEnable"] = v.hyperv_enable
    w["kvmEnable"] = ("true" if v.kvm_enable else "false")
    if v.launch_paused is not None:
        w["launchPaused"] = v.launch_paused
    if v.max_mem_size is not None:
        w["maxMemSize"] = v.max_mem_size // 1048576
    w["maxMemSlots"] = v.max_mem_slots
    if v.max_v_cpus is not None:
        w["maxVCpus"] = str(v.max_v_cpus)
    if v.mem_guaranteed_size is not None:
        w["memGuaranteedSize"] = v.mem_guaranteed_size // 1048576
    if v.mem_size is not None:
        w["memSize"] = v.mem_size // 1048576
    w["nice"] = str(v.nice)
    if v.numa_tune is not None:
        w["numaTune"] = _encode_NumaTune(v.numa_tune)
    w["pitReinjection"] = ("true" if v.pit_reinjection else "false")
    w["smartcardEnable"] = ("true" if v.smartcard_enable else "false")
    w["smp"] = str(v.smp)
    w["smpCoresPerSocket"] = str(v.smp_cores_per_socket)
    w["smpThreadsPerCore"] = str(v.smp_threads_per_core)
    w["timeOffset"] = str(v.time_offset)
    w["transparentHugePages"] = ("true" if v.transparent_huge_pages else "false")
    if v.vm_id is not None:
        w["vmId"] = v.vm_id
    if v.vm_name is not None:
        w["vmName"] = v.vm_name
    w["vmType"] = v.vm_type
    if v.xml is not None:
        w["xml"] = v.xml
    if v.hiber_vol_handle is not None:
        w["hiberVolHandle"] = v.hiber_vol_handle
    if v.memory_conf_volume is not None:
        w["memoryConfVolume"] = v.memory_conf_volume
    if v.memory_dump_volume is not None:
        w["memoryDumpVolume"] = v.memory_dump_volume
    return w


def _encode_BandwidthParams(v: BandwidthParams) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["average"] = v.average_kb_per_second
    w["burst"] = v.burst // 1024
    w["peak"] = v.peak_kb_per_second
    return w


def _encode_VmInterfaceDevice(v: VmInterfaceDevice) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.address is not None:
        w["address"] = v.address
    if v.alias is not None:
        w["alias"] = v.alias
    if v.boot_order is not None:
        w["bootOrder"] = v.boot_order
    w["custom"] = v.custom
    w["device"] = v.device
    if v.device_id is not None:
        w["deviceId"] = v.device_id
    w["deviceType"] = v.device_type
    if v.filter is not None:
        w["filter"] = v.filter
    w["filterParameters"] = v.filter_parameters
    if v.link_active is not None:
        w["linkActive"] = v.link_active
    w["macAddr"] = v.mac_addr
    if v.network is not None:
        w["network"] = v.network
    w["nicModel"] = v.nic_model
    w["portMirroring"] = v.port_mirroring
    if v.spec_params is not None:
        w["specParams"] = _encode_VmInterfaceDeviceSpecParams(v.spec_params)
    return w


def _encode_VmInterfaceDeviceSpecParams(v: VmInterfaceDeviceSpecParams) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.inbound is not None:
        w["inbound"] = _encode_BandwidthParams(v.inbound)
    if v.outbound is not None:
        w["outbound"] = _encode_BandwidthParams(v.outbound)
    return w


def _encode_VmMemoryDevice(v: VmMemoryDevice) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.address is not None:
        w["address"] = v.address
    if v.alias is not None:
        w["alias"] = v.alias
    w["device"] = v.device
    if v.device_id is not None:
        w["deviceId"] = v.device_id
    w["deviceType"] = v.device_type
    w["node"] = v.node
    w["size"] = v.size // 1048576
    return w


def _encode_VmVideoDevice(v: VmVideoDevice) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.address is not None:
        w["address"] = v.address
    if v.alias is not None:
        w["alias"] = v.alias
    w["device"] = v.device
    if v.device_id is not None:
        w["deviceId"] = v.device_id
    w["deviceType"] = v.device_type
    if v.spec_params is not None:
        w["specParams"] = _encode_VmVideoDeviceSpecParams(v.spec_params)
    return w


def _encode_VmVideoDeviceSpecParams(v: VmVideoDeviceSpecParams) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.heads is not None:
        w["heads"] = v.heads
    if v.ram is not None:
        w["ram"] = v.ram // 1024
    if v.vgamem is not None:
        w["vgamem"] = v.vgamem // 1024
    if v.vram is not None:
        w["vram"] = v.vram // 1024
    return w


def _encode_BalloonInfo(v: BalloonInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.balloon_cur is not None:
        w["balloon_cur"] = str(v.balloon_cur // 1024)
    if v.balloon_max is not None:
        w["balloon_max"] = str(v.balloon_max // 1024)
    if v.balloon_min is not None:
        w["balloon_min"] = str(v.balloon_min // 1024)
    if v.balloon_target is not None:
        w["balloon_target"] = str(v.balloon_target // 1024)
    w["ballooning_enabled"] = v.ballooning_enabled
    return w


def _encode_BlockJobInfo(v: BlockJobInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["bandwidth"] = v.bandwidth_mib_per_second
    w["blockJobType"] = v.block_job_type
    w["cur"] = str(v.cur)
    w["end"] = str(v.end)
    w["id"] = v.id
    w["imgUUID"] = v.img_uuid
    w["jobType"] = v.job_type
    if v.drive is not None:
        w["drive"] = v.drive
    return w


def _encode_GuestMemoryStats(v: GuestMemoryStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.majflt is not None:
        w["majflt"] = v.majflt
    w["mem_buffers"] = str(v.mem_buffers // 1024)
    w["mem_cached"] = str(v.mem_cached // 1024)
    if v.mem_free is not None:
        w["mem_free"] = str(v.mem_free // 1024)
    if v.mem_total is not None:
        w["mem_total"] = str(v.mem_total // 1024)
    if v.mem_unused is not None:
        w["mem_unused"] = str(v.mem_unused // 1024)
    if v.minflt is not None:
        w["minflt"] = v.minflt
    if v.pageflt is not None:
        w["pageflt"] = v.pageflt
    if v.swap_in_bytes_per_second is not None:
        w["swap_in"] = v.swap_in_bytes_per_second // 1024
    if v.swap_out_bytes_per_second is not None:
        w["swap_out"] = v.swap_out_bytes_per_second // 1024
    return w


def _encode_GuestMountInfo(v: GuestMountInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["fs"] = v.fs
    w["path"] = v.path
    w["total"] = str(v.total)
    w["used"] = str(v.used)
    return w


def _encode_NetworkInterfaceStats(v: NetworkInterfaceStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["macAddr"] = v.mac_addr
    w["name"] = v.name
    if v.rx is not None:
        w["rx"] = str(v.rx)
    if v.rx_dropped is not None:
        w["rxDropped"] = str(v.rx_dropped)
    if v.rx_errors is not None:
        w["rxErrors"] = str(v.rx_errors)
    if v.sample_time is not None:
        w["sampleTime"] = v.sample_time
    w["speed"] = str(v.speed_mbits_per_second)
    w["state"] = v.state
    if v.tx is not None:
        w["tx"] = str(v.tx)
    if v.tx_dropped is not None:
        w["txDropped"] = str(v.tx_dropped)
    if v.tx_errors is not None:
        w["txErrors"] = str(v.tx_errors)
    return w


def _encode_RunningVmStats(v: RunningVmStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.acpi_enable is not None:
        w["acpiEnable"] = ("true" if v.acpi_enable else "false")
    w["appsList"] = v.apps_list
    if v.balloon_info is not None:
        w["balloonInfo"] = _encode_BalloonInfo(v.balloon_info)
    if v.boot is not None:
        w["boot"] = v.boot
    if v.cdrom is not None:
        w["cdrom"] = v.cdrom
    w["clientIp"] = v.client_ip
    if v.cpu_actual is not None:
        w["cpuActual"] = v.cpu_actual
    w["cpuSys"] = f"{v.cpu_sys_percent:.2f}"
    if v.cpu_usage_ns is not None:
        w["cpuUsage"] = str(v.cpu_usage_ns)
    w["cpuUser"] = f"{v.cpu_user_percent:.2f}"
    if v.disks is not None:
        w["disks"] = {k: _encode_VmDiskStats(i) for k, i in v.disks.items()}
    if v.disks_usage is not None:
        w["disksUsage"] = [_encode_GuestMountInfo(i) for i in v.disks_usage]
    if v.display_info is not None:
        w["displayInfo"] = [_encode_VmDisplayInfo(i) for i in v.display_info]
    w["displayIp"] = v.display_ip
    if v.display_port is not None:
        w["displayPort"] = str(v.display_port)
    if v.display_secure_port is not None:
        w["displaySecurePort"] = str(v.display_secure_port)
    if v.display_type is not None:
        w["displayType"] = v.display_type
    w["elapsedTime"] = str(v.elapsed_time)
    if v.guest_containers is not None:
        w["guestContainers"] = v.guest_containers
    w["guestCPUCount"] = v.guest_cpu_count
    if v.guest_name is not None:
        w["guestName"] = v.guest_name
    if v.guest_os is not None:
        w["guestOs"] = v.guest_os
    if v.guest_os_info is not None:
        w["guestOsInfo"] = v.guest_os_info
    if v.guest_timezone is not None:
        w["guestTimezone"] = v.guest_timezone
    if v.guest_fqdn is not None:
        w["guestFQDN"] = v.guest_fqdn
    if v.guest_ips is not None:
        w["guestIPs"] = v.guest_ips
    if v.hash is not None:
        w["hash"] = str(v.hash)
    if v.io_tune is not None:
        w["ioTune"] = v.io_tune
    if v.kvm_enable is not None:
        w["kvmEnable"] = ("true" if v.kvm_enable else "false")
    if v.memory_stats is not None:
        w["memoryStats"] = _encode_GuestMemoryStats(v.memory_stats)
    if v.mem_usage_percent is not None:
        w["memUsage"] = str(v.mem_usage_percent)
    if v.migration_progress_percent is not None:
        w["migrationProgress"] = v.migration_progress_percent
    w["monitorResponse"] = str(v.monitor_response)
    if v.net_ifaces is not None:
        w["netIfaces"] = v.net_ifaces
    if v.network is not None:
        w["network"] = {k: _encode_NetworkInterfaceStats(i) for k, i in v.network.items()}
    if v.nvram_hash is not None:
        w["nvramHash"] = v.nvram_hash
    if v.pause_code is not None:
        w["pauseCode"] = v.pause_code
    if v.pci_devices is not None:
        w["pci_devices"] = v.pci_devices
    if v.pid is not None:
        w["pid"] = str(v.pid)
    if v.session is not None:
        w["session"] = v.session
    w["status"] = v.status
    w["statusTime"] = str(v.status_time_ms)
    if v.time_offset is not None:
        w["timeOffset"] = str(v.time_offset)
    if v.tpm_hash is not None:
        w["tpmHash"] = v.tpm_hash
    if v.username is not None:
        w["username"] = v.username
    if v.vcpu_count is not None:
        w["vcpuCount"] = str(v.vcpu_count)
    w["vcpuPeriod"] = v.vcpu_period_us
    w["vcpuQuota"] = str(v.vcpu_quota_us)
    if v.vcpu_user_limit_percent is not None:
        w["vcpuUserLimit"] = v.vcpu_user_limit_percent
    w["vmId"] = v.vm_id
    if v.vm_jobs is not None:
        w["vmJobs"] = {k: _encode_member(i) for k, i in v.vm_jobs.items()}
    w["vmName"] = v.vm_name
    if v.vm_type is not None:
        w["vmType"] = v.vm_type
    if v.watchdog_event is not None:
        w["watchdogEvent"] = v.watchdog_event
    return w


def _encode_VmDiskStats(v: VmDiskStats) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["apparentsize"] = str(v.apparentsize)
    w["flushLatency"] = f"{v.flush_latency_ns:.2f}"
    if v.image_id is not None:
        w["imageID"] = v.image_id
    w["readBytes"] = str(v.read_bytes)
    w["readLatency"] = f"{v.read_latency_ns:.2f}"
    w["readOps"] = str(v.read_ops)
    w["readRate"] = f"{v.read_rate_bytes_per_second:.2f}"
    w["truesize"] = str(v.truesize)
    w["writeLatency"] = f"{v.write_latency_ns:.2f}"
    w["writeOps"] = str(v.write_ops)
    w["writeRate"] = f"{v.write_rate_bytes_per_second:.2f}"
    w["writtenBytes"] = str(v.written_bytes)
    if v.lun_guid is not None:
        w["lunGUID"] = v.lun_guid
    return w


def _encode_VmDisplayInfo(v: VmDisplayInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["ipAddress"] = v.ip_address
    w["port"] = str(v.port)
    w["tlsPort"] = str(v.tls_port)
    w["type"] = v.type
    return w


def _encode_VolumeInfoResponse(v: VolumeInfoResponse) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.alloc_type is not None:
        w["allocType"] = v.alloc_type
    w["apparentsize"] = str(v.apparentsize)
    if v.capacity is not None:
        w["capacity"] = str(v.capacity)
    w["children"] = v.children
    if v.ctime is not None:
        w["ctime"] = str(v.ctime)
    if v.description is not None:
        w["description"] = v.description
    if v.disktype is not None:
        w["disktype"] = v.disktype
    if v.domain is not None:
        w["domain"] = v.domain
    if v.format is not None:
        w["format"] = v.format
    if v.generation is not None:
        w["generation"] = v.generation
    if v.image is not None:
        w["image"] = v.image
    if v.lease is not None:
        w["lease"] = v.lease
    if v.legality is not None:
        w["legality"] = v.legality
    if v.mtime is not None:
        w["mtime"] = str(v.mtime)
    if v.parent is not None:
        w["parent"] = v.parent
    if v.pool is not None:
        w["pool"] = v.pool
    w["status"] = v.status
    w["truesize"] = str(v.truesize)
    if v.uuid is not None:
        w["uuid"] = v.uuid
    if v.voltype is not None:
        w["voltype"] = v.voltype
    if v.type is not None:
        w["type"] = v.type
    return w


def _encode_VolumeSizeInfo(v: VolumeSizeInfo) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["apparentsize"] = str(v.apparentsize)
    w["truesize"] = str(v.truesize)
    return w


def _encode_HostSetupNetworksArgs(v: HostSetupNetworksArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.networks is not None:
        w["networks"] = {k: _encode_SetupNetworkNetAttributes(i) for k, i in v.networks.items()}
    if v.bondings is not None:
        w["bondings"] = {k: _encode_SetupNetworkBondAttributes(i) for k, i in v.bondings.items()}
    if v.options is not None:
        w["options"] = _encode_SetupNetworkOptions(v.options)
    return w


def _encode_ImageDeleteArgs(v: ImageDeleteArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["imageID"] = v.image_id
    w["storagepoolID"] = v.storagepool_id
    w["storagedomainID"] = v.storagedomain_id
    w["postZero"] = ("true" if v.post_zero else "false")
    w["force"] = ("true" if v.force else "false")
    w["discard"] = v.discard
    return w


def _encode_ImageDeleteVolumesArgs(v: ImageDeleteVolumesArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["imageID"] = v.image_id
    w["storagepoolID"] = v.storagepool_id
    w["storagedomainID"] = v.storagedomain_id
    w["volumeList"] = v.volume_list
    w["postZero"] = ("true" if v.post_zero else "false")
    w["force"] = ("true" if v.force else "false")
    w["discard"] = v.discard
    return w


def _encode_ImageMoveArgs(v: ImageMoveArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["imageID"] = v.image_id
    w["storagepoolID"] = v.storagepool_id
    w["storagedomainID"] = v.storagedomain_id
    w["dstSdUUID"] = v.dst_sd_uuid
    w["operation"] = v.operation
    w["postZero"] = ("true" if v.post_zero else "false")
    w["force"] = ("true" if v.force else "false")
    w["discard"] = v.discard
    return w


def _encode_StorageDomainCreateArgs(v: StorageDomainCreateArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["storagedomainID"] = v.storagedomain_id
    w["domainType"] = v.domain_type
    w["typeArgs"] = v.type_args
    w["name"] = v.name
    w["domainClass"] = v.domain_class
    if v.version is not None:
        w["version"] = str(v.version)
    w["blockSize"] = v.block_size
    w["maxHosts"] = v.max_hosts
    return w


def _encode_StoragePoolConnectStorageServerArgs(v: StoragePoolConnectStorageServerArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.storagepool_id is not None:
        w["storagepoolID"] = v.storagepool_id
    w["domainType"] = v.domain_type
    w["connectionParams"] = [_encode_ConnectionRefParameters(i) for i in v.connection_params]
    return w


def _encode_StoragePoolDisconnectStorageServerArgs(v: StoragePoolDisconnectStorageServerArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    if v.storagepool_id is not None:
        w["storagepoolID"] = v.storagepool_id
    w["domainType"] = v.domain_type
    w["connectionParams"] = [_encode_ConnectionRefParameters(i) for i in v.connection_params]
    return w


def _encode_StoragePoolSpmStartArgs(v: StoragePoolSpmStartArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["storagepoolID"] = v.storagepool_id
    w["prevID"] = v.prev_id
    w["prevLver"] = str(v.prev_lver)
    w["enableScsiFencing"] = ("true" if v.enable_scsi_fencing else "false")
    if v.max_host_id is not None:
        w["maxHostID"] = v.max_host_id
    if v.dom_version is not None:
        w["domVersion"] = str(v.dom_version)
    return w


def _encode_StoragePoolUpgradeArgs(v: StoragePoolUpgradeArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["storagepoolID"] = v.storagepool_id
    w["targetDomVersion"] = str(v.target_dom_version)
    return w


def _encode_VMCreateArgs(v: VMCreateArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["vmParams"] = _encode_VmParameters(v.vm_params)
    return w


def _encode_VMDiskSizeExtendArgs(v: VMDiskSizeExtendArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["driveSpecs"] = v.drive_specs
    w["newSize"] = str(v.new_size)
    return w


def _encode_VMHotplugMemoryArgs(v: VMHotplugMemoryArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["params"] = _encode_HotplugMemoryParams(v.params)
    return w


def _encode_VMHotplugNicArgs(v: VMHotplugNicArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["params"] = _encode_HotplugNicParams(v.params)
    return w


def _encode_VMHotunplugMemoryArgs(v: VMHotunplugMemoryArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["params"] = _encode_HotplugMemoryParams(v.params)
    return w


def _encode_VMHotunplugNicArgs(v: VMHotunplugNicArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["params"] = _encode_HotplugNicParams(v.params)
    return w


def _encode_VMMigrateArgs(v: VMMigrateArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["params"] = _encode_MigrateParams(v.params)
    return w


def _encode_VMMigrationCreateArgs(v: VMMigrationCreateArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["params"] = _encode_VmDefinition(v.params)
    if v.incoming_limit is not None:
        w["incomingLimit"] = v.incoming_limit
    return w


def _encode_VMSetBalloonTargetArgs(v: VMSetBalloonTargetArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    w["target"] = v.target // 1024
    return w


def _encode_VMShutdownArgs(v: VMShutdownArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["vmID"] = v.vm_id
    if v.delay is not None:
        w["delay"] = str(v.delay)
    if v.message is not None:
        w["message"] = v.message
    w["reboot"] = v.reboot
    if v.timeout is not None:
        w["timeout"] = v.timeout
    w["force"] = v.force
    return w


def _encode_VolumeCopyArgs(v: VolumeCopyArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["volumeID"] = v.volume_id
    w["storagepoolID"] = v.storagepool_id
    w["storagedomainID"] = v.storagedomain_id
    w["imageID"] = v.image_id
    if v.dst_sd_uuid is not None:
        w["dstSdUUID"] = v.dst_sd_uuid
    w["dstImgUUID"] = v.dst_img_uuid
    w["dstVolUUID"] = v.dst_vol_uuid
    w["desc"] = v.desc
    w["volType"] = v.vol_type
    w["volFormat"] = v.vol_format
    w["preallocate"] = v.preallocate
    w["postZero"] = ("true" if v.post_zero else "false")
    w["force"] = ("true" if v.force else "false")
    w["discard"] = v.discard
    return w


def _encode_VolumeCreateArgs(v: VolumeCreateArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["volumeID"] = v.volume_id
    w["storagepoolID"] = v.storagepool_id
    w["storagedomainID"] = v.storagedomain_id
    w["imageID"] = v.image_id
    w["size"] = str(v.size)
    w["volFormat"] = v.vol_format
    w["preallocate"] = v.preallocate
    w["diskType"] = v.disk_type
    w["desc"] = v.desc
    if v.src_img_uuid is not None:
        w["srcImgUUID"] = v.src_img_uuid
    if v.src_vol_uuid is not None:
        w["srcVolUUID"] = v.src_vol_uuid
    if v.initial_size is not None:
        w["initialSize"] = str(v.initial_size)
    w["addBitmaps"] = v.add_bitmaps
    w["legal"] = v.legal
    w["sequence"] = v.sequence
    if v.bitmap is not None:
        w["bitmap"] = v.bitmap
    return w


def _encode_VolumeDeleteArgs(v: VolumeDeleteArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["volumeID"] = v.volume_id
    w["storagepoolID"] = v.storagepool_id
    w["storagedomainID"] = v.storagedomain_id
    w["imageID"] = v.image_id
    w["postZero"] = ("true" if v.post_zero else "false")
    w["force"] = ("true" if v.force else "false")
    w["discard"] = v.discard
    return w


def _encode_VolumeExtendSizeArgs(v: VolumeExtendSizeArgs) -> dict[str, Any]:
    w: dict[str, Any] = {}
    w["storagepoolID"] = v.storagepool_id
    w["storagedomainID"] = v.storagedomain_id
    w["imageID"] = v.image_id
    w["volumeID"] = v.volume_id
    w["newSize"] = str(v.new_size)
    return w


ENCODERS: dict[type, Any] = {
    VmStatusChange: _encode_VmStatusChange,
    BlockDeviceInfo: _encode_BlockDeviceInfo,
    CpuCoreStats: _encode_CpuCoreStats,
    ExternalDiskInfo: _encode_ExternalDiskInfo,
    ExternalVmInfo: _encode_ExternalVmInfo,
    HostDevice: _encode_HostDevice,
    HostDeviceParams: _encode_HostDeviceParams,
    HostStats: _encode_HostStats,
    NumaNode: _encode_NumaNode,
    NumaNodeHugePages: _encode_NumaNodeHugePages,
    NumaNodeHugePagesStats: _encode_NumaNodeHugePagesStats,
    NumaNodeMemoryStats: _encode_NumaNodeMemoryStats,
    PathStats: _encode_PathStats,
    PCIAddress: _encode_PCIAddress,
    SCSIAddress: _encode_SCSIAddress,
    SELinuxStatus: _encode_SELinuxStatus,
    Tlv: _encode_Tlv,
    USBAddress: _encode_USBAddress,
    VdsmCapabilities: _encode_VdsmCapabilities,
    HostNetworkInterfaceStats: _encode_HostNetworkInterfaceStats,
    HostNetworkStatistics: _encode_HostNetworkStatistics,
    Lldp: _encode_Lldp,
    NetInfoBond: _encode_NetInfoBond,
    NetInfoBridgedNetwork: _encode_NetInfoBridgedNetwork,
    NetInfoBridgelessNetwork: _encode_NetInfoBridgelessNetwork,
    NetInfoNic: _encode_NetInfoNic,
    SetupNetworkBondAttributes: _encode_SetupNetworkBondAttributes,
    SetupNetworkNetAttributes: _encode_SetupNetworkNetAttributes,
    SetupNetworkOptions: _encode_SetupNetworkOptions,
    VdsmNetworkCapabilities: _encode_VdsmNetworkCapabilities,
    PhysicalVolumeInfo: _encode_PhysicalVolumeInfo,
    VolumeGroupInfo: _encode_VolumeGroupInfo,
    BlockDevicePathInfo: _encode_BlockDevicePathInfo,
    StorageDomainDump: _encode_StorageDomainDump,
    StorageDomainFileStats: _encode_StorageDomainFileStats,
    StorageDomainInfo: _encode_StorageDomainInfo,
    StorageDomainStats: _encode_StorageDomainStats,
    StorageDomainVitals: _encode_StorageDomainVitals,
    ConnectionRefParameters: _encode_ConnectionRefParameters,
    StoragePoolDomainInfo: _encode_StoragePoolDomainInfo,
    StoragePoolFullInfo: _encode_StoragePoolFullInfo,
    StoragePoolInfo: _encode_StoragePoolInfo,
    GuestNumaNode: _encode_GuestNumaNode,
    HotplugMemoryParams: _encode_HotplugMemoryParams,
    HotplugNicParams: _encode_HotplugNicParams,
    MemNode: _encode_MemNode,
    MigrateParams: _encode_MigrateParams,
    MigrationCreateState: _encode_MigrationCreateState,
    NumaTune: _encode_NumaTune,
    VmDefinition: _encode_VmDefinition,
    VMFullInfo: _encode_VMFullInfo,
    VmParameters: _encode_VmParameters,
    BandwidthParams: _encode_BandwidthParams,
    VmInterfaceDevice: _encode_VmInterfaceDevice,
    VmInterfaceDeviceSpecParams: _encode_VmInterfaceDeviceSpecParams,
    VmMemoryDevice: _encode_VmMemoryDevice,
    VmVideoDevice: _encode_VmVideoDevice,
    VmVideoDeviceSpecParams: _encode_VmVideoDeviceSpecParams,
    BalloonInfo: _encode_BalloonInfo,
    BlockJobInfo: _encode_BlockJobInfo,
    GuestMemoryStats: _encode_GuestMemoryStats,
    GuestMountInfo: _encode_GuestMountInfo,
    NetworkInterfaceStats: _encode_NetworkInterfaceStats,
    RunningVmStats: _encode_RunningVmStats,
    VmDiskStats: _encode_VmDiskStats,
    VmDisplayInfo: _encode_VmDisplayInfo,
    VolumeInfoResponse: _encode_VolumeInfoResponse,
    VolumeSizeInfo: _encode_VolumeSizeInfo,
    HostSetupNetworksArgs: _encode_HostSetupNetworksArgs,
    ImageDeleteArgs: _encode_ImageDeleteArgs,
    ImageDeleteVolumesArgs: _encode_ImageDeleteVolumesArgs,
    ImageMoveArgs: _encode_ImageMoveArgs,
    StorageDomainCreateArgs: _encode_StorageDomainCreateArgs,
    StoragePoolConnectStorageServerArgs: _encode_StoragePoolConnectStorageServerArgs,
    StoragePoolDisconnectStorageServerArgs: _encode_StoragePoolDisconnectStorageServerArgs,
    StoragePoolSpmStartArgs: _encode_StoragePoolSpmStartArgs,
    StoragePoolUpgradeArgs: _encode_StoragePoolUpgradeArgs,
    VMCreateArgs: _encode_VMCreateArgs,
    VMDiskSizeExtendArgs: _encode_VMDiskSizeExtendArgs,
    VMHotplugMemoryArgs: _encode_VMHotplugMemoryArgs,
    VMHotplugNicArgs: _encode_VMHotplugNicArgs,
    VMHotunplugMemoryArgs: _encode_VMHotunplugMemoryArgs,
    VMHotunplugNicArgs: _encode_VMHotunplugNicArgs,
    VMMigrateArgs: _encode_VMMigrateArgs,
    VMMigrationCreateArgs: _encode_VMMigrationCreateArgs,
    VMSetBalloonTargetArgs: _encode_VMSetBalloonTargetArgs,
    VMShutdownArgs: _encode_VMShutdownArgs,
    VolumeCopyArgs: _encode_VolumeCopyArgs,
    VolumeCreateArgs: _encode_VolumeCreateArgs,
    VolumeDeleteArgs: _encode_VolumeDeleteArgs,
    VolumeExtendSizeArgs: _encode_VolumeExtendSizeArgs,
}


def _encode_member(value: Any) -> Any:
    """A member of a union, as its own class travels."""
    encode = ENCODERS.get(type(value))
    return encode(value) if encode else value


def _rescale_ExternalVmInfo(v: ExternalVmInfo) -> None:
    in_bytes(v, "mem_size", 1048576)


def _rescale_HostStats(v: HostStats) -> None:
    in_bytes(v, "anon_huge_pages", 1048576)
    if v.disk_stats is not None:
        for disk_stats_2 in v.disk_stats.values():
            _rescale_PathStats(disk_stats_2)
    in_bytes(v, "mem_free", 1048576)
    in_bytes(v, "mem_shared", 1048576)
    if v.numa_node_mem_free is not None:
        for numa_node_mem_free_2 in v.numa_node_mem_free.values():
            _rescale_NumaNodeMemoryStats(numa_node_mem_free_2)
    in_bytes(v, "swap_free", 1048576)
    in_bytes(v, "swap_total", 1048576)


def _rescale_NumaNode(v: NumaNode) -> None:
    in_bytes(v, "total_memory", 1048576)


def _rescale_NumaNodeMemoryStats(v: NumaNodeMemoryStats) -> None:
    in_bytes(v, "mem_free", 1048576)


def _rescale_PathStats(v: PathStats) -> None:
    in_bytes(v, "free", 1048576)


def _rescale_VdsmCapabilities(v: VdsmCapabilities) -> None:
    in_bytes(v, "guest_overhead", 1048576)
    in_bytes(v, "hugepages", 1024)
    in_bytes(v, "mem_size", 1048576)
    if v.numa_nodes is not None:
        for numa_nodes_2 in v.numa_nodes.values():
            _rescale_NumaNode(numa_nodes_2)
    in_bytes(v, "reserved_mem", 1048576)


def _rescale_GuestNumaNode(v: GuestNumaNode) -> None:
    in_bytes(v, "memory", 1048576)


def _rescale_HotplugMemoryParams(v: HotplugMemoryParams) -> None:
    in_bytes(v, "mem_guaranteed_size", 1048576)
    if v.memory is not None:
        _rescale_VmMemoryDevice(v.memory)


def _rescale_HotplugNicParams(v: HotplugNicParams) -> None:
    if v.nic is not None:
        _rescale_VmInterfaceDevice(v.nic)


def _rescale_MigrationCreateState(v: MigrationCreateState) -> None:
    if v.params is not None:
        _rescale_VmDefinition(v.params)


def _rescale_VmDefinition(v: VmDefinition) -> None:
    if v.devices is not None:
        for devices_2 in v.devices:
            _rescale_member(devices_2)
    in_bytes(v, "max_mem_size", 1048576)
    in_bytes(v, "mem_guaranteed_size", 1048576)
    in_bytes(v, "mem_size", 1048576)


def _rescale_VMFullInfo(v: VMFullInfo) -> None:
    if v.devices is not None:
        for devices_2 in v.devices:
            _rescale_member(devices_2)
    in_bytes(v, "mem_guaranteed_size", 1048576)
    in_bytes(v, "mem_size", 1048576)


def _rescale_VmParameters(v: VmParameters) -> None:
    if v.devices is not None:
        for devices_2 in v.devices:
            _rescale_member(devices_2)
    if v.guest_numa_nodes is not None:
        for guest_numa_nodes_2 in v.guest_numa_nodes:
            _rescale_GuestNumaNode(guest_numa_nodes_2)
    in_bytes(v, "max_mem_size", 1048576)
    in_bytes(v, "mem_guaranteed_size", 1048576)
    in_bytes(v, "mem_size", 1048576)


def _rescale_BandwidthParams(v: BandwidthParams) -> None:
    in_bytes(v, "burst", 1024)


def _rescale_VmInterfaceDevice(v: VmInterfaceDevice) -> None:
    if v.spec_params is not None:
        _rescale_VmInterfaceDeviceSpecParams(v.spec_params)


def _rescale_VmInterfaceDeviceSpecParams(v: VmInterfaceDeviceSpecParams) -> None:
    if v.inbound is not None:
        _rescale_BandwidthParams(v.inbound)
    if v.outbound is not None:
        _rescale_BandwidthParams(v.outbound)


def _rescale_VmMemoryDevice(v: VmMemoryDevice) -> None:
    in_bytes(v, "size", 1048576)


def _rescale_VmVideoDevice(v: VmVideoDevice) -> None:
    if v.spec_params is not None:
        _rescale_VmVideoDeviceSpecParams(v.spec_params)


def _rescale_VmVideoDeviceSpecParams(v: VmVideoDeviceSpecParams) -> None:
    in_bytes(v, "ram", 1024)
    in_bytes(v, "vgamem", 1024)
    in_bytes(v, "vram", 1024)


def _rescale_BalloonInfo(v: BalloonInfo) -> None:
    in_bytes(v, "balloon_cur", 1024)
    in_bytes(v, "balloon_max", 1024)
    in_bytes(v, "balloon_min", 1024)
    in_bytes(v, "balloon_target", 1024)


def _rescale_GuestMemoryStats(v: GuestMemoryStats) -> None:
    in_bytes(v, "mem_buffers", 1024)
    in_bytes(v, "mem_cached", 1024)
    in_bytes(v, "mem_free", 1024)
    in_bytes(v, "mem_total", 1024)
    in_bytes(v, "mem_unused", 1024)
    in_bytes(v, "swap_in_bytes_per_second", 1024)
    in_bytes(v, "swap_out_bytes_per_second", 1024)


def _rescale_RunningVmStats(v: RunningVmStats) -> None:
    if v.balloon_info is not None:
        _rescale_BalloonInfo(v.balloon_info)
    if v.memory_stats is not None:
        _rescale_GuestMemoryStats(v.memory_stats)


def _rescale_VMCreateArgs(v: VMCreateArgs) -> None:
    if v.vm_params is not None:
        _rescale_VmParameters(v.vm_params)


def _rescale_VMHotplugMemoryArgs(v: VMHotplugMemoryArgs) -> None:
    if v.params is not None:
        _rescale_HotplugMemoryParams(v.params)


def _rescale_VMHotplugNicArgs(v: VMHotplugNicArgs) -> None:
    if v.params is not None:
        _rescale_HotplugNicParams(v.params)


def _rescale_VMHotunplugMemoryArgs(v: VMHotunplugMemoryArgs) -> None:
    if v.params is not None:
        _rescale_HotplugMemoryParams(v.params)


def _rescale_VMHotunplugNicArgs(v: VMHotunplugNicArgs) -> None:
    if v.params is not None:
        _rescale_HotplugNicParams(v.params)


def _rescale_VMMigrationCreateArgs(v: VMMigrationCreateArgs) -> None:
    if v.params is not None:
        _rescale_VmDefinition(v.params)


def _rescale_VMSetBalloonTargetArgs(v: VMSetBalloonTargetArgs) -> None:
    in_bytes(v, "target", 1024)


RESCALERS: dict[type, Any] = {
    ExternalVmInfo: _rescale_ExternalVmInfo,
    HostStats: _rescale_HostStats,
    NumaNode: _rescale_NumaNode,
    NumaNodeMemoryStats: _rescale_NumaNodeMemoryStats,
    PathStats: _rescale_PathStats,
    VdsmCapabilities: _rescale_VdsmCapabilities,
    GuestNumaNode: _rescale_GuestNumaNode,
    HotplugMemoryParams: _rescale_HotplugMemoryParams,
    HotplugNicParams: _rescale_HotplugNicParams,
    MigrationCreateState: _rescale_MigrationCreateState,
    VmDefinition: _rescale_VmDefinition,
    VMFullInfo: _rescale_VMFullInfo,
    VmParameters: _rescale_VmParameters,
    BandwidthParams: _rescale_BandwidthParams,
    VmInterfaceDevice: _rescale_VmInterfaceDevice,
    VmInterfaceDeviceSpecParams: _rescale_VmInterfaceDeviceSpecParams,
    VmMemoryDevice: _rescale_VmMemoryDevice,
    VmVideoDevice: _rescale_VmVideoDevice,
    VmVideoDeviceSpecParams: _rescale_VmVideoDeviceSpecParams,
    BalloonInfo: _rescale_BalloonInfo,
    GuestMemoryStats: _rescale_GuestMemoryStats,
    RunningVmStats: _rescale_RunningVmStats,
    VMCreateArgs: _rescale_VMCreateArgs,
    VMHotplugMemoryArgs: _rescale_VMHotplugMemoryArgs,
    VMHotplugNicArgs: _rescale_VMHotplugNicArgs,
    VMHotunplugMemoryArgs: _rescale_VMHotunplugMemoryArgs,
    VMHotunplugNicArgs: _rescale_VMHotunplugNicArgs,
    VMMigrationCreateArgs: _rescale_VMMigrationCreateArgs,
    VMSetBalloonTargetArgs: _rescale_VMSetBalloonTargetArgs,
}


def _rescale_member(value: Any) -> None:
    rescale = RESCALERS.get(type(value))
    if rescale:
        rescale(value)


ARGUMENTS: dict[str, type[Struct]] = {
    "Host.abortV2VJob": HostAbortV2VJobArgs,
    "Host.add_image_ticket": HostAddImageTicketArgs,
    "Host.confirmConnectivity": HostConfirmConnectivityArgs,
    "Host.convertExternalVm": HostConvertExternalVmArgs,
    "Host.convertExternalVmFromOva": HostConvertExternalVmFromOvaArgs,
    "Host.deleteV2VJob": HostDeleteV2VJobArgs,
    "Host.dumpxmls": HostDumpxmlsArgs,
    "Host.echo": HostEchoArgs,
    "Host.extend_image_ticket": HostExtendImageTicketArgs,
    "Host.fenceNode": HostFenceNodeArgs,
    "Host.get_image_ticket": HostGetImageTicketArgs,
    "Host.getAllTasks": HostGetAllTasksArgs,
    "Host.getAllTasksInfo": HostGetAllTasksInfoArgs,
    "Host.getAllTasksStatuses": HostGetAllTasksStatusesArgs,
    "Host.getAllVmIoTunePolicies": HostGetAllVmIoTunePoliciesArgs,
    "Host.getAllVmStats": HostGetAllVmStatsArgs,
    "Host.getCapabilities": HostGetCapabilitiesArgs,
    "Host.getConnectedStoragePools": HostGetConnectedStoragePoolsArgs,
    "Host.getConvertedVm": HostGetConvertedVmArgs,
    "Host.getDeviceList": HostGetDeviceListArgs,
    "Host.getDevicesVisibility": HostGetDevicesVisibilityArgs,
    "Host.getExternalVmFromOva": HostGetExternalVmFromOvaArgs,
    "Host.getExternalVMNames": HostGetExternalVMNamesArgs,
    "Host.getExternalVMs": HostGetExternalVMsArgs,
    "Host.getHardwareInfo": HostGetHardwareInfoArgs,
    "Host.getJobs": HostGetJobsArgs,
    "Host.getLldp": HostGetLldpArgs,
    "Host.getLVMVolumeGroups": HostGetLVMVolumeGroupsArgs,
    "Host.getNetworkCapabilities": HostGetNetworkCapabilitiesArgs,
    "Host.getNetworkStatistics": HostGetNetworkStatisticsArgs,
    "Host.getStats": HostGetStatsArgs,
    "Host.getStorageDomains": HostGetStorageDomainsArgs,
    "Host.getStorageRepoStats": HostGetStorageRepoStatsArgs,
    "Host.getVMFullList": HostGetVMFullListArgs,
    "Host.getVMList": HostGetVMListArgs,
    "Host.hostdevChangeNumvfs": HostHostdevChangeNumvfsArgs,
    "Host.hostdevListByCaps": HostHostdevListByCapsArgs,
    "Host.hostdevReattach": HostHostdevReattachArgs,
    "Host.ping": HostPingArgs,
    "Host.ping2": HostPing2Args,
    "Host.registerSecrets": HostRegisterSecretsArgs,
    "Host.remove_image_ticket": HostRemoveImageTicketArgs,
    "Host.setHaMaintenanceMode": HostSetHaMaintenanceModeArgs,
    "Host.setKsmTune": HostSetKsmTuneArgs,
    "Host.setLogLevel": HostSetLogLevelArgs,
    "Host.setMOMPolicy": HostSetMOMPolicyArgs,
    "Host.setMOMPolicyParameters": HostSetMOMPolicyParametersArgs,
    "Host.setSafeNetworkConfig": HostSetSafeNetworkConfigArgs,
    "Host.setupNetworks": HostSetupNetworksArgs,
    "Host.startMonitoringDomain": HostStartMonitoringDomainArgs,
    "Host.stopMonitoringDomain": HostStopMonitoringDomainArgs,
    "Host.unregisterSecrets": HostUnregisterSecretsArgs,
    "Image.cloneStructure": ImageCloneStructureArgs,
    "Image.delete": ImageDeleteArgs,
    "Image.deleteVolumes": ImageDeleteVolumesArgs,
    "Image.download": ImageDownloadArgs,
    "Image.getVolumes": ImageGetVolumesArgs,
    "Image.move": ImageMoveArgs,
    "Image.prepare": ImagePrepareArgs,
    "Image.reconcileVolumeChain": ImageReconcileVolumeChainArgs,
    "Image.syncData": ImageSyncDataArgs,
    "Image.teardown": ImageTeardownArgs,
    "Image.upload": ImageUploadArgs,
    "ISCSIConnection.discoverSendTargets": ISCSIConnectionDiscoverSendTargetsArgs,
    "Lease.create": LeaseCreateArgs,
    "Lease.delete": LeaseDeleteArgs,
    "Lease.fence": LeaseFenceArgs,
    "Lease.info": LeaseInfoArgs,
    "Lease.rebuild_leases": LeaseRebuildLeasesArgs,
    "Lease.status": LeaseStatusArgs,
    "LVMVolumeGroup.create": LVMVolumeGroupCreateArgs,
    "LVMVolumeGroup.getInfo": LVMVolumeGroupGetInfoArgs,
    "LVMVolumeGroup.remove": LVMVolumeGroupRemoveArgs,
    "ManagedVolume.attach_volume": ManagedVolumeAttachVolumeArgs,
    "ManagedVolume.detach_volume": ManagedVolumeDetachVolumeArgs,
    "ManagedVolume.volumes_info": ManagedVolumeVolumesInfoArgs,
    "NBD.start_server": NBDStartServerArgs,
    "NBD.stop_server": NBDStopServerArgs,
    "OVA.abort": OVAAbortArgs,
    "OVA.export": OVAExportArgs,
    "Policy.show": PolicyShowArgs,
    "Policy.whatIf": PolicyWhatIfArgs,
    "SDM.add_bitmap": SDMAddBitmapArgs,
    "SDM.amend_volume": SDMAmendVolumeArgs,
    "SDM.clear_bitmaps": SDMClearBitmapsArgs,
    "SDM.copy_data": SDMCopyDataArgs,
    "SDM.merge": SDMMergeArgs,
    "SDM.move_domain_device": SDMMoveDomainDeviceArgs,
    "SDM.reduce_domain": SDMReduceDomainArgs,
    "SDM.remove_bitmap": SDMRemoveBitmapArgs,
    "SDM.sparsify_volume": SDMSparsifyVolumeArgs,
    "SDM.update_volume": SDMUpdateVolumeArgs,
    "StorageDomain.activate": StorageDomainActivateArgs,
    "StorageDomain.attach": StorageDomainAttachArgs,
    "StorageDomain.create": StorageDomainCreateArgs,
    "StorageDomain.deactivate": StorageDomainDeactivateArgs,
    "StorageDomain.detach": StorageDomainDetachArgs,
    "StorageDomain.dump": StorageDomainDumpArgs,
    "StorageDomain.extend": StorageDomainExtendArgs,
    "StorageDomain.format": StorageDomainFormatArgs,
    "StorageDomain.getFileStats": StorageDomainGetFileStatsArgs,
    "StorageDomain.getImages": StorageDomainGetImagesArgs,
    "StorageDomain.getInfo": StorageDomainGetInfoArgs,
    "StorageDomain.getStats": StorageDomainGetStatsArgs,
    "StorageDomain.getVolumes": StorageDomainGetVolumesArgs,
    "StorageDomain.resizePV": StorageDomainResizePVArgs,
    "StorageDomain.setDescription": StorageDomainSetDescriptionArgs,
    "StorageDomain.validate": StorageDomainValidateArgs,
    "StoragePool.connect": StoragePoolConnectArgs,
    "StoragePool.connectStorageServer": StoragePoolConnectStorageServerArgs,
    "StoragePool.create": StoragePoolCreateArgs,
    "StoragePool.destroy": StoragePoolDestroyArgs,
    "StoragePool.disconnect": StoragePoolDisconnectArgs,
    "StoragePool.disconnectStorageServer": StoragePoolDisconnectStorageServerArgs,
    "StoragePool.finalizeMerge": StoragePoolFinalizeMergeArgs,
    "StoragePool.getBackedUpVmsInfo": StoragePoolGetBackedUpVmsInfoArgs,
    "StoragePool.getBackedUpVmsList": StoragePoolGetBackedUpVmsListArgs,
    "StoragePool.getDomainsContainingImage": StoragePoolGetDomainsContainingImageArgs,
    "StoragePool.getInfo": StoragePoolGetInfoArgs,
    "StoragePool.getSpmStatus": StoragePoolGetSpmStatusArgs,
    "StoragePool.prepareMerge": StoragePoolPrepareMergeArgs,
    "StoragePool.reconstructMaster": StoragePoolReconstructMasterArgs,
    "StoragePool.reduceVolume": StoragePoolReduceVolumeArgs,
    "StoragePool.refresh": StoragePoolRefreshArgs,
    "StoragePool.removeVM": StoragePoolRemoveVMArgs,
    "StoragePool.setDescription": StoragePoolSetDescriptionArgs,
    "StoragePool.spmStart": StoragePoolSpmStartArgs,
    "StoragePool.spmStop": StoragePoolSpmStopArgs,
    "StoragePool.switchMaster": StoragePoolSwitchMasterArgs,
    "StoragePool.updateVMs": StoragePoolUpdateVMsArgs,
    "StoragePool.upgrade": StoragePoolUpgradeArgs,
    "Task.clear": TaskClearArgs,
    "Task.getInfo": TaskGetInfoArgs,
    "Task.getStatus": TaskGetStatusArgs,
    "Task.revert": TaskRevertArgs,
    "Task.stop": TaskStopArgs,
    "VM.backup_info": VMBackupInfoArgs,
    "VM.changeCD": VMChangeCDArgs,
    "VM.changeFloppy": VMChangeFloppyArgs,
    "VM.cont": VMContArgs,
    "VM.create": VMCreateArgs,
    "VM.delete_checkpoints": VMDeleteCheckpointsArgs,
    "VM.desktopLock": VMDesktopLockArgs,
    "VM.desktopLogin": VMDesktopLoginArgs,
    "VM.desktopLogoff": VMDesktopLogoffArgs,
    "VM.desktopSendHcCommand": VMDesktopSendHcCommandArgs,
    "VM.destroy": VMDestroyArgs,
    "VM.diskReplicateFinish": VMDiskReplicateFinishArgs,
    "VM.diskReplicateStart": VMDiskReplicateStartArgs,
    "VM.diskSizeExtend": VMDiskSizeExtendArgs,
    "VM.dump_checkpoint": VMDumpCheckpointArgs,
    "VM.freeze": VMFreezeArgs,
    "VM.getDiskAlignment": VMGetDiskAlignmentArgs,
    "VM.getExternalData": VMGetExternalDataArgs,
    "VM.getInfo": VMGetInfoArgs,
    "VM.getIoTune": VMGetIoTuneArgs,
    "VM.getIoTunePolicy": VMGetIoTunePolicyArgs,
    "VM.getMigrationStatus": VMGetMigrationStatusArgs,
    "VM.getStats": VMGetStatsArgs,
    "VM.getXmlDifference": VMGetXmlDifferenceArgs,
    "VM.hibernate": VMHibernateArgs,
    "VM.hotplugDisk": VMHotplugDiskArgs,
    "VM.hotplugHostdev": VMHotplugHostdevArgs,
    "VM.hotplugLease": VMHotplugLeaseArgs,
    "VM.hotplugMemory": VMHotplugMemoryArgs,
    "VM.hotplugNic": VMHotplugNicArgs,
    "VM.hotunplugDisk": VMHotunplugDiskArgs,
    "VM.hotunplugHostdev": VMHotunplugHostdevArgs,
    "VM.hotunplugLease": VMHotunplugLeaseArgs,
    "VM.hotunplugMemory": VMHotunplugMemoryArgs,
    "VM.hotunplugNic": VMHotunplugNicArgs,
    "VM.list_checkpoints": VMListCheckpointsArgs,
    "VM.merge": VMMergeArgs,
    "VM.migrate": VMMigrateArgs,
    "VM.migrateCancel": VMMigrateCancelArgs,
    "VM.migrateChangeParams": VMMigrateChangeParamsArgs,
    "VM.migrationCreate": VMMigrationCreateArgs,
    "VM.pause": VMPauseArgs,
    "VM.redefine_checkpoints": VMRedefineCheckpointsArgs,
    "VM.refresh_disk": VMRefreshDiskArgs,
    "VM.reset": VMResetArgs,
    "VM.screenshot": VMScreenshotArgs,
    "VM.seal": VMSealArgs,
    "VM.setBalloonTarget": VMSetBalloonTargetArgs,
    "VM.setCpuTunePeriod": VMSetCpuTunePeriodArgs,
    "VM.setCpuTuneQuota": VMSetCpuTuneQuotaArgs,
    "VM.setDestroyOnReboot": VMSetDestroyOnRebootArgs,
    "VM.setIoTune": VMSetIoTuneArgs,
    "VM.setNumberOfCpus": VMSetNumberOfCpusArgs,
    "VM.setTicket": VMSetTicketArgs,
    "VM.shutdown": VMShutdownArgs,
    "VM.snapshot": VMSnapshotArgs,
    "VM.start_backup": VMStartBackupArgs,
    "VM.stop_backup": VMStopBackupArgs,
    "VM.thaw": VMThawArgs,
    "VM.updateDevice": VMUpdateDeviceArgs,
    "VM.updateVmPolicy": VMUpdateVmPolicyArgs,
    "Volume.copy": VolumeCopyArgs,
    "Volume.create": VolumeCreateArgs,
    "Volume.delete": VolumeDeleteArgs,
    "Volume.extendSize": VolumeExtendSizeArgs,
    "Volume.getInfo": VolumeGetInfoArgs,
    "Volume.getQemuImageInfo": VolumeGetQemuImageInfoArgs,
    "Volume.getSize": VolumeGetSizeArgs,
    "Volume.measure": VolumeMeasureArgs,
    "Volume.refresh": VolumeRefreshArgs,
    "Volume.setDescription": VolumeSetDescriptionArgs,
    "Volume.setLegality": VolumeSetLegalityArgs,
    "Volume.teardown": VolumeTeardownArgs,
    "Volume.verify_untrusted": VolumeVerifyUntrustedArgs,
}
# The class of each verb's arguments.


RESULTS: dict[str, Any] = {
    "Host.dumpxmls": StringMap,
    "Host.echo": str,
    "Host.fenceNode": FenceNodeResult,
    "Host.get_image_ticket": ImageTicketInfo,
    "Host.getAllTasks": TasksDetails,
    "Host.getAllTasksInfo": TasksInfo,
    "Host.getAllTasksStatuses": TasksStatus,
    "Host.getAllVmIoTunePolicies": BulkIoTunePolicyMap,
    "Host.getAllVmStats": list[VmStats],
    "Host.getCapabilities": VdsmCapabilities,
    "Host.getConnectedStoragePools": list[UUID],
    "Host.getConvertedVm": str,
    "Host.getDeviceList": list[BlockDeviceInfo],
    "Host.getDevicesVisibility": DeviceVisibilityMap,
    "Host.getExternalVmFromOva": ExternalVmInfo,
    "Host.getExternalVMNames": list[str],
    "Host.getExternalVMs": list[ExternalVmInfo],
    "Host.getHardwareInfo": HardwareInformation,
    "Host.getJobs": HostJobInfoMap,
    "Host.getLldp": LldpMap,
    "Host.getLVMVolumeGroups": list[VolumeGroupInfo],
    "Host.getNetworkCapabilities": VdsmNetworkCapabilities,
    "Host.getNetworkStatistics": HostNetworkStatistics,
    "Host.getStats": HostStats,
    "Host.getStorageDomains": list[UUID],
    "Host.getStorageRepoStats": StorageDomainVitalsMap,
    "Host.getVMFullList": list[VMFullInfo],
    "Host.getVMList": list[VmInfo],
    "Host.hostdevListByCaps": HostDevices,
    "Image.cloneStructure": UUID,
    "Image.delete": UUID,
    "Image.deleteVolumes": UUID,
    "Image.download": UUID,
    "Image.getVolumes": list[UUID],
    "Image.move": UUID,
    "Image.prepare": PreparedImageInfo,
    "Image.reconcileVolumeChain": list[UUID],
    "Image.syncData": UUID,
    "Image.upload": UUID,
    "ISCSIConnection.discoverSendTargets": list[str],
    "Lease.create": UUID,
    "Lease.delete": UUID,
    "Lease.info": LeaseInfo,
    "Lease.rebuild_leases": UUID,
    "Lease.status": ExternalLeaseStatus,
    "LVMVolumeGroup.create": str,
    "LVMVolumeGroup.getInfo": VolumeGroupInfo,
    "ManagedVolume.attach_volume": ManagedVolumeInformation,
    "ManagedVolume.volumes_info": list[ManagedVolumeInformation],
    "NBD.start_server": str,
    "Policy.show": PolicyInfo,
    "Policy.whatIf": PolicyOutcome,
    "StorageDomain.dump": StorageDomainDump,
    "StorageDomain.getFileStats": StorageDomainFileStatsMap,
    "StorageDomain.getImages": list[UUID],
    "StorageDomain.getInfo": StorageDomainInfo,
    "StorageDomain.getStats": StorageDomainStats,
    "StorageDomain.getVolumes": list[UUID],
    "StorageDomain.resizePV": UInt,
    "StoragePool.connectStorageServer": list[ConnectStorageServerStatus],
    "StoragePool.disconnectStorageServer": list[ConnectStorageServerStatus],
    "StoragePool.finalizeMerge": UUID,
    "StoragePool.getBackedUpVmsInfo": OVFMap,
    "StoragePool.getBackedUpVmsList": list[UUID],
    "StoragePool.getDomainsContainingImage": list[UUID],
    "StoragePool.getInfo": StoragePoolFullInfo,
    "StoragePool.getSpmStatus": SpmStatus,
    "StoragePool.prepareMerge": UUID,
    "StoragePool.reduceVolume": UUID,
    "StoragePool.spmStart": UUID,
    "StoragePool.switchMaster": UUID,
    "StoragePool.upgrade": StoragePoolUpgradeStatus,
    "Task.getInfo": TaskInfo,
    "Task.getStatus": TaskStatus,
    "VM.backup_info": BackupInfo,
    "VM.changeCD": VmDefinition,
    "VM.changeFloppy": VmDefinition,
    "VM.create": VmDefinition,
    "VM.delete_checkpoints": CheckpointsResponse,
    "VM.diskSizeExtend": UInt,
    "VM.dump_checkpoint": CheckpointInfo,
    "VM.getDiskAlignment": DiskAlignmentMap,
    "VM.getExternalData": VmDataMap,
    "VM.getInfo": VmDefinition,
    "VM.getIoTune": list[VmDiskDeviceTuneParams],
    "VM.getIoTunePolicy": list[VmDiskDeviceTuneLimits],
    "VM.getMigrationStatus": MigrationStats,
    "VM.getStats": list[VmStats],
    "VM.getXmlDifference": list[XmlChange],
    "VM.hotplugDisk": VmDefinition,
    "VM.hotplugHostdev": list[str],
    "VM.hotplugLease": VmDefinition,
    "VM.hotplugMemory": VmDefinition,
    "VM.hotplugNic": VmDefinition,
    "VM.hotunplugDisk": VmDefinition,
    "VM.hotunplugHostdev": list[str],
    "VM.hotunplugLease": VmDefinition,
    "VM.hotunplugNic": VmDefinition,
    "VM.list_checkpoints": list[UUID],
    "VM.migrationCreate": MigrationCreateState,
    "VM.redefine_checkpoints": CheckpointsResponse,
    "VM.refresh_disk": VolumeSizeInfo,
    "VM.screenshot": ScreenshotResponse,
    "VM.setNumberOfCpus": VmDefinition,
    "VM.start_backup": BackupInfo,
    "VM.updateDevice": VmDefinition,
    "Volume.copy": UUID,
    "Volume.create": UUID,
    "Volume.delete": UUID,
    "Volume.extendSize": UUID,
    "Volume.getInfo": VolumeInfoResponse,
    "Volume.getQemuImageInfo": QemuImageInfo,
    "Volume.getSize": VolumeSizeInfo,
    "Volume.measure": VolumeMeasureResult,
}
# What a result is read into.


def _result_HostGetAllVmStatsArgs(v: Any) -> Any:
    return [_encode_member(i) for i in v]


def _result_HostGetCapabilitiesArgs(v: Any) -> Any:
    return _encode_VdsmCapabilities(v)


def _result_HostGetDeviceListArgs(v: Any) -> Any:
    return [_encode_BlockDeviceInfo(i) for i in v]


def _result_HostGetExternalVmFromOvaArgs(v: Any) -> Any:
    return _encode_ExternalVmInfo(v)


def _result_HostGetExternalVMsArgs(v: Any) -> Any:
    return [_encode_ExternalVmInfo(i) for i in v]


def _result_HostGetLldpArgs(v: Any) -> Any:
    return {k: _encode_Lldp(i) for k, i in v.items()}


def _result_HostGetLVMVolumeGroupsArgs(v: Any) -> Any:
    return [_encode_VolumeGroupInfo(i) for i in v]


def _result_HostGetNetworkCapabilitiesArgs(v: Any) -> Any:
    return _encode_VdsmNetworkCapabilities(v)


def _result_HostGetNetworkStatisticsArgs(v: Any) -> Any:
    return _encode_HostNetworkStatistics(v)


def _result_HostGetStatsArgs(v: Any) -> Any:
    return _encode_HostStats(v)


def _result_HostGetStorageRepoStatsArgs(v: Any) -> Any:
    return {k: _encode_StorageDomainVitals(i) for k, i in v.items()}


def _result_HostGetVMFullListArgs(v: Any) -> Any:
    return [_encode_VMFullInfo(i) for i in v]


def _result_HostGetVMListArgs(v: Any) -> Any:
    return [_encode_member(i) for i in v]


def _result_HostHostdevListByCapsArgs(v: Any) -> Any:
    return {k: _encode_HostDevice(i) for k, i in v.items()}


def _result_LVMVolumeGroupGetInfoArgs(v: Any) -> Any:
    return _encode_VolumeGroupInfo(v)


def _result_StorageDomainDumpArgs(v: Any) -> Any:
    return _encode_StorageDomainDump(v)


def _result_StorageDomainGetFileStatsArgs(v: Any) -> Any:
    return {k: _encode_StorageDomainFileStats(i) for k, i in v.items()}


def _result_StorageDomainGetInfoArgs(v: Any) -> Any:
    return _encode_StorageDomainInfo(v)


def _result_StorageDomainGetStatsArgs(v: Any) -> Any:
    return _encode_StorageDomainStats(v)


def _result_StorageDomainResizePVArgs(v: Any) -> Any:
    return str(v)


def _result_StoragePoolGetInfoArgs(v: Any) -> Any:
    return _encode_StoragePoolFullInfo(v)


def _result_VMChangeCDArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMChangeFloppyArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMCreateArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMDiskSizeExtendArgs(v: Any) -> Any:
    return str(v)


def _result_VMGetInfoArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMGetStatsArgs(v: Any) -> Any:
    return [_encode_member(i) for i in v]


def _result_VMHotplugDiskArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMHotplugLeaseArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMHotplugMemoryArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMHotplugNicArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMHotunplugDiskArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMHotunplugLeaseArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMHotunplugNicArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMMigrationCreateArgs(v: Any) -> Any:
    return _encode_MigrationCreateState(v)


def _result_VMRefreshDiskArgs(v: Any) -> Any:
    return _encode_VolumeSizeInfo(v)


def _result_VMSetNumberOfCpusArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VMUpdateDeviceArgs(v: Any) -> Any:
    return _encode_VmDefinition(v)


def _result_VolumeGetInfoArgs(v: Any) -> Any:
    return _encode_VolumeInfoResponse(v)


def _result_VolumeGetSizeArgs(v: Any) -> Any:
    return _encode_VolumeSizeInfo(v)


RESULT_ENCODERS: dict[str, Any] = {
    "Host.getAllVmStats": _result_HostGetAllVmStatsArgs,
    "Host.getCapabilities": _result_HostGetCapabilitiesArgs,
    "Host.getDeviceList": _result_HostGetDeviceListArgs,
    "Host.getExternalVmFromOva": _result_HostGetExternalVmFromOvaArgs,
    "Host.getExternalVMs": _result_HostGetExternalVMsArgs,
    "Host.getLldp": _result_HostGetLldpArgs,
    "Host.getLVMVolumeGroups": _result_HostGetLVMVolumeGroupsArgs,
    "Host.getNetworkCapabilities": _result_HostGetNetworkCapabilitiesArgs,
    "Host.getNetworkStatistics": _result_HostGetNetworkStatisticsArgs,
    "Host.getStats": _result_HostGetStatsArgs,
    "Host.getStorageRepoStats": _result_HostGetStorageRepoStatsArgs,
    "Host.getVMFullList": _result_HostGetVMFullListArgs,
    "Host.getVMList": _result_HostGetVMListArgs,
    "Host.hostdevListByCaps": _result_HostHostdevListByCapsArgs,
    "LVMVolumeGroup.getInfo": _result_LVMVolumeGroupGetInfoArgs,
    "StorageDomain.dump": _result_StorageDomainDumpArgs,
    "StorageDomain.getFileStats": _result_StorageDomainGetFileStatsArgs,
    "StorageDomain.getInfo": _result_StorageDomainGetInfoArgs,
    "StorageDomain.getStats": _result_StorageDomainGetStatsArgs,
    "StorageDomain.resizePV": _result_StorageDomainResizePVArgs,
    "StoragePool.getInfo": _result_StoragePoolGetInfoArgs,
    "VM.changeCD": _result_VMChangeCDArgs,
    "VM.changeFloppy": _result_VMChangeFloppyArgs,
    "VM.create": _result_VMCreateArgs,
    "VM.diskSizeExtend": _result_VMDiskSizeExtendArgs,
    "VM.getInfo": _result_VMGetInfoArgs,
    "VM.getStats": _result_VMGetStatsArgs,
    "VM.hotplugDisk": _result_VMHotplugDiskArgs,
    "VM.hotplugLease": _result_VMHotplugLeaseArgs,
    "VM.hotplugMemory": _result_VMHotplugMemoryArgs,
    "VM.hotplugNic": _result_VMHotplugNicArgs,
    "VM.hotunplugDisk": _result_VMHotunplugDiskArgs,
    "VM.hotunplugLease": _result_VMHotunplugLeaseArgs,
    "VM.hotunplugNic": _result_VMHotunplugNicArgs,
    "VM.migrationCreate": _result_VMMigrationCreateArgs,
    "VM.refresh_disk": _result_VMRefreshDiskArgs,
    "VM.setNumberOfCpus": _result_VMSetNumberOfCpusArgs,
    "VM.updateDevice": _result_VMUpdateDeviceArgs,
    "Volume.getInfo": _result_VolumeGetInfoArgs,
    "Volume.getSize": _result_VolumeGetSizeArgs,
}


def _rescale_result_HostGetAllVmStatsArgs(v: Any) -> None:
    for v_1 in v:
        _rescale_member(v_1)


def _rescale_result_HostGetCapabilitiesArgs(v: Any) -> None:
    _rescale_VdsmCapabilities(v)


def _rescale_result_HostGetExternalVmFromOvaArgs(v: Any) -> None:
    _rescale_ExternalVmInfo(v)


def _rescale_result_HostGetExternalVMsArgs(v: Any) -> None:
    for v_1 in v:
        _rescale_ExternalVmInfo(v_1)


def _rescale_result_HostGetStatsArgs(v: Any) -> None:
    _rescale_HostStats(v)


def _rescale_result_HostGetVMFullListArgs(v: Any) -> None:
    for v_1 in v:
        _rescale_VMFullInfo(v_1)


def _rescale_result_HostGetVMListArgs(v: Any) -> None:
    for v_1 in v:
        _rescale_member(v_1)


def _rescale_result_VMChangeCDArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMChangeFloppyArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMCreateArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMGetInfoArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMGetStatsArgs(v: Any) -> None:
    for v_1 in v:
        _rescale_member(v_1)


def _rescale_result_VMHotplugDiskArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMHotplugLeaseArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMHotplugMemoryArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMHotplugNicArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMHotunplugDiskArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMHotunplugLeaseArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMHotunplugNicArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMMigrationCreateArgs(v: Any) -> None:
    _rescale_MigrationCreateState(v)


def _rescale_result_VMSetNumberOfCpusArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


def _rescale_result_VMUpdateDeviceArgs(v: Any) -> None:
    _rescale_VmDefinition(v)


RESULT_RESCALERS: dict[str, Any] = {
    "Host.getAllVmStats": _rescale_result_HostGetAllVmStatsArgs,
    "Host.getCapabilities": _rescale_result_HostGetCapabilitiesArgs,
    "Host.getExternalVmFromOva": _rescale_result_HostGetExternalVmFromOvaArgs,
    "Host.getExternalVMs": _rescale_result_HostGetExternalVMsArgs,
    "Host.getStats": _rescale_result_HostGetStatsArgs,
    "Host.getVMFullList": _rescale_result_HostGetVMFullListArgs,
    "Host.getVMList": _rescale_result_HostGetVMListArgs,
    "VM.changeCD": _rescale_result_VMChangeCDArgs,
    "VM.changeFloppy": _rescale_result_VMChangeFloppyArgs,
    "VM.create": _rescale_result_VMCreateArgs,
    "VM.getInfo": _rescale_result_VMGetInfoArgs,
    "VM.getStats": _rescale_result_VMGetStatsArgs,
    "VM.hotplugDisk": _rescale_result_VMHotplugDiskArgs,
    "VM.hotplugLease": _rescale_result_VMHotplugLeaseArgs,
    "VM.hotplugMemory": _rescale_result_VMHotplugMemoryArgs,
    "VM.hotplugNic": _rescale_result_VMHotplugNicArgs,
    "VM.hotunplugDisk": _rescale_result_VMHotunplugDiskArgs,
    "VM.hotunplugLease": _rescale_result_VMHotunplugLeaseArgs,
    "VM.hotunplugNic": _rescale_result_VMHotunplugNicArgs,
    "VM.migrationCreate": _rescale_result_VMMigrationCreateArgs,
    "VM.setNumberOfCpus": _rescale_result_VMSetNumberOfCpusArgs,
    "VM.updateDevice": _rescale_result_VMUpdateDeviceArgs,
}


UNION_MEMBERS: dict[Any, tuple[Any, ...]] = {
    HostDeviceAddress: (PCIAddress, SCSIAddress, USBAddress,),
    NetInfoNetwork: (NetInfoBridgedNetwork, NetInfoBridgelessNetwork,),
    ImageSharingMethodArgs: (ImageSharingMethodArgsHttp,),
    LeaseMetadata: (JobMetadata,),
    CopyDataEndpoint: (CopyDataDIVEndpoint, CopyDataExternalEndpoint,),
    StorageDomainCreateArguments: (StorageDomainCreateArgumentsBlock, StorageDomainCreateArgumentsLocal, StorageDomainCreateArgumentsNfs,),
    MigrationStats: (MigratedStats, MigratingStats,),
    ScratchDisk: (FileScratchDisk, BlockScratchDisk,),
    SnapshotDriveInfo: (SnapshotVolumeDriveInfo, SnapshotGUIDDriveInfo, SnapshotUUIDDriveInfo,),
    VmInfoObject: (VmDefinition, VmShortStatus,),
    vmUpdateDeviceParams: (vmUpdateInterfaceDeviceParams, vmUpdateGraphicsDeviceParams, vmUpdateXMLDeviceParams,),
    DriveSpec: (DriveSpecVolume, DriveSpecGUID, DriveSpecPayload, DriveSpecPath, DriveSpecPathCdrom, DriveSpecVolumeCdrom,),
    DriveSpecCdrom: (DriveSpecPathCdrom, DriveSpecVolumeCdrom,),
    VmDevice: (VmDiskDevice, VmInterfaceDevice, VmVideoDevice, VmSoundDevice, VmControllerDevice, VmBalloonDevice, VmChannelDevice, VmWatchdogDevice, VmConsoleDevice, VmSmartcardDevice, VmGraphicsDevice, VmHostDevice, VmRngDevice, VmTpmDevice, VmLeaseDevice,),
    VmDeviceAddress: (VmDevicePciAddress, VmDeviceIdeAddress, VmDeviceVirtioSerialAddress,),
    VmJobInfo: (BlockJobInfo,),
    VmStats: (ExitedVmStats, RunningVmStats,),
    VmInfo: (VmDefinition, VmShortStatus,),
}
# The classes that a value of an untagged union may have.


OTHER_MEMBERS: dict[Any, Any] = {
    VmInfo: UUID,
}
# What a value of a union is that is no object.


FIXED_VALUES: dict[type, dict[str, frozenset[str]]] = {
    CopyDataDIVEndpoint: {"endpoint_type": frozenset(['div'])},
    CopyDataExternalEndpoint: {"endpoint_type": frozenset(['external'])},
    VmDiskDevice: {"deviceType": frozenset(['disk'])},
    VmInterfaceDevice: {"deviceType": frozenset(['interface'])},
    VmVideoDevice: {"deviceType": frozenset(['video'])},
    VmSoundDevice: {"deviceType": frozenset(['sound'])},
    VmControllerDevice: {"deviceType": frozenset(['controller'])},
    VmBalloonDevice: {"deviceType": frozenset(['balloon'])},
    VmChannelDevice: {"deviceType": frozenset(['channel'])},
    VmWatchdogDevice: {"deviceType": frozenset(['watchdog'])},
    VmConsoleDevice: {"deviceType": frozenset(['console'])},
    VmSmartcardDevice: {"deviceType": frozenset(['smartcard'])},
    VmGraphicsDevice: {"deviceType": frozenset(['graphics'])},
    VmHostDevice: {"deviceType": frozenset(['hostdev', 'memory', 'redir'])},
    VmRngDevice: {"deviceType": frozenset(['rng'])},
    VmTpmDevice: {"deviceType": frozenset(['tpm'])},
    VmLeaseDevice: {"type": frozenset(['lease'])},
    VmDevicePciAddress: {"addressType": frozenset(['pci'])},
    VmDeviceIdeAddress: {"addressType": frozenset(['drive'])},
    VmDeviceVirtioSerialAddress: {"addressType": frozenset(['virtio-serial'])},
}
# The values by which a class is told from the other members of its union, by their names on the wire.
