"""Behind `make migrate`: sees what differs between models and database, and writes safe revisions for it."""
