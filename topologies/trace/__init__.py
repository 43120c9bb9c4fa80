"""One frame followed through a running lab."""
