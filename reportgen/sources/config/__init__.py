"""The configuration: three YAML files and what they name, read into core types or refused."""
