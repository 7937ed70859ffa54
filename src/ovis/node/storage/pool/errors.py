"""What can go wrong with pools.

PoolError
├── NotConnected, OtherPool, StillConnected, PoolExists      this host and its pool
├── MasterNotFound, WrongMaster, HigherMaster, NoSpmStatus   the master domain
├── IsSpm, NotSpm (tasks/errors.py), SpmStartFailed, SpmStopFailed, WrongHostId
├── DomainAttached, DomainNotInPool, DomainActive, DomainIsMaster, WrongState, ConnectedPool    its domains
├── WrongClass, MixedVersions, TooManyDomains, NameTooLong
└── UpgradeRunning, VersionTooHigh, VersionNotServed
"""

from __future__ import annotations

from ovis.node.storage.errors import StorageError


class PoolError(StorageError):
    wire_name = "StoragePoolActionError"


class NotConnected(PoolError):
    wire_name = "StoragePoolUnknown"

    def __init__(self, pool: str) -> None:
        super().__init__(f"this host is not connected to pool {pool}")
        self.pool = pool


class OtherPool(PoolError):
    wire_name = "CannotConnectMultiplePools"

    def __init__(self, pool: str, connected: str) -> None:
        super().__init__(f"pool {pool} cannot be connected: this host is in pool {connected}")


class StillConnected(PoolError):
    wire_name = "StoragePoolConnected"

    def __init__(self, pool: str) -> None:
        super().__init__(f"this host is connected to pool {pool}; it has to leave it first")


class PoolExists(PoolError):
    wire_name = "StoragePoolAlreadyExists"

    def __init__(self, pool: str, master: str) -> None:
        super().__init__(f"pool {pool} exists already: domain {master} is its master")


class MasterNotFound(PoolError):
    wire_name = "StoragePoolMasterNotFound"

    def __init__(self, pool: str, master: str, why: str) -> None:
        super().__init__(f"pool {pool}: its master domain {master} cannot be used: {why}")


class WrongMaster(PoolError):
    wire_name = "StoragePoolWrongMaster"

    def __init__(self, pool: str, master: str, why: str) -> None:
        super().__init__(f"domain {master} is not the master of pool {pool} as expected: {why}")


class HigherMaster(PoolError):
    wire_name = "StoragePoolHigherVersionMasterFound"

    def __init__(self, pool: str, found: str, version: int) -> None:
        super().__init__(f"pool {pool} has another master, domain {found} with the higher version {version}")


class IsSpm(PoolError):
    wire_name = "IsSpm"

    def __init__(self, pool: str) -> None:
        super().__init__(f"this host is the SPM of pool {pool}; that role has to be given up first")


class SpmStartFailed(PoolError):
    wire_name = "SpmStartError"

    def __init__(self, pool: str, why: str) -> None:
        super().__init__(f"this host did not become the SPM of pool {pool}: {why}")


class WrongHostId(PoolError):
    wire_name = "HostIdMismatch"

    def __init__(self, pool: str, given: int, connected: int) -> None:
        super().__init__(f"this host is in pool {pool} as number {connected}, not {given}")


class DomainAttached(PoolError):
    wire_name = "StorageDomainAlreadyAttached"

    def __init__(self, domain: str, pools: tuple[str, ...]) -> None:
        super().__init__(f"storage domain {domain} belongs to pool {', '.join(pools)} already")


class DomainNotInPool(PoolError):
    wire_name = "StorageDomainNotMemberOfPool"

    def __init__(self, domain: str, pool: str) -> None:
        super().__init__(f"storage domain {domain} is not a member of pool {pool}")


class DomainActive(PoolError):
    wire_name = "StorageDomainActive"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain} is active; it has to be deactivated first")


class DomainIsMaster(PoolError):
    wire_name = "CannotDetachMasterStorageDomain"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain} is the master of its pool")


class MasterNeeded(PoolError):
    wire_name = "StorageDomainDeactivateError"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain} is the master, and other domains are active: name another master")


class WrongState(PoolError):
    wire_name = "StorageDomainStateTransitionIllegal"

    def __init__(self, domain: str, state: str, wanted: str) -> None:
        super().__init__(f"storage domain {domain} is {state} and cannot become {wanted}")


class ConnectedPool(PoolError):
    wire_name = "CannotFormatStorageDomainInConnectedPool"

    def __init__(self, domain: str, pool: str) -> None:
        super().__init__(f"storage domain {domain} is in pool {pool}, to which this host is connected: not formatted")


class StillAttached(PoolError):
    wire_name = "CannotFormatAttachedStorageDomain"

    def __init__(self, domain: str, pools: tuple[str, ...]) -> None:
        super().__init__(f"storage domain {domain} is attached to pool {', '.join(pools)}: not formatted")


class IsoAsMaster(PoolError):
    wire_name = "IsoCannotBeMasterDomain"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain} is an ISO domain and cannot be the master of a pool")


class BackupAsMaster(PoolError):
    wire_name = "BackupCannotBeMasterDomain"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain} is a backup domain and cannot be the master of a pool")


class MixedVersions(PoolError):
    wire_name = "MixedSDVersionError"

    def __init__(self, domain: str, version: int, pool_version: int) -> None:
        super().__init__(f"storage domain {domain} has version {version}, its pool {pool_version}")


class TooManyDomains(PoolError):
    wire_name = "TooManyDomainsInStoragePoolError"

    def __init__(self, pool: str, number: int) -> None:
        super().__init__(
            f"pool {pool} cannot have {number} domains: their list does not fit into the metadata of its master"
        )


class NameTooLong(PoolError):
    wire_name = "StoragePoolDescriptionTooLongError"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(f"a pool's name may have {limit} characters, this one has {length}")


class UpgradeRunning(PoolError):
    wire_name = "PoolUpgradeInProgress"

    def __init__(self, pool: str, version: int) -> None:
        super().__init__(f"pool {pool} is being upgraded to version {version}")


class VersionTooHigh(PoolError):
    wire_name = "CurrentVersionTooAdvancedError"

    def __init__(self, what: str, version: int, wanted: int) -> None:
        super().__init__(f"{what} has version {version} already, which is above {wanted}")


class VersionNotServed(PoolError):
    wire_name = "UnsupportedDomainVersion"

    def __init__(self, version: int) -> None:
        super().__init__(f"domain version {version} is not served, only 3, 4 and 5")


class NotBackup(PoolError):
    wire_name = "StorageDomainTypeNotBackup"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain} is neither a backup domain nor the master of its pool")


class VmsNotStored(PoolError):
    wire_name = "StorageUpdateVmError"

    def __init__(self, vm: str, stored: int, why: str) -> None:
        super().__init__(f"the description of VM {vm} was not stored ({stored} before it were): {why}")
