"""All of the SQL endpoint that knows the lake: what is copied of it for the server, and when."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from segspark.bi.config import MartsConfig
from segspark.bi.marts.catalogue import MartView, load_views
from segspark.bi.marts.stage import register_views
from segspark.bi.serving.config import ServeConfig
from segspark.bi.serving.copying import copied, show_copy, write_copy
from segspark.bi.serving.process import hive_settings, running, watch
from segspark.bi.serving.server import Served, write_manifest
from segspark.core.contracts import PUBLICATIONS
from segspark.core.errors import ConfigError, InputError, SegsparkError
from segspark.core.files import local_path
from segspark.core.lake import Lake, is_catalog
from segspark.core.words import neutral

Tell = Callable[[str], None]


def serve_marts(lake: Lake, config: ServeConfig, marts: MartsConfig, raw: Sequence[str], tell: Tell) -> None:
    """Serves a copy of the views, made anew after each publication, until the process is told to end.

    The server sees neither the lake nor the `raw` files. Raises InputError where nothing was published yet.
    """
    views = load_views(marts.folder)
    served = [Served(view.name, view.comment, dict(view.columns)) for view in views]
    folder = folder_of_copy(lake, config, served)
    _forget_others(folder)
    refresh_copy(lake, marts, views, folder, tell)
    write_manifest(folder, served, hive_settings(config))
    hidden = [path for path in [_folder_of(lake), *map(local_path, raw)] if path is not None]
    with running(config, folder, hidden) as process:
        tell(f"serving {len(views)} views at {config.host}:{config.port} (HiveServer2's protocol); end it with Ctrl-C")
        watch(process, config.refresh_seconds, lambda: _renew_copy(lake, marts, views, folder, tell))


def _renew_copy(lake: Lake, marts: MartsConfig, views: Sequence[MartView], folder: Path, tell: Tell) -> None:
    """As refresh_copy; where it fails readers keep the copy that they have, and it is tried again."""
    try:
        refresh_copy(lake, marts, views, folder, tell)
    except (SegsparkError, PySparkException, Py4JError) as error:
        tell(f"the copy was not renewed, and will be tried again: {neutral(str(error).strip().splitlines()[0])[:300]}")


def refresh_copy(lake: Lake, marts: MartsConfig, views: Sequence[MartView], folder: Path, tell: Tell) -> None:
    """Copies the views where there is a newer publication than the copy has; readers see it once it is whole.

    What was copied while another run was published may be of two runs: it is not shown, and copied again.
    """
    newest = _newest_publication(lake)
    while copied(lake.spark, folder) < newest:
        tell(f"copying the views of publication {newest}")
        register_views(lake, marts)
        write_copy({view.name: lake.spark.table(view.name) for view in views}, folder, newest)
        before, newest = newest, _newest_publication(lake)
        if newest == before:
            show_copy(lake.spark, folder, [view.name for view in views], newest)


def folder_of_copy(lake: Lake, config: ServeConfig, served: Sequence[Served]) -> Path:
    """Where the copy of these views is: other columns, or another lake, are another copy."""
    place = config.folder or (f"{lake.root}_served" if _folder_of(lake) else None)
    if place is None:
        raise ConfigError("serve.folder: say where to make the copy; only a lake in a folder has a place beside it")
    content = json.dumps([lake.root, *map(vars, served)], sort_keys=True)
    return Path(place).absolute() / hashlib.sha256(content.encode()).hexdigest()[:12]


def _forget_others(folder: Path) -> None:
    """Removes copies of other views, as an earlier start left them."""
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other != folder and (other / "_current").exists():
            shutil.rmtree(other)


def _folder_of(lake: Lake) -> Path | None:
    return None if is_catalog(lake.root) else local_path(lake.root)


def _newest_publication(lake: Lake) -> int:
    newest = lake.read(PUBLICATIONS).agg(F.max("seq")).first()
    if newest is None or newest[0] is None:
        raise InputError("publications: nothing was published yet; `segspark run` first")
    return int(newest[0])
