"""Write `reports/sample` anew: what a run over `sample_logs` must give, to be read in review."""

import os
import shutil
import tempfile
from datetime import date
from pathlib import Path

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.report import write_output, write_report
from analyzer.settings import Settings
from analyzer.vocabulary import NEWEST_ISTIO

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "reports" / "sample"
PAGE = "report.html"
"""Left out of the golden files: all but five million letters of it are plotly's, and report.json has the rest."""


def run(out: Path, workers: int = 1, sources: tuple[str, ...] = ("sample_logs",)) -> None:
    """Run the whole road over the sample logs, from the project's root so that places read the same anywhere."""
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with tempfile.TemporaryDirectory() as lake:
            ingest(sources, lake, workers=workers)
            result = audit(lake, settings=Settings(), istio_version=NEWEST_ISTIO, as_of=date(2026, 3, 31))
        write_output(result, out)
        write_report(result, out / PAGE)
    finally:
        os.chdir(before)


def files(folder: Path) -> dict[str, str]:
    """Every golden file below a folder and its text."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != PAGE
    }


if __name__ == "__main__":
    shutil.rmtree(SAMPLE, ignore_errors=True)
    run(SAMPLE)
    (SAMPLE / PAGE).unlink()
