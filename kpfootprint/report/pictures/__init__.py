"""Pictures of a report: geometry from its content, drawn as inline SVG. Each returns no figure where it has no data."""
