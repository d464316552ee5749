"""The read side: what the tables say of strategies, scripts, outcomes and models."""
