"""What a search may try: chains of passes, and for each the parameters that have more than one value.

A configuration is a chain and one value a parameter. Its values are written as text wherever optuna keeps them, so
that a study on disk is readable and holds for any type of value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from modelyard.builder.optimization.pass_api import Pass, Recipe


@dataclass(frozen=True)
class Knob:
    """One parameter of one step of a chain."""

    step: int
    parameter: str
    values: tuple[Any, ...]

    def written(self, value: Any) -> str:
        """A value as the text that optuna keeps."""
        return f"{value}"


@dataclass(frozen=True)
class Configuration:
    """A chain of pass names, and for each of its knobs the index of its value."""

    chain: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Space:
    """Knobs by chain, in the order chains were planned."""

    knobs: Mapping[tuple[str, ...], tuple[Knob, ...]]

    def all(self) -> Iterator[Configuration]:
        """Every configuration there is."""
        for chain, knobs in self.knobs.items():
            for places in product(*(range(len(knob.values)) for knob in knobs)):
                yield Configuration(chain, places)

    def of(self, recipe: Recipe) -> Configuration | None:
        """The configuration a recipe stands for; None when it sets something that is no knob."""
        chain, knobs = chain_of(recipe), self.knobs.get(chain_of(recipe))
        if knobs is None:
            return None
        places = []
        for knob in knobs:
            value = recipe.steps[knob.step][1].get(knob.parameter, knob.values[0])
            if value not in knob.values:
                return None
            places.append(knob.values.index(value))
        known = {(knob.step, knob.parameter) for knob in knobs}
        set_by_recipe = {(step, name) for step, (_, params) in enumerate(recipe.steps) for name in params}
        return Configuration(chain, tuple(places)) if set_by_recipe <= known else None

    def recipe(self, name: str, configuration: Configuration) -> Recipe:
        """The steps of a configuration, every knob set."""
        params: list[dict[str, Any]] = [{} for _ in configuration.chain]
        for knob, place in zip(self.knobs[configuration.chain], configuration.places, strict=True):
            params[knob.step][knob.parameter] = knob.values[place]
        return Recipe(name, tuple(zip(configuration.chain, params, strict=True)))

    def key(self) -> str:
        """12 hex digits that name exactly this space: an optuna study cannot change its space."""
        texts = {
            chain_name(chain): [[knob_name(chain, knob), *map(knob.written, knob.values)] for knob in knobs]
            for chain, knobs in self.knobs.items()
        }
        return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:12]

    def written(self, configuration: Configuration) -> dict[str, str]:
        """As optuna holds it: the chain, and one text a knob."""
        params = {CHAIN: chain_name(configuration.chain)}
        for knob, place in zip(self.knobs[configuration.chain], configuration.places, strict=True):
            params[knob_name(configuration.chain, knob)] = knob.written(knob.values[place])
        return params

    def read(self, params: Mapping[str, Any]) -> Configuration | None:
        """The configuration optuna holds; None when it is none of this space."""
        chain = next((chain for chain in self.knobs if chain_name(chain) == params.get(CHAIN)), None)
        if chain is None:
            return None
        places = []
        for knob in self.knobs[chain]:
            texts = [knob.written(value) for value in knob.values]
            text = params.get(knob_name(chain, knob))
            if text not in texts:
                return None
            places.append(texts.index(text))
        return Configuration(chain, tuple(places))


CHAIN = "chain"


def space_of(recipes: Iterable[Recipe], passes: Mapping[str, Pass]) -> Space:
    """The chains of `recipes`, each once, with all their knobs."""
    chains = dict.fromkeys(chain_of(recipe) for recipe in recipes)
    return Space({chain: tuple(_knobs(chain, passes)) for chain in chains})


def chain_of(recipe: Recipe) -> tuple[str, ...]:
    """The names of a recipe's passes."""
    return tuple(name for name, _ in recipe.steps)


def chain_name(chain: Sequence[str]) -> str:
    """A chain in one word."""
    return "+".join(chain)


def knob_name(chain: Sequence[str], knob: Knob) -> str:
    """A parameter of a step of a chain in one word."""
    return f"{chain_name(chain)}.{knob.step}.{knob.parameter}"


def _knobs(chain: Sequence[str], passes: Mapping[str, Pass]) -> Iterator[Knob]:
    for step, name in enumerate(chain):
        for parameter, values in passes[name].space.items():
            if len(values) > 1:
                yield Knob(step, parameter, tuple(values))
