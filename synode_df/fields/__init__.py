"""Field generators: immutable descriptions of random columns, and what draws them."""

from synode_df.fields.base import FieldGenerator
from synode_df.fields.choices import chance, one_of, weighted
from synode_df.fields.columns import Column
from synode_df.fields.fake import fake
from synode_df.fields.numbers import exponential, integer, lognormal, normal, poisson, uniform
from synode_df.fields.picks import pick
from synode_df.fields.rows import Rows
from synode_df.fields.sequences import sequence

__all__ = [
    "Column",
    "FieldGenerator",
    "Rows",
    "chance",
    "exponential",
    "fake",
    "integer",
    "lognormal",
    "normal",
    "one_of",
    "pick",
    "poisson",
    "sequence",
    "uniform",
    "weighted",
]
