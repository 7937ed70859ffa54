"""`ovis node top`: the host and its VMs at a glance.

command  options, and which of the two ways to show
figures  answers of the agent made into numbers; two of them made into rates
frame    numbers made into lines
screen   the terminal: full screen, keys, resizing
"""
