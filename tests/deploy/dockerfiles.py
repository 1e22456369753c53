"""A Dockerfile's instructions, for tests where no Docker builds it."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Instruction:
    """Such as COPY: its flags by name, and its words; of a form in JSON those of its list."""

    name: str
    flags: dict[str, str]
    words: list[str]


@dataclass
class Stage:
    """What a FROM begins."""

    image: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        return [each for each in self.instructions if each.name == name]

    def last(self, name: str) -> list[str]:
        return self.all(name)[-1].words


KNOWN = {"ARG", "FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "VOLUME", "ENTRYPOINT", "CMD", "EXPOSE"}


def stages(path: Path) -> list[Stage]:
    """Of a file; ARGs before the first FROM are put in."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    given: dict[str, str] = {}
    made: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" ")
        assert name in KNOWN, f"{name} is no instruction"
        flags, rest = {}, rest.strip()
        while match := re.match(r"--([\w-]+)=(\S+)\s+", rest):
            flags[match[1]], rest = match[2], rest[match.end() :]
        words = json.loads(rest) if rest.startswith("[") else rest.split() if name == "RUN" else shlex.split(rest)
        if name == "ARG" and not made:
            key, _, value = words[0].partition("=")
            given[key] = value
        elif name == "FROM":
            image = re.sub(r"\$\{(\w+)\}", lambda match: given[match[1]], words[0])
            made.append(Stage(image, words[2] if words[1:2] == ["AS"] else None))
        else:
            made[-1].instructions.append(Instruction(name, flags, words))
    return made
