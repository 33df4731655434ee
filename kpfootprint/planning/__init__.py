"""Before and after a comparison: how much evidence it takes, which references help, what many parcels say together."""
