"""What the recommend room can be told."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class EventWeights(BaseModel):
    """How much one act counts for an item, before time decay. Only the ratios between them matter beside `alpha`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    view: float = Field(default=1.0, ge=0)  # one view
    click: float = Field(default=1.0, ge=0)  # one click
    add_to_cart: float = Field(default=3.0, ge=0)  # one addition to the cart
    wishlist: float = Field(default=2.0, ge=0)  # one addition to the wish list
    purchase: float = Field(
        default=5.0, ge=0
    )  # one paid order line, or one purchase event where the order is not known
    rating: float = Field(default=1.0, ge=0)  # one rating given, whatever it says

    @model_validator(mode="after")
    def _some_act_counts(self) -> "EventWeights":
        if not any(self.model_dump().values()):
            raise ValueError("event_weights: all are 0; at least one act must count")
        return self


class ContentWeights(BaseModel):
    """How much each part of an item's description counts in content similarity; an item without a part lacks it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: float = Field(default=1.0, ge=0)  # the same category
    brand: float = Field(default=1.0, ge=0)  # the same brand
    price: float = Field(default=0.5, ge=0)  # the same price band; a band ends at about 1.4 times its beginning
    description: float = Field(default=1.0, ge=0)  # cosine of the words, rare ones counting more (TF-IDF)
    embedding: float = Field(default=1.0, ge=0)  # cosine of the given vectors

    @model_validator(mode="after")
    def _some_part_counts(self) -> "ContentWeights":
        if not any(self.model_dump().values()):
            raise ValueError("content_weights: all are 0; at least one part must count")
        return self


class EvaluationConfig(BaseModel):
    """How the lists are judged: fitted on a train part, held against the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: Literal["time", "last", "random"] = "time"  # held out: the last days, each user's last items, pairs by hash
    test_days: int = Field(default=30, ge=1)  # for time: days before as_of that are held out
    last_items: int = Field(default=1, ge=1)  # for last: items of each user that are held out; every user keeps one
    test_share: float | None = Field(
        default=None, gt=0, lt=1
    )  # in place of both: the last share of the days with data, or of each user's items; random needs it, for pairs
    k: int = Field(default=10, ge=1, le=1000)  # length of the lists that are judged
    relevant: Literal["bought", "touched"] = "bought"  # what counts as a hit; touched where nothing was bought
    bootstrap_rounds: int = Field(default=500, ge=20, le=10_000)  # resamples of the users behind each interval
    max_users: int = Field(default=100_000, ge=1)  # users judged; above it, a sample by hash
    auc_max_users: int = Field(default=10_000, ge=1)  # of them those whose auc is computed, which scores every item

    @model_validator(mode="after")
    def _random_has_a_share(self) -> "EvaluationConfig":
        if self.split == "random" and self.test_share is None:
            raise ValueError("test_share: null; split random holds out that share of the pairs, so give one, as 0.2")
        return self


