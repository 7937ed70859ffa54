"""Scripts of the administrator that run at fixed points of the life of VMs and of the host.

`points` has the table of points, `scripts` finds what is installed, `runner` runs it (loaded with the first script that
runs), `hooks` is what the rest of the agent calls. `importable/` is on the path of hook scripts and of nothing else.
"""
