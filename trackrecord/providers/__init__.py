"""Who writes strategies: the rules at hand, or a language model behind its maker's client."""
