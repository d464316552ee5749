"""What scripts print, to recommendations, results and signals."""
