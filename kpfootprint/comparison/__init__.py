"""From evidence to findings: hypotheses, verification, attribution, mixture, explanation, conclusion."""
