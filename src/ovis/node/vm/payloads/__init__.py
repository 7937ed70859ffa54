"""Small media that the agent makes for a VM out of files in a request: cloud-init, sysprep, ignition."""
