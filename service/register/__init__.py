"""The register: keys, sessions, activations and every report that was acknowledged, in one database."""
