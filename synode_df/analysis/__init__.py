"""Events looked at without a notebook: each picture of `explore` and `preview` draws a frame that is made here."""

from synode_df.analysis.activity import activity
from synode_df.analysis.attribute_pairs import attribute_pairs
from synode_df.analysis.breakdown import breakdown
from synode_df.analysis.distribution import distribution
from synode_df.analysis.funnel import funnel
from synode_df.analysis.gaps import gaps
from synode_df.analysis.hourly import hourly
from synode_df.analysis.paths import paths
from synode_df.analysis.persona_distribution import attribute_distribution, persona_distribution
from synode_df.analysis.sessions import sessions
from synode_df.analysis.step_shares import step_shares
from synode_df.analysis.user_timeline import user_timeline

__all__ = [
    "activity",
    "attribute_distribution",
    "attribute_pairs",
    "breakdown",
    "distribution",
    "funnel",
    "gaps",
    "hourly",
    "paths",
    "persona_distribution",
    "sessions",
    "step_shares",
    "user_timeline",
]
