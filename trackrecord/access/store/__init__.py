"""What is kept of users, logins, keys and claims, and the role that the HTTP API reads it with."""
