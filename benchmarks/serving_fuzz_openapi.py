"""Schemathesis at a server's own description, as benchmarks/serving_fuzz.py starts it in a Python that has it.

The arguments are the description's URL, how many requests, a seed, and s that an answer may take. Told is, as the last line, JSON:
{requests, codes: {status: how many}, slowest: s, failures}.
"""

import collections
import json
import re
import sys
import time

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CheckContext  # noqa: F401  (the checks below are registered by it)
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

FAILS = {500, 502, 505}
HELD = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
MOST = {"Example": {"maxProperties": 3}}  # of what is drawn: each name of a feature is a pattern's work
PATIENCE = 20  # failures that are told
SPACE = r"[ \t\n\v\f\r]*"  # as patterns of the description have it
STRING_OR_CONSTANT = re.compile(rb'"(?:[^"\\]|\\.)*"|NaN|-?Infinity', re.DOTALL)


def main(url: str, wanted: int, start: int, slowest: float) -> dict:
    """Ask each operation in turn, what it allows and what not."""
    description = _plainer(requests.get(url, timeout=slowest).json())
    for name, most in MOST.items():
        if name in description["components"]["schemas"]:
            description["components"]["schemas"][name] |= most
    schema = schemathesis.openapi.from_dict(description)
    base = url.rpartition("/")[0]
    modes = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    ways = [(each.ok(), mode) for each in schema.get_all_operations() for mode in modes]
    codes, failures, longest, session, number = collections.Counter(), [], [0.0], requests.Session(), start

    def ask(case) -> None:
        begun = time.monotonic()
        try:
            response = case.call(base_url=base, session=session, timeout=slowest)
        except requests.RequestException as error:
            failures.append({"case": case.as_curl_command(), "said": f"{type(error).__name__}: {error}"[:500]})
            codes["none"] += 1
            return
        longest[0] = max(longest[0], time.monotonic() - begun)
        codes[str(response.status_code)] += 1
        said = None
        if response.status_code in FAILS:
            said = response.text[:500]
        else:
            response.content = as_json(response.content)
            try:
                case.validate_response(response, checks=HELD)
            except (Failure, FailureGroup) as error:
                said = str(error)[:1500]
        if said is not None and len(failures) < PATIENCE:
            failures.append({"case": case.as_curl_command()[:1000], "status": response.status_code, "said": said})

    share = max(1, min(100, wanted // len(ways)))  # of an operation and a mode, at a time
    while codes.total() < wanted:
        for way in list(ways):
            left = wanted - codes.total()
            if left <= 0:
                break
            operation, mode = way
            try:
                _draw(operation.as_strategy(generation_mode=mode), min(left, share), number, ask)
            except schemathesis.errors.InvalidSchema as error:
                raise SystemExit(str(error)) from None
            except Exception as error:
                if type(error).__name__ not in ("Unsatisfiable", "SkipTest"):
                    raise
                ways.remove(way)  # nothing is wrong in it; to find that out costs hundreds of tries
        number += 1
    return {"requests": codes.total(), "codes": dict(codes), "slowest": longest[0], "failures": failures}


def as_json(content: bytes) -> bytes:
    """An answer with a number in place of NaN and Infinity: they stand bare, as TF Serving has them, and the checker takes them for
    null, which no schema of a number allows."""
    return STRING_OR_CONSTANT.sub(lambda match: match[0] if match[0].startswith(b'"') else b"0.5", content)


def _plainer(part):
    """A description that can be drawn from, and cheaply: `prefixItems` as what any item may be, which 4.32.5 makes into what it
    then refuses as no schema of 3.1; base64 with white space before it alone, since between all its digits it takes 5,000 choices
    a request; and a label that may be anything, since what its pattern does not allow can hardly stand in a path: 49 of 50 that are
    drawn for that are dropped."""
    if isinstance(part, list):
        return [_plainer(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: _plainer(value) for key, value in part.items()}
    if isinstance(made.get("prefixItems"), list):
        made["items"] = {"anyOf": made.pop("prefixItems")}
    if made.get("contentEncoding") == "base64":
        made["pattern"] = f"^{SPACE}{made['pattern'].removeprefix('^').replace(SPACE, '')}"
    if made.get("in") == "path" and made["schema"].get("pattern"):
        made["schema"] = {key: value for key, value in made["schema"].items() if key != "pattern"}
    return made


def _draw(strategy, count: int, number: int, ask) -> None:
    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def each(case):
        ask(case)

    each()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