class TuningConfig(BaseModel):
    """What `segspark tune` tries. No run looks at it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alphas: tuple[Annotated[float, Field(gt=0)], ...] = (0.1, 0.3, 1.0, 5.0, 20.0)  # tried with each of reg_params
    reg_params: tuple[Annotated[float, Field(ge=0)], ...] = (0.05, 0.2, 0.5)  # tried with each of alphas
    ranks: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = (16, 32, 64)  # tried with the best alpha and reg_param
    event_weights: tuple[EventWeights, ...] = ()  # tried last, beside recommend.event_weights; each names what differs
    rating_reg_params: tuple[Annotated[float, Field(ge=0)], ...] = (0.03, 0.1, 0.3)  # tried where there are ratings
    days: int = Field(default=30, ge=1)  # validation days: the last before those that evaluate holds out, split time
    sample_users: int = Field(default=5000, ge=1)  # users, chosen by hash with all they did, on whom all is tried
    finalists: int = Field(default=3, ge=1)  # best settings that are fitted to everyone, beside the configured one


Member = Literal["als", "item_cf", "user_cf", "content"]
Similarity = Literal["cosine", "adjusted_cosine", "pearson", "content"]


class RecommendConfig(BaseModel):
    """Factors, similarity and recommendations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_weights: EventWeights = EventWeights()
    half_life_days: float | None = Field(90.0, gt=0)  # after so many days an act counts half; null: never less

    rank: int = Field(32, ge=1, le=1024)  # length of the ALS vectors
    reg_param: float = Field(0.2, ge=0)  # ALS regularisation; MLlib multiplies it by a row's number of interactions
    alpha: float = Field(0.3, gt=0)  # confidence per unit of weight: 1 + alpha * weight (Hu, Koren, Volinsky 2008)
    iterations: int = Field(10, ge=1, le=100)  # ALS alternations
    blocks: int | None = Field(None, ge=1, le=10_000)  # ALS blocks per side; null: from the number of interactions
    rating_reg_param: float = Field(0.15, ge=0)  # the same for explicit ALS on ratings

    methods: tuple[Member | Literal["hybrid"], ...] = ("als",)  # that make lists, and are judged beside popularity
    hybrid_of: tuple[Member, ...] = (
        "als",
        "item_cf",
        "user_cf",
    )  # what hybrid blends; weights are learnt
    top_n: int = Field(10, ge=1, le=1000)  # items per user
    exclude_seen: bool = True  # whether items that the user has are left out of the user's list
    seen: Literal["bought", "touched"] = "bought"  # which items a user has: those bought, or those acted on in any way
    max_per_category: int | None = Field(None, ge=1)  # items of one category in a user's list; null: any number
    explain_max_items: int = Field(1_000_000, ge=0)  # items up to which each row names the item that it follows from

    similarity: tuple[Similarity, ...] = (
        "cosine",
    )  # measures; pearson and adjusted_cosine go by ratings where any are
    shrinkage: float = Field(0.0, ge=0)  # s: a similarity over n common users or items is multiplied by n / (n + s)
    min_overlap: int = Field(1, ge=1)  # fewer common users or items than these: no neighbours
    content_weights: ContentWeights = ContentWeights()
    neighbours: int = Field(50, ge=1, le=1000)  # similar items per item
    user_neighbours: int = Field(20, ge=1, le=1000)  # similar users per user
    user_similarity_max_users: int = Field(50_000, ge=0)  # above it, users are compared by factors in cells; 0: never
    user_cells: int | None = Field(None, ge=1, le=4096)  # cells of the factor space; null: the root of the users
    user_cells_probed: int = Field(8, ge=1, le=256)  # nearest cells whose members a user is compared with
    recall_users: int = Field(200, ge=1, le=2000)  # whose exact neighbours are found too, to tell what cells miss

    similarity_block_rows: int = Field(32_768, ge=1, le=65_536)  # most rows of a block, whose neighbours one task finds
    similarity_block_pairs: int = Field(4_000_000, ge=1)  # most interactions of a block, on average
    user_block_rows: int = Field(32_768, ge=1, le=262_144)  # users whose lists one task makes at a time
    item_block_rows: int = Field(4096, ge=1, le=65_536)  # items that are scored at a time

    task_memory_mb: int = Field(
        1024, ge=1
    )  # MB of arrays that a task of similarity or lists may hold; block sizes follow

    evaluation: EvaluationConfig = EvaluationConfig()
    tuning: TuningConfig = TuningConfig()

    @model_validator(mode="after")
    def _methods_are_named_once(self) -> "RecommendConfig":
        for key, names in (("methods", self.methods), ("hybrid_of", self.hybrid_of)):
            if not names or len(set(names)) < len(names):
                raise ValueError(f"{key}: name at least one method, and none twice")
        if "hybrid" in self.methods and len(self.hybrid_of) < 2:
            raise ValueError("hybrid_of: a blend needs two methods at least")
        if self.max_per_category is not None and self.methods != ("als",):
            raise ValueError("max_per_category: lists of als alone are capped; leave it out, or set methods to [als]")
        return self

    @model_validator(mode="after")
    def _measures_are_named_once(self) -> "RecommendConfig":
        if not self.similarity or len(set(self.similarity)) < len(self.similarity):
            raise ValueError("similarity: name at least one measure, and none twice")
        return self
