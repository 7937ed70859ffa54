"""How much a running VM may use: CPUs, CPU time, disk throughput, memory; and the policy that engines keep for it."""
