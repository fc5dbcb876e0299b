"""Text -> typed values and back: amounts, dates, identifiers, folded text. Knows languages and forms, no page and no schema."""
