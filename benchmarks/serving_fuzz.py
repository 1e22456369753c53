"""hubel serve asked what nobody would ask: 100,000 requests, and it must not fail, hang or end.

    .venv/bin/python -m benchmarks.serving_fuzz [--work DIR] [--requests N] [--seed S] [--minutes M]

LeNet-5 (`hubel run`, an epoch of digits) is served. Half of the requests are over REST: Schemathesis makes them from the
description that the server gives of itself at /openapi.json, such as it allows and such as it does not, and holds each answer
against it (serving_fuzz_openapi.py, in a Python of its own in DIR, which has pip's schemathesis beside this one's packages). Half
are over gRPC: Hypothesis makes messages of all methods, whose names, aliases, types, shapes and contents are right, nearly right
or nonsense, and bytes that are no message.

It ends with 1 where an answer is 500 (gRPC: INTERNAL of a message that can be read, UNKNOWN), has a status that TF Serving has
not for requests, takes --slowest seconds, or does not come; where an answer is not as the description says; where the server's
log holds a traceback; or where it does not answer an image afterwards as before.

They are asked in parts of --part requests, whose outcome stays in DIR: with the same --seed, whoever comes again goes on after the
last part that held, until there are --requests. --minutes ends it after the part in which they are over.

A row goes to benchmarks/results/serving_fuzz.csv after each part, in place of that of the same machine and seed: what was asked so
far, and at which commits.
"""

import argparse
import base64
import collections
import json
import math
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import record, serving_process
from benchmarks.serving_process import Clients, Hubel

PAGE = record.ROOT / "docs/serving.md"
MODEL = "lenet5"
SCHEMATHESIS = "schemathesis==4.32.5"
CODES = {"OK", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "OUT_OF_RANGE", "UNIMPLEMENTED"}
UNREADABLE = "INTERNAL"  # what gRPC says of bytes that are no message
SERVICE = "/tensorflow.serving.PredictionService/"
METHODS = {name: f"{SERVICE}{name}" for name in ("Predict", "Classify", "Regress", "MultiInference", "GetModelMetadata")}
METHODS["GetModelStatus"] = "/tensorflow.serving.ModelService/GetModelStatus"
SIGNATURES = {"serving_default": "examples", "image_bytes": "image_bytes", "pixels": "pixels", "classify": "inputs"}  # -> its input
NONE = ("", "s", "\x00", "n" * 2000)  # names of nothing
SEEDS = 10_000  # from one part's first seed to the next one's


