"""A hypervisor in memory with the interface of the real one, for tests and for the simulator."""

from ovis.node.hypervisor.simulated.clock import Clock, ManualClock, RealClock
from ovis.node.hypervisor.simulated.domain import Load
from ovis.node.hypervisor.simulated.faults import Faults
from ovis.node.hypervisor.simulated.guest import Guest
from ovis.node.hypervisor.simulated.hypervisor import SimulatedHypervisor

__all__ = ["Clock", "Faults", "Guest", "Load", "ManualClock", "RealClock", "SimulatedHypervisor"]
