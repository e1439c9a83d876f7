"""Views over the published run, for every reader: all change together with one row in `publications`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from segspark.core.contracts import PUBLICATIONS, RUN_TABLES, USER_SIMILARITY, Contract
from segspark.core.errors import ConfigError
from segspark.core.files import is_catalog

NEIGHBOURS = "user_neighbours"
NEIGHBOURS_COMMENT = "One row is one neighbour of a user, the nearest first."


@dataclass(frozen=True)
class Dialect:
    """How one engine names tables and views, and writes literals."""

    engine: str  # spark, duckdb or trino
    quote: str  # around a name
    table: Callable[[str], str]  # a table of the lake in FROM
    view: Callable[[str], str]  # the view's own name
    escape: Callable[[str], str]  # the inside of a string literal
    neighbours: str  # unfolds the array of user_similarity; {table} stands for the table
    create: str = "CREATE OR REPLACE VIEW"
    run: str | None = None  # the run that is shown; by default the one that the newest publication names

    def name(self, text: str) -> str:
        """A quoted name."""
        return self.quote + text.replace(self.quote, self.quote * 2) + self.quote

    def literal(self, text: str) -> str:
        """A string literal."""
        return f"'{self.escape(text)}'"

    def query(self, contract: Contract) -> str:
        """The table's rows of the published run."""
        columns = "*" if contract.open_type else ", ".join(map(self.name, _columns(contract)))
        return f"SELECT {columns} FROM {self.table(contract.name)} WHERE run_id {self.is_shown()}"

    def neighbours_query(self) -> str:
        """One row per neighbour of the published run."""
        return f"{self.neighbours.format(table=self.table(USER_SIMILARITY.name))} WHERE run_id {self.is_shown()}"

    def is_shown(self) -> str:
        """The condition on run_id that holds for the rows of the run that is shown."""
        return published_rows(self.table(PUBLICATIONS.name)) if self.run is None else f"= {self.literal(self.run)}"


def published_rows(publications: str) -> str:
    """The condition on run_id that holds for the rows of the published run."""
    return f"= (SELECT max_by(run_id, seq) FROM {publications})"


def view_statements(dialect: str, lake_root: str, tables: Collection[str] | None = None) -> list[str]:
    """The statements that make one view per run table, and `user_neighbours`, in `spark`, `duckdb` or `trino`.

    `lake_root` is the lake as configured: a folder or URL for DuckDB, `catalog.schema` for Trino, either for Spark.
    Views of a catalogue stand in the schema `<schema>_bi`, since a view cannot share its table's name. `tables` limits
    the views to tables that exist; default: every run table of the contracts.
    """
    spoken = dialect_over(dialect, lake_root)
    wanted = [contract for contract in RUN_TABLES if tables is None or contract.name in tables]
    statements = _schema_of_views(spoken, lake_root)
    for contract in wanted:
        statements += _create(spoken, contract)
    if USER_SIMILARITY in wanted:
        statements += commented(spoken, NEIGHBOURS, NEIGHBOURS_COMMENT, spoken.neighbours_query())
    return statements


def _columns(contract: Contract) -> list[str]:
    return ["run_id", *contract.names, *(["user_bucket"] if contract.has_user_bucket else [])]


def _create(spoken: Dialect, contract: Contract) -> list[str]:
    comment = f"One row is {contract.grain}, of the published run."
    comments = {column.name: column.comment for column in contract.columns}
    columns = {} if contract.open_type else {name: comments.get(name) for name in _columns(contract)}
    return commented(spoken, contract.name, comment, spoken.query(contract), columns)


