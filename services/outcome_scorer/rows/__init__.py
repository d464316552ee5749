"""Events as the rows that COPY takes, and what the tables answer as types."""
