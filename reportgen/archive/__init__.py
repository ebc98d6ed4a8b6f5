"""What lies on disk: the folder of a cycle, its evidence, its codecs."""
