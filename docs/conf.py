"""Settings of the documentation; built by ``python -m sphinx -W docs docs/_build/html``."""

import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sklearn.exceptions import ConvergenceWarning  # noqa: E402

import skmsnn  # noqa: E402

project = "skmsnn"
author = copyright = "the skmsnn developers"
version = release = skmsnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myst_parser",
]
exclude_patterns = ["_build", "gallery_template"]
html_theme = "pydata_sphinx_theme"
html_title = "skmsnn"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "navbar_center": [],
    "secondary_sidebar_items": ["page-toc"],
}
# the whole contents at the left of every page: all pages are of one level
html_sidebars = {"**": ["globaltoc.html"]}
html_static_path = ["_static"]
html_css_files = ["skmsnn.css"]
# quotation marks and "--output" stay as they are typed
smartquotes = False
toc_object_entries_show_parents = "hide"
myst_heading_anchors = 2
autosummary_generate = True

numpydoc_show_class_members = False
# All of numpydoc's checks, but for examples, "see also" and an extended summary of everything.
numpydoc_validation_checks = {"all", "EX01", "SA01", "ES01"}
numpydoc_validation_exclude = {
    r"TRUSTED_TYPES$",  # a list
    # what a model holds: attributes, and values that are described rather than what is done
    r"skmsnn\.(functions|modules|domain|stage)\.",
}

plot_html_show_source_link = False
plot_formats = [("png", 110)]

sphinx_gallery_conf = {
    "examples_dirs": [str(ROOT / "examples")],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"plot_",
    "ignore_pattern": r"__init__|__main__|larger_than_memory|search_with|benchmarks",
    "remove_config_comments": True,
    "nested_sections": False,
    "download_all_examples": False,
    "show_memory": False,
}
# fits of the gallery are small, and say that they have not converged
warnings.filterwarnings("ignore", category=ConvergenceWarning)
