"""A batch of bars, signals and exits in; assessments and outcomes out."""
