"""Moving the content of disks: files on this machine, and volumes behind a host's image transfer daemon.

copy(source, target)        copying.py       several workers, zeros and holes known, can be resumed
  ├── RawFile               raw_file.py
  ├── NbdImage              nbd_image.py     any format that QEMU reads, through qemu-nbd
  └── TransferImage         transfer.py      a ticket's volume at the daemon
"""
