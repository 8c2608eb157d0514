"""How the site is built: Sphinx reads these Markdown pages and the notebooks, and writes pages that need no network."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from synode_df import __version__

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PAGE_OF = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}

project = "synode_df"
author = "the authors of synode_df"
copyright = "the authors of synode_df"
version = release = __version__
html_title = f"synode_df {__version__}"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]

default_role = "code"  # docstrings mark code with single backticks

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_search_summary = False  # it reads pages over the network, which pages on a disk cannot
pygments_style = "tango"
pygments_dark_style = "monokai"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Notebooks run while the site is built. What needs a live kernel (widgets) is shown by its static form.
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_in_temp = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_mime_priority_overrides = [("*", "text/html", 0), ("*", "image/svg+xml", 1), ("*", "image/png", 2)]

autodoc_typehints = "none"  # the parameters' types stand in the docstrings, in words
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_preprocess_types = False
copybutton_prompt_text = ">>> |\\.\\.\\. |\\$ "
copybutton_prompt_is_regexp = True


def bring_notebooks(_app: Sphinx, _config: object) -> None:
    """Notebooks live beside the docs; Sphinx reads below its own folder only."""
    shutil.rmtree(DOCS / "notebooks", ignore_errors=True)
    (DOCS / "notebooks").mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        shutil.copy2(path, DOCS / "notebooks")


def lead_links(_app: Sphinx, docname: str, content: list[str]) -> None:
    """Links are written for readers of the files; here they lead to the pages made of those files."""
    up = "../" * docname.count("/")
    if docname.startswith("notebooks/"):
        content[0] = content[0].replace("](../docs/", "](../")
        return
    for name, page in PAGE_OF.items():
        content[0] = content[0].replace(f"]({up}../{name})", f"]({up}{page})")
    content[0] = re.sub(r"\]\((?:\.\./)+notebooks/", f"]({up}notebooks/", content[0])


def drop_widget_state(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Without their scripts the widgets' states are dead weight, five megabytes a chart."""
    for docname in env.found_docs:
        NbMetadataCollector.get_js_files(env, docname).pop("ipywidgets_state", None)
    return []


def setup(app: Sphinx) -> None:
    """Connect the steps above."""
    app.connect("config-inited", bring_notebooks)
    app.connect("source-read", lead_links)
    app.connect("env-updated", drop_widget_state)
