"""Sources: what to ask for and how to read an answer. No SQL in here."""
