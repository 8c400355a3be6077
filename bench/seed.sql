-- The same 10,000 notes for everybody and tasks of one user, of whom one API token is known.
INSERT INTO users (issuer, subject, email, name) VALUES (:issuer, 'bench', 'bench@example.com', 'Bench');
INSERT INTO api_tokens (user_id, digest, expires_at) SELECT id, sha256(:token), now() + interval '1 day' FROM users;
INSERT INTO notes (title, body)
  SELECT 'Record ' || i, repeat('Words that fill a page. ', 6) FROM generate_series(1, :records) AS i;
INSERT INTO tasks (title, body, owner_id) SELECT title, body, users.id FROM notes, users ORDER BY notes.id;
