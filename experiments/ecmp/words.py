"""Strings that the probe of `ecmp` and its report share."""

ONE, MANY = "one", "many"  # pairs of inner addresses
ONE_SPINE, SPREAD, SPLIT = "one spine", "spread", "split"  # what the predictions are about

FORMAT_2 = {"torn": SPLIT, "on_it": "on_spine"}  # columns that format 2 named otherwise
FORMAT_2_VALUES = {"about": {"exact": ONE_SPINE, "whole": SPLIT}}
