"""Chapter 3, what it names and does not show: as the labs found it."""

from __future__ import annotations

from handbook.claims.claim import Claim, Kept, check, right, wrong

CLAIMS: tuple[Claim, ...] = (
    right("3.4", "the bowl around a minimum can be used: loss that averaged weights gain, at least", "above 0",
          check("units", "averaged weights: loss below that of theirs, from"),
          "the lower end of a 95 % interval over seeds; the paper that the section cites does so"),
    right("3.5.3", "interior point methods reach the global optimum of a convex programme", "yes",
          check("optimisation", "interior point agrees, with multipliers, to 1e-5"),
          "on all programmes of the section"),
    right("3.5.3", "augmented Lagrangians do", "yes",
          check("optimisation", "augmented Lagrangian agrees, with multipliers, to 1e-5"), "on the same"),
    wrong("3.5.3", "both stay within the feasible region at every step: the latter's first misses x + y = 1 by", "0.0",
          check("optimisation", "augmented Lagrangian: its first round misses x + y = 1 by"),
          "interior points do stay inside; prices are raised by what is missed, so something must be"),
    right("3.5.5", "constraints may be combined from parts, in any order", "yes",
          check("optimisation", "composed constraints: their order changes nothing"),
          "what keeps all of several convex constraints is convex"),
    right("3.6", "preconditioning speeds descent up: steps with the diagonal, by those without", "below 1",
          Kept("labs/optimisation/checks.json", ("preconditioner diagonal: steps to a millionth",),
               check("optimisation", "preconditioner none: steps to a millionth")),
          "columns of different widths make a long valley, and scaling them a round one"),
    wrong("3.11", "the example's Adam optimises: share of starts that end with a greater loss than they began", "0",
          check("optimisers", "figure 3.26: share of starts that end worse than they began"),
          "its gradients are drawn once, at random, and have nothing to do with the loss"),
)  # fmt: skip
