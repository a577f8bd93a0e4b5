"""What the book names and does not work through (sections 1.1.2, 1.2.1, 1.2.2, 2.2 and 4.1, and figure 2.1).

Five subjects that a reader meets by name alone, each worked through small, from NumPy, and measured:

    cliff.py, agents.py            reinforcement learning: a walk along a cliff, solved exactly; Q-learning and SARSA
    network.py, classified.py      Bayesian networks: naive Bayes against a tree among the attributes, exact inference
    effects.py, estimators.py,     causal inference: a known, simulated effect, and four estimates of it
        causes.py
    rules.py                       a rule that a person writes against rules that are learnt
    graph.py, pictures.py,         graph convolution on pictures with few labels; 1-D convolution as a case of it
        planted.py
    rows.py                        the bank's rows: the book's split without the length of the call, as levels
    drawings.py, bank_drawings.py, network_drawings.py, graph_drawings.py    the figures

The book dates Bayesian networks to the 1960s (1.2.2); they are of the 1980s (Pearl 1988). Its spam filter is a list of
clients to call here, since none of its data are mail. The campaign of `effects.py` is simulated on the attributes of
real clients, the edges of `planted.py` are drawn by lot: neither is a finding about clients or garments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.images import LabelledImages
    from handbook.data.tables import Table

DATASET = ("bank_marketing", "fashion_mnist")
ROW = 14  # of the first picture: the middle one


def figures(bank: Table, garments: LabelledImages) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.beyond import agents, causes, classified, pictures, planted, rows, rules
    from handbook.labs.beyond import bank_drawings, drawings, graph_drawings, network_drawings  # isort: skip

    study = rows.study(bank)
    learnt, found = agents.learnt(agents.seeds(len(bank))), classified.found(study)
    nodes = pictures.Nodes.of(garments)
    return {
        "cliff_paths": drawings.paths(learnt),
        "cliff_returns": drawings.returns(learnt),
        "bayesian_network": network_drawings.dependences(found),
        "bayesian_network_queries": network_drawings.answered(found),
        "simulated_effect": bank_drawings.effects(causes.estimated(causes.Clients.of(bank))),
        "rules_and_learning": bank_drawings.rules(rules.compared(study)),
        "graph_convolution": graph_drawings.edges(pictures.judged(nodes), planted.planted(nodes)),
        "convolution_on_a_line": graph_drawings.line(garments.train_images[0][ROW].astype(float)),
    }


def checks(bank: Table, garments: LabelledImages) -> dict[str, float | bool]:
    """What was measured; `at least` and `at most` bound 95 % intervals: over seeds, draws, or rows drawn again."""
    from handbook.labs.beyond import agents, causes, classified, pictures, planted, rows, rules

    nodes, study = pictures.Nodes.of(garments), rows.study(bank)
    return {
        **agents.facts(agents.seeds(len(bank))),
        **classified.facts(classified.found(study)),
        **causes.facts(causes.estimated(causes.Clients.of(bank))),
        **rules.facts(rules.compared(study)),
        **pictures.facts(pictures.judged(nodes)),
        **planted.facts(planted.planted(nodes)),
    }
