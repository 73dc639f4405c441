"""A venue on one's own machine: keys, prices, keepers and a crowd, all in one process (``zlp up``)."""
