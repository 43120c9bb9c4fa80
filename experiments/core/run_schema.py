"""The schema of run.json: a type for each key, and names that are safe as file names.  Pure."""

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn

from jsonschema import Draft202012Validator, ValidationError

from controller.model.errors import MeasureError

# Of a question: it names the run's folder and figures.
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
TABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")  # of a table: it names a .csv file
FOUND_MOST = 80  # characters of a wrong value in an error

WORDS = {
    "array": "a list", "object": "an object", "string": "text", "number": "a number",
    "integer": "a whole number", "boolean": "true or false", "null": "null",
}  # fmt: skip
TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
WHOLE = {"type": "integer", "minimum": 0, "maximum": 2**53}
CELL = {"type": ["string", "number", "null"]}
LEVEL = {"type": ["string", "number"]}


def _list(items: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _map(values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values, **more}


def _keys(required: str, **keys: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": keys, "required": required.split()}


MAYBE_NUMBER = {"type": ["number", "null"]}
COLUMNS = _map(_keys("kind meaning", kind=TEXT, meaning=TEXT))
PREDICTION = _keys(
    "claim reason",
    claim=TEXT, reason=TEXT, about=TEXT, low=MAYBE_NUMBER, high=MAYBE_NUMBER, excludes=_list(TEXT),
)  # fmt: skip
QUESTION = _keys(
    "name question unit value factors columns predictions",
    name={**TEXT, "pattern": f"^{NAME.pattern}\\Z"},
    question=TEXT, unit=TEXT, value=TEXT, report=TEXT, margin_reason=TEXT, margin=NUMBER,
    factors=_map(_list(LEVEL, minItems=1)),
    columns=COLUMNS,
    more=_map(COLUMNS, propertyNames={"pattern": f"^{TABLE.pattern}\\Z"}),
    predictions=_list(PREDICTION),
    baseline=_map(LEVEL),
    compared=_map(LEVEL),
)  # fmt: skip
MAYBE_TEXT, MAYBE_MAP = {"type": ["string", "null"]}, {"type": ["object", "null"]}
VERDICT = {
    "anyOf": [
        {"type": "null"},
        _keys("trusted reasons", trusted=FLAG, reasons=_list(TEXT), thresholds=MAYBE_MAP),
    ]
}
RUN = _keys(
    "question seed",
    question=QUESTION, seed=WHOLE, repeats={**WHOLE, "minimum": 1}, quick=FLAG,
    experiment=TEXT, scenario=MAYBE_TEXT, release=MAYBE_TEXT, status=TEXT, start=TEXT, end=MAYBE_TEXT,
    predicted=_list(_map(CELL)), measured=_list({"type": "object"}), rounds=_list({"type": "object"}),
    hosts=_list(TEXT), named_modes=_list(TEXT), argv=_list(TEXT), settings=MAYBE_MAP, lab=MAYBE_MAP, labs=MAYBE_MAP,
    machine=MAYBE_MAP, source=MAYBE_MAP, thresholds=MAYBE_MAP, verdict=VERDICT,
)  # fmt: skip
SUITE = _keys("suite", suite=_list({**TEXT, "pattern": f"^{NAME.pattern}\\Z"}), status=TEXT,
              argv=_list(TEXT), start=TEXT, end=MAYBE_TEXT)  # fmt: skip


def parse_json(text: str) -> Any:
    """The value of a JSON text; `NaN` and `Infinity`, which Python accepts, are refused.

    Raises:
        ValueError: it is not JSON, or has more brackets inside each other than Python reads.
    """
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("too many brackets inside each other") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant}, which is no number of JSON")


def _finite(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(f"{text}, which is too large a number")
    return number


def assert_usable(about: object, where: str, wanted: Mapping[str, Any] = RUN) -> None:
    """Check the types of what run.json has.

    Raises:
        MeasureError: a key is missing or of another type, or a name is not one of a file.
    """
    wrong = next(Draft202012Validator(wanted).iter_errors(about), None)
    if wrong is not None:
        raise MeasureError(
            _found(wrong),
            where=where,
            allowed=_allowed(wrong),
            do="Undo what was changed in run.json or the tables, or measure again.",
        )


def _found(wrong: ValidationError) -> str:
    key = wrong.json_path.removeprefix("$").removeprefix(".") or "it"
    if wrong.validator == "required":
        missing = next(name for name in wrong.validator_value if name not in wrong.instance)
        return f"{key} has no `{missing}`"
    shown = json.dumps(wrong.instance, ensure_ascii=True, default=str)
    return f"{key} is {shown if len(shown) <= FOUND_MOST else shown[:FOUND_MOST] + '...'}"


def _allowed(wrong: ValidationError) -> str:
    value = wrong.validator_value
    match wrong.validator:
        case "required":
            return ", ".join(value)
        case "type":
            return " or ".join(
                WORDS[kind] for kind in ([value] if isinstance(value, str) else value)
            )
        case "pattern":
            return "a name of letters, digits and -, at most 40"
        case "minimum" | "maximum":
            return f"{'at least' if wrong.validator == 'minimum' else 'at most'} {value}"
        case _:
            return "what `overlaylab run` wrote"
