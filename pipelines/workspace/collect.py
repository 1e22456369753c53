"""`hubel gc`: what old and killed runs left behind. The metadata keeps its history; TFX re-runs what it finds missing."""

import shutil
from pathlib import Path

from components import metadata
from components.example_gen.prepare import unfinished
from configs import locking
from pipelines.workspace import pages, runs
from pipelines.workspace.layout import Workspace
from serving import promotions
from serving.layout import versions
from tuner.records import studies


def collect(place: Workspace, keep: int, dry_run: bool = False) -> dict:
    """Keep the last `keep` runs, logs, searches, served versions and pages of evaluations of each config; remove the rest with its
    pages, and half prepared data.

    Returns:
        {removed: [folder or file, ...], bytes: their size}.
    """
    doomed: list[Path] = []
    kept = _artifacts_of_last_runs(place, keep)
    for pipeline in sorted((place.root / "pipelines").glob("*")):
        records = runs.records(place, pipeline.name)
        alive = kept | {Path(r.model_uri) for r in records if r.model_uri and r.model_dir and Path(r.model_dir).is_dir()}
        doomed += [folder for folder in _executions(pipeline) if not any(uri == folder or folder in uri.parents for uri in alive)]
        doomed += [pipeline / "runs" / r.run for r in records[:-keep]]
        doomed += _old_versions(place.served(pipeline.name), keep)
        kept_searches = studies(place.tuning(pipeline.name))[:keep]
        doomed += sorted(place.training(pipeline.name).glob("*"))
        doomed += [folder for folder in sorted(place.tuning(pipeline.name).glob("*")) if folder not in kept_searches]
        doomed += pages.of_gone(place, pipeline.name, {r.run for r in records[-keep:]})
    doomed += [page for written in pages.evaluations(place).values() for page in written[:-keep]]
    doomed += sorted(place.models.glob("*/.staged-*")) + unfinished(place.datasets)
    for logs in sorted((place.root / "logs").glob("*")):
        needed = {r.run for r in runs.records(place, logs.name)[-keep:]}
        ended = [log for log in sorted(logs.glob("*.log")) if not locking.is_in_use(log)]  # a server runs for months
        doomed += [log for log in ended[:-keep] if log.stem not in needed]
    removed = [str(path.relative_to(place.root)) for path in doomed]
    size = sum(p.stat().st_size for path in doomed for p in (path, *path.rglob("*")) if p.is_file())
    if not dry_run:
        for path in doomed:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    return {"removed": removed, "bytes": size}


def _old_versions(base: Path, keep: int) -> list[Path]:
    """All but the last, and those that are stable, a canary, or what a rollback goes back to."""
    labelled = promotions.state(base).kept
    return [path for number, path in list(versions(base).items())[:-keep] if number not in labelled]


def _executions(pipeline: Path) -> list[Path]:
    """Output folders of executions: NODE/KEY/ID, and TFX's own NODE/.system/..."""
    folders = [p for p in sorted(pipeline.glob("*/*/[0-9]*")) if p.parts[-3] != "runs" and p.name.isdigit()]
    return folders + sorted(pipeline.glob("*/.system/*/[0-9]*"))


def _artifacts_of_last_runs(place: Workspace, keep: int) -> set[Path]:
    """Folders of every artifact that one of the last `keep` runs of its pipeline made, was given or found in the cache."""
    if not place.metadata.is_file():
        return set()
    query = """
        WITH runs AS (
            SELECT c.id, ROW_NUMBER() OVER (PARTITION BY p.context_id ORDER BY c.create_time_since_epoch DESC, c.id DESC) AS age
            FROM Context c JOIN Type t ON t.id = c.type_id AND t.name = 'pipeline_run'
            JOIN Association r ON r.context_id = c.id
            JOIN (SELECT a.execution_id, a.context_id FROM Association a JOIN Context pc ON pc.id = a.context_id
                  JOIN Type pt ON pt.id = pc.type_id AND pt.name = 'pipeline') p ON p.execution_id = r.execution_id
            GROUP BY c.id, p.context_id)
        SELECT DISTINCT artifact.uri FROM runs JOIN Attribution a ON a.context_id = runs.id
        JOIN Artifact artifact ON artifact.id = a.artifact_id WHERE runs.age <= ?"""
    with metadata.opened(place.metadata) as held:
        return {Path(uri) for (uri,) in held.execute(query, (keep,))}
