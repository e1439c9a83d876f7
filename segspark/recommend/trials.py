"""What `segspark tune` tried, as tables for the terminal."""

from rich.box import SIMPLE
from rich.table import Table

from segspark.recommend.config import RecommendConfig
from segspark.recommend.tuning import LISTS, POPULARITY, RATINGS, Trial, Tuned


def trials_of_lists(tuned: Tuned, config: RecommendConfig) -> Table:
    """One line per trial of lists, ALS with its settings beside popularity; * marks what is configured."""
    table = _trials_table(
        f"lists, k = {config.evaluation.k}: more is better", "ndcg_at_k", "rank", "reg", "alpha", "weights"
    )
    weights = {each: str(place) for place, each in enumerate(config.tuning.event_weights, 1)}
    weights[config.event_weights] = "*"
    for trial in tuned.trials:
        tried = trial.config
        if trial.method == LISTS:
            said = (f"{tried.rank}", f"{tried.reg_param:g}", f"{tried.alpha:g}", weights[tried.event_weights])
            table.add_row(f"als{' *' if tried == config else ''}", *said, *_judged(trial))
        elif trial.method == POPULARITY:
            table.add_row(POPULARITY, "", "", "", "*", *_judged(trial))
    return table


def trials_of_ratings(tuned: Tuned, config: RecommendConfig) -> Table:
    """One line per trial of ratings; * marks what is configured."""
    table = _trials_table("ratings: less is better", "rmse", "rank", "reg")
    for trial in (each for each in tuned.trials if each.method == RATINGS):
        said = (trial.config.rank, trial.config.rating_reg_param)
        is_configured = said == (config.rank, config.rating_reg_param)
        table.add_row(f"als{' *' if is_configured else ''}", *(f"{each:g}" for each in said), *_judged(trial))
    return table


def _trials_table(title: str, metric: str, *settings: str) -> Table:
    return Table("", *settings, metric, "95 %", "users", title=f"{title}; * as configured", box=SIMPLE)


def _judged(trial: Trial) -> tuple[str, str, str]:
    estimate = trial.estimate
    users = f"{estimate.users:,} {'all' if trial.on_everyone else 'sample'}"
    return f"{estimate.value:.4f}", f"{estimate.low:.3f}-{estimate.high:.3f}", users
