"""How the tables came to be as they are: Alembic's environment, and one file per change in `versions`."""