def messages(name: str, image: bytes, signatures: Mapping[str, str] = SIGNATURES):
    """A strategy of (method, serialized message, whether it can be read) for a model that has such signatures of one input each."""
    from hypothesis import strategies as st
    from tensorflow.core.example import example_pb2
    from tensorflow.core.framework import tensor_pb2
    from tensorflow_serving.apis import (
        classification_pb2,
        get_model_metadata_pb2,
        get_model_status_pb2,
        inference_pb2,
        predict_pb2,
        regression_pb2,
    )

    contents = st.sampled_from([image, image[:40], b"", b"GIF89a", b"\xff\xd8\xff"]) | st.binary(max_size=40)
    examples = st.builds(_example, st.just(example_pb2), st.sampled_from(["image/encoded", "x", ""]), contents)
    serialized = examples.map(lambda example: example.SerializeToString())
    fields = {
        "float_val": st.lists(st.floats(width=32), max_size=4),
        "int_val": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
        "int64_val": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2),
        "half_val": st.lists(st.integers(0, 2**16 - 1), max_size=2),
        "string_val": st.lists(contents | serialized, max_size=3),
        "tensor_content": st.binary(max_size=64),
    }
    sizes = st.lists(st.sampled_from([-1, 0, 1, 2, 28, 32, 2**20, 2**40, 2**62]) | st.integers(0, 3), max_size=5)

    def tensor(dtype: int, shape: list[int], values: dict[str, Any], unknown: bool):
        made = tensor_pb2.TensorProto(dtype=dtype, **values)
        made.tensor_shape.unknown_rank = unknown
        for size in shape:
            made.tensor_shape.dim.add().size = size
        return made

    rough = st.builds(tensor, st.integers(0, 30), sizes, st.fixed_dictionaries({}, optional=fields), st.booleans())
    files = st.lists(contents | serialized, max_size=4).map(lambda made: tensor(7, [len(made)], {"string_val": made}, False))
    pixels = st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 40), st.integers(0, 4)).map(
        lambda shape: tensor(1, list(shape), {"float_val": [1.0]}, False)
    )
    specs = st.fixed_dictionaries(
        {
            "name": st.sampled_from([name, name, name, "", "other", "a/b"]),
            "signature_name": st.sampled_from([*signatures, *signatures, "__saved_model_init_op", *NONE]),
        },
        optional={"version": st.sampled_from([0, 1, 2, -1, 2**63 - 1]), "version_label": st.sampled_from(["", "stable", "\x00"])},
    )

    def named(request, spec: dict[str, Any] | None):
        if spec is not None:
            request.name, request.signature_name = spec["name"], spec["signature_name"]
            if "version" in spec:
                request.version.value = spec["version"]
            elif "version_label" in spec:
                request.version_label = spec["version_label"]

    def predict(spec, inputs, outputs):
        request = predict_pb2.PredictRequest(output_filter=outputs)
        named(request.model_spec, spec)
        for alias, value in inputs.items():
            request.inputs[alias].CopyFrom(value)
        return "Predict", request

    def of_examples(is_classify, spec, given, context):
        request = classification_pb2.ClassificationRequest() if is_classify else regression_pb2.RegressionRequest()
        named(request.model_spec, spec)
        held = request.input.example_list if context is None else request.input.example_list_with_context
        held.examples.extend(given)
        if context is not None:
            held.context.CopyFrom(context)
        return "Classify" if is_classify else "Regress", request

    def several(tasks, given):
        request = inference_pb2.MultiInferenceRequest()
        for spec, method in tasks:
            task = request.tasks.add(method_name=method)
            named(task.model_spec, spec)
        request.input.example_list.examples.extend(given)
        return "MultiInference", request

    def metadata(spec, wanted):
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=wanted)
        named(request.model_spec, spec)
        return "GetModelMetadata", request

    def status(spec):
        request = get_model_status_pb2.GetModelStatusRequest()
        named(request.model_spec, spec)
        return "GetModelStatus", request

    maybe = st.none() | specs
    methods = st.sampled_from([f"tensorflow/serving/{verb}" for verb in ("classify", "regress", "predict")] + ["", "x"])
    inputs = st.dictionaries(
        st.sampled_from([*signatures.values(), *signatures.values(), *NONE]), rough | files | pixels, max_size=3
    )
    outputs = st.lists(st.sampled_from(["probabilities", "classes", "scores", "", "q"]), max_size=3)
    given = st.lists(examples, max_size=3)
    fitting = st.sampled_from(sorted(signatures.items())).flatmap(
        lambda pair: st.builds(
            predict,
            st.just({"name": name, "signature_name": pair[0]}),
            st.dictionaries(st.just(pair[1]), files | pixels | rough, min_size=1),
            st.just([]),
        )
    )
    readable = st.one_of(
        fitting,
        st.builds(predict, maybe, inputs, outputs),
        st.builds(predict, specs, inputs, outputs),
        st.builds(of_examples, st.booleans(), maybe, given, st.none() | examples),
        st.builds(several, st.lists(st.tuples(maybe, methods), max_size=3), given),
        st.builds(metadata, maybe, st.lists(st.sampled_from(["signature_def", "x", ""]), max_size=2)),
        st.builds(status, maybe),
    ).map(lambda made: (made[0], made[1].SerializeToString(), True))
    unreadable = st.tuples(st.sampled_from(sorted(METHODS)), st.binary(max_size=60), st.just(False))
    return readable | readable | readable | readable | unreadable


def _example(protocol, name: str, content: bytes):
    example = protocol.Example()
    example.features.feature[name].bytes_list.value.append(content)
    return example


def drawn(strategy, count: int, seed: int) -> Iterator[Any]:
    """So many examples of a strategy, in rounds with a seed each: a round may end early, and is of no use once it is large."""
    made = 0
    while made < count:
        examples = _round(strategy, min(500, count - made), seed)[: count - made]
        yield from examples
        made, seed = made + len(examples), seed + 1


def _round(strategy, count: int, number: int) -> list[Any]:
    from hypothesis import HealthCheck, Phase, given, seed, settings

    examples: list[Any] = []

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def note(example):
        examples.append(example)

    note()
    return examples


def over_grpc(port: int, strategy, requests: int, seed: int, slowest: float) -> dict[str, Any]:
    """{requests, codes, slowest: s, failures}. strategy: as `messages` makes it."""
    import grpc

    codes, failures, longest = collections.Counter(), [], 0.0
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.enable_http_proxy", 0)]) as channel:
        calls = {name: channel.unary_unary(path) for name, path in METHODS.items()}
        for method, content, is_readable in drawn(strategy, requests, seed):
            begun = time.monotonic()
            try:
                calls[method](content, timeout=slowest)
                code, words = "OK", "."
            except grpc.RpcError as error:
                code, words = error.code().name, error.details()
            codes[code] += 1
            longest = max(longest, time.monotonic() - begun)
            allowed = CODES if is_readable else CODES | {UNREADABLE}
            if (code not in allowed or not words) and len(failures) < 20:
                failures.append({"method": method, "request": content.hex(), "code": code, "said": words})
    return {"requests": codes.total(), "codes": dict(codes), "slowest": longest, "failures": failures}


