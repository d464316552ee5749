"""How the HTTP API answers on a long history, while the tracker writes."""
