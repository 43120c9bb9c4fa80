"""Files of a run to statistics, tables, charts and a report.  No lab is needed."""
