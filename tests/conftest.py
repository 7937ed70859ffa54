from hypothesis import HealthCheck, settings

# A slow or busy machine is no fault of what is tested: pytest's own time limit ends what hangs.
settings.register_profile("ovis", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ovis")
