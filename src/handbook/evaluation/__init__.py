"""How models are judged: metrics, reports and figures."""
