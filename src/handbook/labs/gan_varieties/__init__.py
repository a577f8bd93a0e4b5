"""Varieties of GANs (section 6.5), small, on sprites; and what the blocks of 6.7 and 6.8 owe to their parts.

The book describes seven kinds. Four of them are cases: conditional, Wasserstein, deep convolutional and the first one.
The other four ideas are tried here on sprites of 16 x 16 and 32 x 32 pixels, where truth is known: normal and shiny
sprites are true pairs, ten games drew the same Pokemon, and whole Pokemon are held out.

    small.py         the sprites, reduced, in pairs and by game
    game.py          losses, steps, averaged weights, intervals
    layers.py        equalised, modulated and normalised layers, and the discriminator that grows
    progressive.py   8 -> 16 -> 32 with fade-in against full size at once, for the same multiply-adds
    style.py         a style for each resolution: what it moves, shape or colour
    translation.py   the translator and the discriminator of patches
    cycle.py         normal to shiny without pairs; the pairs judge
    star.py          one translator for four games; the true sprites and a classifier judge; more data for a classifier
    units.py         leaky against plain ReLU, batch norm against none
    drawing.py       figures

All of it is trained for seconds: what is shown is what these ideas do at that size, not what they can do.
`game.LONGER` is how many times longer everything is trained. The figures show sprites, whose copyright is The Pokémon
Company's: they stay in DVC's cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.sprites import Sprites

DATASET = "pokemon"


def figures(data: Sprites) -> dict[str, Figure]:
    """Every picture of the lab, each with its finding as title."""
    from handbook.labs.gan_varieties import cycle, drawing, progressive, star, style, units
    from handbook.labs.gan_varieties.small import Small

    small = Small.of(data)
    race, styles, swaps, stars = (
        progressive.race(small),
        style.measured(small),
        cycle.swapped(small),
        star.measured(small),
    )
    return {
        "growing": drawing.growing(race),
        "growing_sheet": drawing.growing_sheet(race),
        "style_effects": drawing.effects(styles),
        **{f"style_{side}": drawing.style_sheet(styles, side) for side in style.SIDES},
        "cycle": drawing.swaps(swaps),
        "cycle_sheet": drawing.swap_sheet(swaps),
        "star": drawing.stars(stars),
        "star_sheet": drawing.star_sheet(stars),
        "more_data": drawing.more_data(stars),
        "units": drawing.habits(units.tried(small)),
    }


def checks(data: Sprites) -> dict[str, float | bool]:
    """What was measured; of what has an interval, its 95 % bounds as well."""
    from handbook.labs.gan_varieties import cycle, progressive, star, style, units
    from handbook.labs.gan_varieties.small import Small

    small = Small.of(data)
    return {
        **progressive.race(small).facts(),
        **style.measured(small).facts(),
        **cycle.swapped(small).facts(),
        **star.measured(small).facts(),
        **units.tried(small).facts(),
    }
