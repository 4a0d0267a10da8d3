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
]
exclude_patterns = ["_build", "gallery_template"]
html_theme = "pydata_sphinx_theme"
html_title = "skmsnn"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
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
    "ignore_pattern": r"__init__|__main__|common|larger_than_memory|search_with|benchmarks",
    # small sizes: the pages show the code, and figures at the sizes of the papers take hours
    "reset_argv": lambda gallery_conf, script_vars: (
        ["--size", "tiny"] if "paper" in script_vars["src_file"] else []
    ),
    "remove_config_comments": True,
    "nested_sections": True,
    "download_all_examples": False,
    "show_memory": False,
}
# the settings above hold a function, which cannot be stored
suppress_warnings = ["config.cache"]
# fits of the gallery are small, and say that they have not converged
warnings.filterwarnings("ignore", category=ConvergenceWarning)
