"""Strings that the probe and the report of `segments` share."""

DROPPED = "capture_dropped"  # facts about a lab, for run.json
NO_END_FRAME = "end_frames_missing"

FORMAT_2 = {"barriers_missing": NO_END_FRAME}  # what format 2 named otherwise
