"""The pipeline beside its peers and its limits, on one broker and one database, in one run."""
