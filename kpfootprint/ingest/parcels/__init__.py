"""Tables whose columns are known → parcels."""
