"""Scenario files in YAML, and Neutron's .ini files, to the model."""
