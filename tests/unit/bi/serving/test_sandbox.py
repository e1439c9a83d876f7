import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from segspark.bi.serving import sandbox
from segspark.bi.serving.process import server_environment
from segspark.bi.serving.sandbox import readable, sandboxed
from segspark.core.errors import ConfigError

needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")


@pytest.fixture
def places(tmp_path):
    """A lake with a secret, and a copy without."""
    for name in ("lake", "copy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows").write_text(name)
    return tmp_path / "lake", tmp_path / "copy"


@needs_bubblewrap
def test_a_process_in_the_sandbox_reads_the_copy_and_finds_no_lake(places, monkeypatch):
    lake, copy = places
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    look = (
        "import os, sys; from pathlib import Path; lake, copy = map(Path, sys.argv[1:]);"
        "print((copy / 'rows').read_text(), lake.exists(), 'AWS_SECRET_ACCESS_KEY' in os.environ, os.listdir('/tmp'));"
        "(copy / 'rows').write_text('mine')"
    )
    command = [sys.executable, "-c", look, str(lake), str(copy)]
    told = subprocess.run(
        sandboxed(command, copy, [lake], server_environment()), capture_output=True, text=True, check=False
    )
    *answers, listed = told.stdout.split(maxsplit=3)
    assert answers == ["copy", "False", "False"]
    # The copy, and the checkout and its Python where they lie there too.
    shown = {place.relative_to("/tmp").parts[0] for place in readable(copy) if place.is_relative_to("/tmp")}
    assert set(ast.literal_eval(listed)) == shown
    assert "Read-only file system" in told.stderr
    assert (copy / "rows").read_text() == "copy"


@needs_bubblewrap
def test_a_lake_in_or_around_what_the_server_reads_is_refused(places, tmp_path):
    _, copy = places
    for hidden in (copy, copy / "lake", tmp_path, Path("/usr/lake"), Path(sys.prefix) / "lake"):
        with pytest.raises(ConfigError, match="hold one another"):
            sandboxed(["true"], copy, [hidden], {})
    (tmp_path / "link").symlink_to(copy)
    with pytest.raises(ConfigError, match="hold one another"):
        sandboxed(["true"], copy, [tmp_path / "link"], {})


def test_without_bubblewrap_the_server_is_not_started_and_it_is_told_what_to_do(places, monkeypatch):
    lake, copy = places
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match=r"serve\.sandbox: bubblewrap is not installed .*apt-get install bubblewrap"):
        sandboxed(["true"], copy, [lake], {})
