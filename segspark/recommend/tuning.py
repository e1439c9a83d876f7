"""Which settings of ALS do best on a validation part: a search on some users, then its best on everyone.

One block of settings after another, each at the best of the blocks before: cost is the sum of the blocks, not their
product. What the stage evaluate holds out must not be in the parts that are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.checkpoints import cut_off
from segspark.core.errors import InputError
from segspark.recommend.judging.assessment import POPULARITY
from segspark.recommend.judging.bootstrap import Estimate, estimates_of
from segspark.recommend.judging.evaluation import hits_of, judge_ratings, plan_of
from segspark.recommend.judging.pieces import Judged, sums_of
from segspark.recommend.judging.ratings import MODEL
from segspark.recommend.judging.split import Parts, is_drawn, is_of_sample
from segspark.recommend.methods.by_factors import by_als, by_popularity
from segspark.recommend.methods.method import Answer, Settings, Train, listed
from segspark.recommend.methods.train import fitted_again, train_part, weighed_again

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

LISTS, RATINGS = "als", MODEL  # methods that are tuned
METRICS = {LISTS: "ndcg_at_k", POPULARITY: "ndcg_at_k", RATINGS: "rmse"}
NOBODY = (
    "tune: nobody among the {users} acted on a known item before the validation part and on another in it; a longer"
    " history, other recommend.tuning.days or a greater recommend.tuning.sample_users bring that"
)

PartsOf = Callable[["RecommendConfig"], Parts]  # what was known before validation, and what the validation part is
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """How a method under some settings did on a validation part: ndcg_at_k for lists, rmse for ratings."""

    method: str
    config: RecommendConfig
    estimate: Estimate
    on_everyone: bool  # fitted to everyone, not to the sample


@dataclass(frozen=True)
class Tuned:
    """All trials in the order in which they were made, and the settings to take."""

    trials: list[Trial]
    chosen: RecommendConfig


@dataclass(frozen=True)
class Stand:
    """What all settings are judged on: the same numbers, users and hits, as the configured settings know them."""

    parts: PartsOf
    config: RecommendConfig
    train: Train
    judged: DataFrame  # as the pairs of Judged
    wanted: DataFrame  # user_no of those who are judged
    popular: Answer
    settings: Settings


def tune(parts: PartsOf, config: RecommendConfig, seed: int, tell: Tell) -> Tuned:
    """Tries what `config.tuning` says. `parts` gives the train part and the validation part for any settings.

    Raises InputError where nobody can be judged.
    """
    of_config = parts(config)
    known = Parts(cut_off(of_config.acts), cut_off(of_config.ratings))

    def remembered(tried: RecommendConfig) -> Parts:
        return known if tried.event_weights == config.event_weights else parts(tried)

    share, users = _share(known.acts, config.tuning.sample_users)
    trials = _tune_lists(remembered, config, share, seed, lambda line: tell(f"{line} of {users:,} users"))
    chosen = _best(trials, LISTS, config)
    rated = _tune_ratings(known.ratings, chosen, share, seed, tell)
    return Tuned(trials + rated, _best(rated, RATINGS, chosen) if rated else chosen)


def lines_of(tuned: Tuned, config: RecommendConfig) -> str:
    """The chosen settings as YAML, to be put in place of the configured ones; event weights only where they differ."""
    chosen = tuned.chosen
    keys: dict[str, Any] = {name: getattr(chosen, name) for name in ("rank", "reg_param", "alpha")}
    if chosen.event_weights != config.event_weights:
        keys["event_weights"] = chosen.event_weights.model_dump()
    if any(trial.method == RATINGS for trial in tuned.trials):
        keys["rating_reg_param"] = chosen.rating_reg_param
    return yaml.safe_dump({"recommend": keys}, sort_keys=False).rstrip()


def best_first(trials: Iterable[Trial], method: str, configured: RecommendConfig) -> list[Trial]:
    """Those of the method; of equal ones the configured settings, then those of a smaller rank, then earlier ones."""
    sign = 1 if METRICS[method] == "rmse" else -1
    mine = [trial for trial in trials if trial.method == method]
    return sorted(mine, key=lambda t: (sign * t.estimate.value, t.config != configured, t.config.rank))


def _tune_lists(parts: PartsOf, config: RecommendConfig, share: float, seed: int, tell: Tell) -> list[Trial]:
    """The blocks on the sample, then the best and the configured settings on everyone, if that is more."""
    stand = _stand(_sampled(parts, share, seed), config, seed, "sample" if share < 1 else "users")
    trials: list[Trial] = []
    for block in (_confidences, _ranks, _weights):
        best = _best(trials, LISTS, config)
        tried = {trial.config for trial in trials if trial.method == LISTS}
        new = [each for each in dict.fromkeys([config, *block(best)]) if each not in tried]
        if new:
            tell(f"tune: {len(new)} settings on {'a sample' if share < 1 else 'all'}")
            trials += _judge(stand, new, share == 1)
    if share < 1:
        last = _finalists(trials, LISTS, config)
        tell(f"tune: {len(last)} settings on all")
        trials += _judge(_stand(parts, config, seed, "users"), last, on_everyone=True)
    return _each_once(trials)


def _tune_ratings(rated: DataFrame, config: RecommendConfig, share: float, seed: int, tell: Tell) -> list[Trial]:
    """The same for explicit ALS at the chosen rank; no trials where no rating of the sample can be judged."""
    reg_params = config.tuning.rating_reg_params
    tried = list(dict.fromkeys([config, *(_vary(config, rating_reg_param=each) for each in reg_params)]))
    if len(tried) == 1:
        return []
    few = _draw(rated, share, seed)
    trials = [trial for each in tried for trial in _judge_ratings(few, each, seed, share == 1)]
    if not trials:
        return []
    tell(f"tune: {len(trials)} settings for ratings")
    if share < 1:
        for each in _finalists(trials, RATINGS, config):
            trials += _judge_ratings(rated, each, seed, on_everyone=True)
    return trials


def _confidences(best: RecommendConfig) -> list[RecommendConfig]:
    alphas, reg_params = best.tuning.alphas or (best.alpha,), best.tuning.reg_params or (best.reg_param,)
    return [_vary(best, alpha=alpha, reg_param=reg_param) for alpha in alphas for reg_param in reg_params]


def _ranks(best: RecommendConfig) -> list[RecommendConfig]:
    return [_vary(best, rank=rank) for rank in best.tuning.ranks]


def _weights(best: RecommendConfig) -> list[RecommendConfig]:
    return [_vary(best, event_weights=weights) for weights in best.tuning.event_weights]


def _vary(config: RecommendConfig, **changes: Any) -> RecommendConfig:
    return config.model_copy(update=changes)


def _stand(parts: PartsOf, config: RecommendConfig, seed: int, who: str) -> Stand:
    """Who is judged, and by what, as `judge_lists` finds them."""
    train = train_part(parts(config).acts, config, seed)
    if train is None:
        raise InputError(NOBODY.format(users=who))
    hits = hits_of(train, config)
    if hits.users == 0:
        raise InputError(NOBODY.format(users=who))
    is_judged = hits.is_hit & is_of_sample(hits.users, config.evaluation.max_users, seed)
    judged = train.acts.withColumns({"is_judged": is_judged, "is_asked": F.lit(False)})
    wanted = cut_off(judged.where("is_judged").select("user_no").distinct())
    settings = Settings(config, plan_of(train, config), seed)
    popular = Answer(cut_off(listed(by_popularity, train, wanted, settings)))
    return Stand(parts, config, train, judged, wanted, popular, settings)


def _judge(stand: Stand, tried: Sequence[RecommendConfig], on_everyone: bool) -> list[Trial]:
    """A trial of each of the settings, and one of popularity."""
    answers = {str(place): _answer(stand, config) for place, config in enumerate(tried)}
    answers[POPULARITY] = stand.popular
    settings = stand.settings
    rounds = stand.config.evaluation.bootstrap_rounds
    sums, _ = sums_of(answers, Judged(stand.judged), settings.plan, rounds, settings.seed)
    found = estimates_of(sums)
    judged = [(LISTS, config, str(place)) for place, config in enumerate(tried)]
    return [
        Trial(method, config, found[name, METRICS[method]], on_everyone)
        for method, config, name in [*judged, (POPULARITY, stand.config, POPULARITY)]
    ]


def _answer(stand: Stand, config: RecommendConfig) -> Answer:
    """Lists by ALS under the settings, for the users and by the numbers of the stand."""
    train, seed = stand.train, stand.settings.seed
    if config.event_weights != stand.config.event_weights:
        train = weighed_again(train, stand.parts(config).acts, config)
    if config != stand.config:
        train = fitted_again(train, config, seed)
    return Answer(cut_off(listed(by_als, train, stand.wanted, stand.settings)))


def _judge_ratings(ratings: DataFrame, config: RecommendConfig, seed: int, on_everyone: bool) -> list[Trial]:
    rows = [row for row in judge_ratings(ratings, config, seed) if row["metric"] == METRICS[RATINGS]]
    estimates = [Estimate(row["value"], row["low"], row["high"], row["users"]) for row in rows]
    return [Trial(RATINGS, config, estimate, on_everyone) for estimate in estimates]


def _best(trials: Sequence[Trial], method: str, configured: RecommendConfig) -> RecommendConfig:
    """The best of those on everyone, of all where there is none; the configured settings before any trial."""
    ranked = best_first([t for t in trials if t.on_everyone] or trials, method, configured)
    return ranked[0].config if ranked else configured


def _finalists(trials: Sequence[Trial], method: str, configured: RecommendConfig) -> list[RecommendConfig]:
    best = [trial.config for trial in best_first(trials, method, configured)[: configured.tuning.finalists]]
    return list(dict.fromkeys([configured, *best]))


def _each_once(trials: Sequence[Trial]) -> list[Trial]:
    """Popularity is judged with each block, to the same result."""
    return list({(trial.method, trial.config, trial.on_everyone): trial for trial in trials}.values())


def _share(acts: DataFrame, most: int) -> tuple[float, int]:
    """The share of the users with a weight that makes the sample, at most 1, and how many users there are."""
    users = acts.where("weight > 0").select("user_id").distinct().count()
    return min(1.0, most / max(users, 1)), users


def _sampled(parts: PartsOf, share: float, seed: int) -> PartsOf:
    def sampled(config: RecommendConfig) -> Parts:
        whole = parts(config)
        return Parts(_draw(whole.acts, share, seed), _draw(whole.ratings, share, seed))

    return sampled


def _draw(part: DataFrame, share: float, seed: int) -> DataFrame:
    return part if share == 1 else part.where(is_drawn(share, "user_id", seed=seed))
