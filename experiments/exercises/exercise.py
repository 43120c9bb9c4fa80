"""What an exercise is, and what its check says.  Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.model.errors import UsageError
from controller.model.near import did_you_mean

DIGITS_MOST = 9
WRITE_IT = "Write a whole number without a unit, and `--answer` before each answer."


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise of the course.

    Attributes:
        minutes: the time it takes.
        servers: those that the exercise is about; without one of them it cannot be checked.
        answers: what the student finds out and gives to the check, by name, each as a question.
    """

    name: str
    minutes: int
    summary: str
    servers: tuple[str, ...]
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check.

    Attributes:
        text: what is right; or what can be seen of a fault, without its cause.
        look: where to look for the cause.
    """

    is_right: bool
    text: str
    look: str = ""

    def __str__(self) -> str:
        look = f" {self.look}" if self.look else ""
        return f"{'right' if self.is_right else 'wrong'}  {self.text}{look}"


EXERCISES = {
    each.name: each
    for each in (
        Exercise(
            "broadcast",
            20,
            "how many copies of a broadcast a host sends, in a mesh and with l2population",
            ("a", "b", "c"),
            {
                "copies": "how many copies of one broadcast of server a leave host1?",
                "unneeded": "how many of them go to a host without a server of network red?",
            },
        ),
        Exercise(
            "mtu",
            20,
            "small packets pass a WAN and large ones do not: find the limit, and repair it",
            ("a", "b"),
            {"largest": "how many bytes has the largest IP packet of a that reaches b?"},
        ),
        Exercise("faults", 20, "five faults in one lab: find and repair them", tuple("abcdefgh")),
    )
}


def exercise_named(name: str) -> Exercise:
    """The exercise called `name`.

    Raises:
        UsageError: there is none; the message lists them all.
    """
    if name not in EXERCISES:
        raise UsageError(
            repr(name),
            where="exercise",
            allowed=", ".join(EXERCISES),
            do=did_you_mean(name, EXERCISES, "docs/course/README.md describes them."),
        )
    return EXERCISES[name]


def answers_of(exercise: Exercise, given: Iterable[str]) -> dict[str, int]:
    """The answers in `NAME=NUMBER` texts.

    Raises:
        UsageError: one has another form, or a name that the exercise does not ask for.
    """
    found: dict[str, int] = {}
    for text in given:
        name, _, number = (part.strip() for part in text.partition("="))
        is_number = number.isascii() and number.isdecimal() and len(number) <= DIGITS_MOST
        if name not in exercise.answers or not is_number:
            known = [f"{each}=NUMBER" for each in exercise.answers]
            raise UsageError(
                repr(text),
                where=f"answer to {exercise.name}",
                allowed=", ".join(known) or "none: this exercise asks for no answer",
                do=_what_to_do(exercise, name),
            )
        found[name] = int(number)
    return found


def _what_to_do(exercise: Exercise, name: str) -> str:
    """How to write an answer whose name may be right."""
    if not exercise.answers:
        return "Leave `--answer` out."
    if name in exercise.answers:
        return WRITE_IT
    return did_you_mean(name, exercise.answers, WRITE_IT)


def answered(
    exercise: Exercise, name: str, answers: Mapping[str, int], right: int, look: str
) -> Finding:
    """Whether an answer is right; a wrong one is not corrected."""
    if name not in answers:
        question = exercise.answers[name]
        return Finding(False, f"no answer yet: {question}", f"Add `--answer {name}=NUMBER`.")
    is_right = answers[name] == right
    return Finding(is_right, f"{name} = {answers[name]}", "" if is_right else look)
