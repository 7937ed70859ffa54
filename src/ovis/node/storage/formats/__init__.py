"""The layouts of a storage domain on disk: bytes in, frozen values out, and back. No I/O.

    sealed_keys       KEY=VALUE lines under a checksum; the ground of domain and pool metadata
    group_tags        the same keys as tags of an LVM volume group
    domain_metadata   what a domain is
    pool_metadata     which pool it leads, in the master domain's metadata
    domain_record     both together, as they lie in one file or one set of tags
    volume_metadata   512 bytes for a volume, beside it or in a slot
    volume_tags       tags of a logical volume
    sanlock_areas     sizes, alignments and offsets of leases
    lease_index       which lease lies where in `xleases`
    mailbox           how a host asks the SPM for a bigger volume
    ovf_store         configurations of VMs, kept on the domain
    tar_archive       the archive that an OVF store is
    repository        names and paths
    keys, identifiers typed values out of text, for the modules above

Each module opens with its layout. What crash safety means for a form is said there; three words recur:

    sector    the smallest unit that a disk writes whole: 512 or 4096 bytes. A value that fits in one is old or new.
    rename    a file is written beside the old one, flushed, and renamed over it: old or new.
    seal      a checksum inside; it does not make a write whole, it makes a torn one known.

Only domain versions 3, 4 and 5 are served; 0 and 2 are refused (their lock is not sanlock's).
docs/storage/formats.md shows the same in pictures. Facts: oVirt vdsm up to 4.50; for the OVF store, oVirt engine.
"""
