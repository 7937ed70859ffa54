"""The host's certificates: `ovis node certificate show | renew`, and the agent's task that renews them in time."""
