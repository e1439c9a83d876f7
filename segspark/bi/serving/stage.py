"""All of the SQL endpoint that knows the lake: what is copied of it for the server, and when."""

import getpass
import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from segspark.bi.config import MartsConfig
from segspark.bi.marts.catalogue import MartView, load_views
from segspark.bi.query.stage import Offer, register_views
from segspark.bi.serving.config import ServeConfig
from segspark.bi.serving.process import hive_settings, running, watch
from segspark.bi.serving.server import MANIFEST, Served, stored_as, write_manifest
from segspark.core.contract import Column, Contract, run_table
from segspark.core.contracts import PUBLICATIONS
from segspark.core.errors import ConfigError, InputError, SegsparkError
from segspark.core.files import is_catalog, local_path
from segspark.core.lake import Lake
from segspark.core.words import neutral

Tell = Callable[[str], None]

LONGEST_QUERY_HOURS = 24  # files of a copy that is shown no longer are removed when they are older


def serve_marts(lake: Lake, config: ServeConfig, marts: MartsConfig, raw: Sequence[str], tell: Tell) -> None:
    """Serves a copy of the views, made anew after each publication, until the process is told to end.

    The server sees neither the lake nor the `raw` files. Raises InputError where nothing was published yet.
    """
    views = load_views(marts.folder)
    folder = folder_of_copy(lake, config, marts, views)
    _forget_others(folder)
    served = [Served(view.name, view.comment, dict(view.columns)) for view in views]
    write_manifest(folder, served, hive_settings(config))
    refresh_copy(lake, marts, views, folder, tell)
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

    The copy is a lake of its own: each view a table, each publication that was copied a run, which is published there.
    What was copied while another run was published may be of two runs: it is not shown, and copied again.
    """
    copy, newest = Lake(lake.spark, str(folder)), _newest_publication(lake)
    while int(copy.published_run() or 0) < newest:
        tell(f"copying the views of publication {newest}")
        register_views(lake, Offer(marts))
        tables = [_copy_view(lake, copy, view, newest) for view in views]
        before, newest = newest, _newest_publication(lake)
        if newest == before:
            shown_until_now = copy.published_run()
            copy.publish(str(newest), getpass.getuser(), "serve", {}, {})
            _forget_copies(copy, tables, {str(newest), shown_until_now})


def _copy_view(lake: Lake, copy: Lake, view: MartView, publication: int) -> Contract:
    """Writes a view's rows as those of the publication; returns what the table is."""
    rows = lake.spark.table(view.name)
    rows = rows.select(*(F.col(name).alias(stored_as(name)) for name in rows.columns))
    types = {field.name: field.dataType.simpleString() for field in rows.schema.fields}
    columns = [Column(stored_as(name), types[stored_as(name)], said) for name, said in view.columns.items()]
    contract = run_table(view.name, view.grain, [], columns)
    copy.replace_run(contract, rows, str(publication))
    return contract


def _forget_copies(copy: Lake, tables: Sequence[Contract], left: Collection[str | None]) -> None:
    """Removes all copies but those `left`, and their files once no query that began before can need them."""
    for table in tables:
        copies = {row.run_id for row in copy.read(table).select("run_id").distinct().collect()}
        if old := copies - set(left):
            copy.delete_runs(table, sorted(old))
        copy.vacuum(table, LONGEST_QUERY_HOURS)


def folder_of_copy(lake: Lake, config: ServeConfig, marts: MartsConfig, views: Sequence[MartView]) -> Path:
    """Where the copy is: another query, another least group or another lake make another copy."""
    place = config.folder or (f"{lake.root}_served" if _folder_of(lake) else None)
    if place is None:
        raise ConfigError("serve.folder: say where to make the copy; only a lake in a folder has a place beside it")
    told = [(view.name, view.grain, view.columns, view.query.sql("spark")) for view in views]
    content = json.dumps([lake.root, marts.min_group, told])
    return Path(place).absolute() / hashlib.sha256(content.encode()).hexdigest()[:12]


def _forget_others(folder: Path) -> None:
    """Removes copies of other views, as an earlier start left them."""
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other != folder and (other / MANIFEST).exists():
            shutil.rmtree(other)


def _folder_of(lake: Lake) -> Path | None:
    return None if is_catalog(lake.root) else local_path(lake.root)


def _newest_publication(lake: Lake) -> int:
    newest = lake.read(PUBLICATIONS).agg(F.max("seq")).first()
    if newest is None or newest[0] is None:
        raise InputError("publications: nothing was published yet; `segspark run` first")
    return int(newest[0])