def commented(
    spoken: Dialect, name: str, comment: str, query: str, columns: Mapping[str, str | None] | None = None
) -> list[str]:
    """The view with its comment, and its columns' where the engine has a place for them.

    `columns` are all of the view's, in order, each with what it is where that is known; or none.
    """
    view, text, columns = spoken.view(name), spoken.literal(comment), columns or {}
    if spoken.engine == "trino":
        return [f"{spoken.create} {view} COMMENT {text} AS {query}"]
    if spoken.engine == "duckdb":
        own = [
            f"COMMENT ON COLUMN {view}.{spoken.name(column)} IS {spoken.literal(said)}"
            for column, said in columns.items()
            if said
        ]
        return [f"{spoken.create} {view} AS {query}", f"COMMENT ON VIEW {view} IS {text}", *own]
    named = (
        spoken.name(column) + (f" COMMENT {spoken.literal(said)}" if said else "") for column, said in columns.items()
    )
    listed = f" ({', '.join(named)})" if columns else ""
    return [f"{spoken.create} {view}{listed} COMMENT {text} AS {query}"]


def _schema_of_views(spoken: Dialect, lake_root: str) -> list[str]:
    if not is_catalog(lake_root):
        return []
    catalog, schema = lake_root.split(".", 1)
    return [f"CREATE SCHEMA IF NOT EXISTS {spoken.name(catalog)}.{spoken.name(schema + '_bi')}"]


def dialect_over(dialect: str, lake_root: str) -> Dialect:
    """How that engine speaks of a lake. Raises ConfigError where it cannot read the lake."""
    root = lake_root.rstrip("/")
    if dialect == "spark":
        if is_catalog(root):
            return spark_dialect(_in_catalogue(root, "`"), _in_catalogue(root + "_bi", "`"))
        return spark_dialect(lambda name: f"delta.{_quoted(f'{root}/{name}', '`')}")
    if dialect == "duckdb":
        if is_catalog(root):
            raise ConfigError(
                f"lake: DuckDB reads files, and {root} is a catalogue; give the folder or URL of the lake"
            )
        return _duckdb(root)
    if dialect == "trino":
        if not is_catalog(root):
            raise ConfigError(
                f"lake: Trino reads tables by catalog.schema, not {root}; register the folders by"
                " system.register_table and give the catalog.schema they are in"
            )
        return _trino(root)
    raise ConfigError(f"dialect: {dialect!r} is not known; use spark, duckdb or trino")


def spark_dialect(table: Callable[[str], str], view: Callable[[str], str] = lambda name: _quoted(name, "`")) -> Dialect:
    """Spark SQL over a lake whose tables `table` names; `view` names the views."""
    return Dialect(
        engine="spark",
        quote="`",
        table=table,
        view=view,
        escape=lambda text: text.replace("\\", "\\\\").replace("'", "\\'"),
        neighbours=(
            "SELECT run_id, method, user_id, user_bucket, position + 1 AS rank, neighbour.neighbour_id,"
            " neighbour.similarity FROM {table} LATERAL VIEW posexplode(neighbours) AS position, neighbour"
        ),
    )


def _duckdb(root: str) -> Dialect:
    def scan(name: str) -> str:
        path = f"{root}/{name}".replace("'", "''")
        return f"delta_scan('{path}')"

    return Dialect(
        engine="duckdb",
        quote='"',
        table=scan,
        view=lambda name: _quoted(name, '"'),
        escape=lambda text: text.replace("'", "''"),
        neighbours=(
            "SELECT run_id, method, user_id, user_bucket, unnest(range(1, len(neighbours) + 1)) AS rank,"
            " unnest(neighbours, recursive := true) FROM {table}"
        ),
    )


def _trino(root: str) -> Dialect:
    return Dialect(
        engine="trino",
        quote='"',
        table=_in_catalogue(root, '"'),
        view=_in_catalogue(root + "_bi", '"'),
        escape=lambda text: text.replace("'", "''"),
        neighbours=(
            "SELECT run_id, method, user_id, user_bucket, near.rank, near.neighbour_id, near.similarity FROM {table}"
            " CROSS JOIN UNNEST(neighbours) WITH ORDINALITY AS near (neighbour_id, similarity, rank)"
        ),
    )


def _in_catalogue(root: str, quote: str) -> Callable[[str], str]:
    catalog, schema = root.split(".", 1)
    return lambda name: ".".join(_quoted(part, quote) for part in (catalog, schema, name))


def _quoted(name: str, quote: str) -> str:
    return quote + name.replace(quote, quote * 2) + quote
