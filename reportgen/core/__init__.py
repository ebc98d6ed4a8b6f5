"""The pure core: standard library and itself only; no clock, file, network, environment or locale."""
