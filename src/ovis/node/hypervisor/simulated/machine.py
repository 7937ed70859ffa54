"""What the simulated machine says of itself: as short as what the agent reads."""

import base64

CAPABILITIES = """<capabilities>
  <host>
    <uuid>00000000-0000-4000-8000-000000000001</uuid>
    <cpu>
      <arch>x86_64</arch><model>Skylake-Client</model><vendor>Intel</vendor>
      <topology sockets='1' dies='1' cores='8' threads='2'/>
    </cpu>
    <topology>
      <cells num='1'>
        <cell id='0'><memory unit='KiB'>67108864</memory><cpus num='16'/></cell>
      </cells>
    </topology>
  </host>
  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <wordsize>64</wordsize><emulator>/usr/bin/qemu-system-x86_64</emulator>
      <machine canonical='pc-i440fx-7.2'>pc</machine><machine canonical='pc-q35-7.2'>q35</machine>
      <domain type='qemu'/><domain type='kvm'/>
    </arch>
  </guest>
</capabilities>
"""

DOMAIN_CAPABILITIES = """<domainCapabilities>
  <path>/usr/bin/qemu-system-x86_64</path><domain>kvm</domain><machine>pc-q35-7.2</machine><arch>x86_64</arch>
  <vcpu max='288'/>
  <cpu>
    <mode name='host-passthrough' supported='yes'/>
    <mode name='host-model' supported='yes'><model fallback='forbid'>Skylake-Client</model></mode>
    <mode name='custom' supported='yes'><model usable='yes'>Skylake-Client</model></mode>
  </cpu>
</domainCapabilities>
"""

# One black point.
SCREEN = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
