"""Plain Pydantic document schemas. Write your own in ten lines; see docs/schemas.md."""
