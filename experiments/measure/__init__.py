"""Tools that touch a running lab."""
