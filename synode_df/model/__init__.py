"""The model: what users declare."""

from synode_df.model.action import Action
from synode_df.model.adventure import Adventure
from synode_df.model.dataset import Dataset, DatasetRow
from synode_df.model.event import Event
from synode_df.model.journey import Journey
from synode_df.model.persona import Persona
from synode_df.model.validation import validate_config

__all__ = ["Action", "Adventure", "Dataset", "DatasetRow", "Event", "Journey", "Persona", "validate_config"]
