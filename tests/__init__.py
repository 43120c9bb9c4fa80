"""Tests by level: pure, golden, rootless, root, smoke."""