def over_rest(server: Hubel, work: Path, requests: int, seed: int, slowest: float) -> dict[str, Any]:
    """The same, by Schemathesis."""
    python = serving_process.virtual(work / "schemathesis", SCHEMATHESIS)
    script = str(Path(__file__).with_name("serving_fuzz_openapi.py"))
    command = [python, script, f"http://127.0.0.1:{server.rest}/openapi.json", str(requests), str(seed), str(slowest)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"Schemathesis has ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def answer(server: Hubel, clients: Clients, image: bytes) -> str:
    """Of an image."""
    path = f"/v1/models/served_{MODEL}:predict"
    told = clients.ask(protocol="REST", port=server.rest, path=path, request=serving_process.body(image), clients=1, seconds=0.1)
    return base64.b64decode(told["answer"]).decode() or f"{told}"


def part_of(server: Hubel, work: Path, image: bytes, requests: int, seed: int, slowest: float) -> dict[str, Any]:
    """A part, asked and printed: {REST, gRPC: as over_rest has it, tracebacks}."""
    rest = over_rest(server, work, requests - requests // 2, seed, slowest)
    grpc = over_grpc(server.grpc, messages(f"served_{MODEL}", image), requests // 2, seed, slowest)
    told = {"REST": rest, "gRPC": grpc, "tracebacks": Path(server.log).read_text().count("Traceback")}
    print(json.dumps(told, indent=1), flush=True)
    return told


def row_of(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Of parts, each with what is known of it besides, {commit, answers_afterwards}, without where and when."""

    def counts(end: str) -> str:
        total = collections.Counter()
        for part in parts:
            total.update(part[end]["codes"])
        return " ".join(f"{code}:{count}" for code, count in sorted(total.items()))

    ends = [part[end] for part in parts for end in ("REST", "gRPC")]
    return {
        "requests": sum(end["requests"] for end in ends),
        "rest_statuses": counts("REST"),
        "grpc_codes": counts("gRPC"),
        "failures": sum(len(end["failures"]) for end in ends),
        "tracebacks": sum(part["tracebacks"] for part in parts),
        "slowest_s": f"{max(end['slowest'] for end in ends):.2f}",
        "answers_afterwards": all(part["answers_afterwards"] for part in parts),
        "commits": " ".join(dict.fromkeys(part["commit"] for part in parts)),
    }


def table() -> str:
    """The rows of the machine that was measured last, as the page shows them."""
    if not (rows := record.of_last_machine("serving_fuzz")):
        return ""
    keys = ("requests", "rest_statuses", "grpc_codes", "failures", "tracebacks", "slowest_s")
    columns = ["requests", "REST", "gRPC", "failures", "tracebacks", "slowest, s"]
    said = record.measured(rows, "with seed {seed}; asked at commit {commits}")
    return record.as_table(columns, [[row[key] for key in keys] for row in rows]) + said


def holds(row: Mapping[str, Any]) -> bool:
    """Whether nothing failed."""
    return not row["failures"] and not row["tracebacks"] and row["answers_afterwards"]


def main() -> None:
    """Ask, print, and write row and table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="where model, Schemathesis and parts stay; a folder that goes by default")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--part", type=int, default=2000, help="requests after which what came of them is kept")
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no part begins")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slowest", type=float, default=30.0, help="s that an answer may take")
    asked = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    began = time.monotonic()
    with serving_process.folder(asked.work, "hubel-fuzz-") as work:
        models, image, clients = serving_process.trained(work, [MODEL]), serving_process.image(), Clients()
        kept = work / f"fuzz-{asked.seed}.json"
        parts: list[dict[str, Any]] = json.loads(kept.read_text()) if kept.is_file() else []
        measured_at = {"seed": asked.seed, **record.circumstances()}
        server = Hubel(work / "workspace", list(models.values()))
        seen = 0  # tracebacks of former parts in this server's log
        try:
            before = answer(server, clients, image)
            while not parts or row_of(parts)["requests"] < asked.requests:
                left = asked.requests - (row_of(parts)["requests"] if parts else 0)
                part = part_of(server, work, image, min(left, asked.part), asked.seed + SEEDS * len(parts), asked.slowest)
                part["tracebacks"], seen = part["tracebacks"] - seen, part["tracebacks"]
                part["answers_afterwards"] = server.is_alive and answer(server, clients, image) == before
                parts.append(part | {"commit": measured_at["commit"]})
                record.add("serving_fuzz", [row_of(parts) | measured_at], ("seed", "machine"))
                record.show(PAGE, "serving_fuzz", table())
                if not holds(row_of(parts)):
                    break
                kept.write_text(json.dumps(parts))
                if time.monotonic() - began > 60 * asked.minutes:
                    break
        finally:
            server.end()
            clients.end()
    row = row_of(parts)
    print("\n".join(f"{key} {value}" for key, value in row.items()))
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    if not holds(row):
        raise SystemExit("It does not hold.")


if __name__ == "__main__":
    main()
