"""The pure core: standard library and itself alone; no clock, file, network, environment."""
