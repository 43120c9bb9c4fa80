"""Names that the probe of `aa` and its report share."""

WARMUP, WARM = "warmup", "warm"  # phases
LABELS = ("a", "b")
FALSE_POSITIVES = "false positives"  # the prediction

FORMAT_2_VALUES = {"about": {"itself": FALSE_POSITIVES}}
